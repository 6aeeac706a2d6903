"""What is sent at the pace of whoever reads it."""

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from pop.components.http.inbound import Inbound
from pop.components.outbox import Outbox

log = Logger()
MOST = 1 << 26
"""Bytes that may be left when more are written."""


class Flow:
    """The body of an answer.

    Pieces of it are sent as long as the client reads. If it reads nothing for as long as a request
    may take to arrive, the connection is closed: else, those who never read would cost memory for
    ever, and a long answer would have to be sent within that time. So it is if somebody writes and
    does not wait while L{MOST} bytes are left.
    """

    def __init__(self, inbound: Inbound) -> None:
        self._inbound = inbound
        self._channel = inbound.channel
        self._outbox = Outbox(inbound.write)
        self._cut = False
        self._waiting: list[Deferred[None]] = []
        self._finish: Callable[[], None] | None = None
        self._watch: IDelayedCall | None = None
        inbound.flow = self
        inbound.registerProducer(self, True)
        if self._channel.crowded:  # by an answer before this one
            self.pauseProducing()

    def write(self, data: bytes) -> Deferred[None]:
        """Send some of it.

        @return: fires when all that was written so far is on its way.
        """
        if self._cut:
            return succeed(None)
        if self._outbox.size > MOST:
            log.error(
                "A client of {uri} is cut off: {size} bytes wait for it, since who writes does not",
                uri=self._inbound.uri.decode(errors="replace"),
                size=self._outbox.size,
            )
            self._cut = True
            self.stopProducing()
            self._channel.abort()  # which says that it is gone only later
            return succeed(None)
        self._outbox.put(data)
        self._sent()
        if not self._outbox.crowded:
            return succeed(None)
        waiting: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        return waiting

    def end(self, finish: Callable[[], None]) -> None:
        """That was all: call something when it is on its way."""
        self._finish = finish
        self._sent()

    def stop(self) -> None:
        """The client is gone: what is written is thrown away, so nobody needs to wait."""
        self.stopProducing()
        self._release()

    def _sent(self) -> None:
        """See what is due once all is on its way, if it is."""
        if self._outbox.crowded or self._cut:
            return
        self._release()
        # Not if one of those has written more than there is room for.
        if self._finish is not None and not self._outbox.crowded:
            finish, self._finish = self._finish, None
            self._inbound.unregisterProducer()
            finish()

    def _release(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)

    # For the connection

    def pauseProducing(self) -> None:
        """The client is slow."""
        self._outbox.pause()
        seconds = self._channel.factory.timeOut
        if seconds and self._watch is None:
            self._watch = self._channel.callLater(seconds, self._channel.abort)

    def resumeProducing(self) -> None:
        """It has read what there was."""
        self._stop_watch()
        self._outbox.resume()
        self._sent()

    def stopProducing(self) -> None:
        """It is gone; L{stop} comes when what answers has been told."""
        self._outbox.drop()
        self._stop_watch()

    def _stop_watch(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None and watch.active():
            watch.cancel()
