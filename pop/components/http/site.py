"""All connections to a web server."""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.http import HTTPFactory, Request, datetimeToString

from pop.components.http.channel import Channel
from pop.components.http.inbound import Inbound

log = Logger()
REFUSED = 64
"""Connections more than there may be that are told so; any others are closed without a word."""


class Site(HTTPFactory):
    """All connections to a server.

    @param serve: answers a request.
    @param refuse: answers one of which not all is there, with a code.
    @param limit_of: bytes that the body of a request for a target may have; L{None} for any.
    @param admit: whether a request with a body may be asked; L{None} if anybody may.
    @param timeout: seconds; 0 for no limit.
    @param most: connections at a time; 0 for any.
    """

    protocol = Channel  # type: ignore[assignment]  # no proxy for it is needed
    noisy = False

    def __init__(
        self,
        serve: Callable[[Inbound], None],
        refuse: Callable[[Inbound, int], None],
        limit_of: Callable[[bytes], int | None],
        admit: Callable[[Inbound], Deferred[bool] | None],
        clock: IReactorTime,
        timeout: float = 60.0,
        most: int = 0,
    ) -> None:
        super().__init__(timeout=timeout, reactor=clock)
        self.timeOut = timeout or None
        self.serve = serve
        self.refuse = refuse
        self.limit_of = limit_of
        self.admit = admit
        self.channels: set[Channel] = set()
        self._most = most
        self._crowded = False
        self._date = (-1, b"")
        self._empty: list[Deferred[None]] = []

    def startFactory(self) -> None:
        """Nothing: there is no log of its own, whose clock would tick."""

    def stopFactory(self) -> None:
        """Nothing."""

    def log(self, request: Request) -> None:
        """Nothing: whoever wants each request in a log asks a servlet in front for that."""

    def date(self) -> bytes:
        """The time, as headers write it."""
        now = int(self.reactor.seconds())
        if now != self._date[0]:
            self._date = now, datetimeToString(now)
        return self._date[1]

    def welcome(self, channel: Channel) -> None:
        """A connection is new, and perhaps one too many: the one that is only
        kept for longest then gives way."""
        self.channels.add(channel)
        if not self._most or len(self.channels) <= self._most:
            return
        self._say_so()
        if kept := [each for each in self.channels if each.kept]:
            min(kept, key=lambda each: each.since).close()
        elif len(self.channels) <= self._most + REFUSED:
            channel.turn_away()
        else:
            channel.abort()

    def _say_so(self) -> None:
        if not self._crowded:
            self._crowded = True
            log.warn("A web server has the {most} connections that it may have", most=self._most)

    def forget(self, channel: Channel) -> None:
        """A connection is gone."""
        self.channels.discard(channel)
        if len(self.channels) <= self._most / 2:
            self._crowded = False
        if not self.channels:
            empty, self._empty = self._empty, []
            for waiting in empty:
                waiting.callback(None)

    def finish(self, grace: float) -> Deferred[None]:
        """Let what is being answered have its answer, for so many seconds at most; then all
        connections are closed."""
        for channel in list(self.channels):
            channel.finish()
        waiting: Deferred[None] = Deferred()
        if not self.channels:
            waiting.callback(None)
            return waiting
        self._empty.append(waiting)
        timer = self.reactor.callLater(grace, self._abort)

        def ended(_: None) -> None:
            if timer.active():
                timer.cancel()

        return waiting.addCallback(ended)

    def _abort(self) -> None:
        for channel in list(self.channels):
            channel.abort()
