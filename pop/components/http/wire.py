"""HTTP on a connection: twisted.web's, with bounds on how large and how slow a request may be.

Note [Refusing early]
=====================
A request that is too large is answered before all of it is there. Were the connection closed right
then, the system would tell the far side so before it has read the answer. So what still comes is
thrown away for a while, until the far side closes the connection, or L{LINGER} seconds are over.
"""

from collections.abc import Callable
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, HTTPFactory, Request, datetimeToString

LINGER = 5.0
RATE = 500
"""Bytes a second: a request that comes slower does not come at all."""
IN_MEMORY = 1 << 20
"""Bytes of a body; what is longer is kept in a file."""


class Inbound(Request):
    """A request, and the way its answer takes.

    @ivar limit: bytes that its body may have; L{None} for any.
    @ivar running: what answers it.
    @ivar gone: whether nobody waits for the answer any more.
    """

    channel: Any
    content: Any
    limit: int | None = None
    running: Deferred[Any] | None = None
    gone = False

    def gotLength(self, length: int | None) -> None:
        """A place for the body."""
        self.content = BytesIO() if length == 0 else SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115

    def handleContentChunk(self, data: bytes) -> None:
        """A piece of the body, which may be more than was announced."""
        if self.finished or self.gone:
            return
        if self.limit is not None and self.content.tell() + len(data) > self.limit:
            self.channel.refuse(413)
        else:
            self.content.write(data)

    def process(self) -> None:
        """All of it is there."""
        self.setHeader(b"Date", self.channel.factory.date())
        self.channel.factory.serve(self)

    def refuse(self, code: int) -> None:
        """Answer before all of it is there."""
        self.clientproto = b"HTTP/1.1"
        self.setHeader(b"Connection", b"close")
        self.setHeader(b"Date", self.channel.factory.date())
        self.channel.factory.refuse(self, code)

    def connectionLost(self, reason: Any) -> None:
        """Whoever answers need not go on."""
        self.gone = True
        super().connectionLost(reason)
        if self.running is not None:
            self.running.cancel()


class Channel(HTTPChannel):
    """A connection, on which one request comes after the other.

    @ivar handling: whether one is being answered.
    """

    factory: "Site"
    requestFactory = Inbound

    def __init__(self) -> None:
        super().__init__()
        self.handling = False
        self._refused = False
        self._arrived = 0
        self._seen = 0
        self._watch: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """One more."""
        super().connectionMade()
        self.factory.channels.add(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """One less."""
        self._stop_watch()
        super().connectionLost(reason)
        self.factory.forget(self)

    # What arrives

    def dataReceived(self, data: bytes) -> None:
        """Some of it; what is not whole yet is watched from now on."""
        self._arrived += len(data)
        super().dataReceived(data)
        if self._arrived and self._watch is None and not self.handling and self.factory.timeOut:
            self._seen = self._arrived
            self._watch = self.callLater(self.factory.timeOut, self._look)

    def allHeadersReceived(self) -> None:
        """Whether the body may come."""
        request = self.requests[-1]
        if self.length != 0:
            request.limit = limit = self.factory.limit_of(self._path)
            if limit is not None and (self.length or 0) > limit:
                self.refuse(413)
                return
        super().allHeadersReceived()

    def rawDataReceived(self, data: bytes) -> None:
        """A piece of the body, or what comes in vain. See Note [Refusing early]."""
        if not self._refused:
            super().rawDataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        """A piece of the head, or what comes in vain."""
        if not self._refused:
            super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        """A piece of the head is too long."""
        self.refuse(431 if self.requests else 414)

    def allContentReceived(self) -> None:
        """A request is whole."""
        if not self._refused:
            self._stop_watch()
            self._arrived = 0
            self.handling = True
            super().allContentReceived()

    def requestDone(self, request: Inbound) -> None:
        """It has its answer."""
        self.handling = False
        super().requestDone(request)

    # What takes too long

    def _look(self) -> None:
        self._watch = None
        if self._arrived - self._seen < RATE * (self.factory.timeOut or 0):
            self.refuse(408)
        else:
            self._seen = self._arrived
            self._watch = self.callLater(self.factory.timeOut, self._look)

    def _stop_watch(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None and watch.active():
            watch.cancel()

    def timeoutConnection(self) -> None:
        """Nothing has come for long."""
        if self._arrived:
            self.refuse(408)
        else:
            self.close()

    # The end

    def refuse(self, code: int) -> None:
        """Answer a request of which not all is there, and no other."""
        if self._refused:
            return
        self._refused, self.persistent = True, False
        if not self.requests:
            self.requests.append(self.requestFactory(self))
        self.requests[-1].refuse(code)

    def loseConnection(self) -> None:
        """Close it; not before the far side could read why. See Note [Refusing early]."""
        if self._refused:
            self.setTimeout(None)
            self._stop_watch()
            self._watch = self.callLater(LINGER, self.abort)
        else:
            super().loseConnection()

    def close(self) -> None:
        """Close it soon, whether the far side reads what it was sent or not."""
        self._stop_watch()
        self._watch = self.callLater(LINGER, self.abort)
        super().loseConnection()

    def finish(self) -> None:
        """Close it as soon as what is being answered has its answer."""
        if self.handling:
            self.persistent = False
            self.requests[0].setHeader("Connection", "close")
        else:
            self.close()

    def abort(self) -> None:
        """Close it at once, whatever is on its way."""
        self._stop_watch()
        transport: Any = self.transport
        transport.abortConnection()


class Site(HTTPFactory):
    """All connections to a server.

    @param serve: answers a request.
    @param refuse: answers one of which not all is there, with a code.
    @param limit_of: bytes that the body of a request for a target may have; L{None} for any.
    @param timeout: seconds; 0 for no limit.
    """

    protocol = Channel  # type: ignore[assignment]  # no proxy for it is needed
    noisy = False

    def __init__(
        self,
        serve: Callable[[Inbound], None],
        refuse: Callable[[Inbound, int], None],
        limit_of: Callable[[bytes], int | None],
        clock: IReactorTime,
        timeout: float = 60.0,
    ) -> None:
        super().__init__(timeout=timeout, reactor=clock)
        self.timeOut = timeout or None
        self.serve = serve
        self.refuse = refuse
        self.limit_of = limit_of
        self.channels: set[Channel] = set()
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

    def forget(self, channel: Channel) -> None:
        """A connection is gone."""
        self.channels.discard(channel)
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
