"""What a stranger may cost who gets as far as a connection: little memory, and little time.

Note [Patience]: a connection has so long for its first whole box, its handshake included, and for
each box that it has begun. Between boxes it may rest. Who does not read what it is answered is not
read from either, so that no answers pile up.
"""

import os
import socket
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.protocols.amp import AMP, UNKNOWN_ERROR_CODE, RemoteAmpError
from twisted.python.failure import Failure

PATIENCE: Final = 10.0
"""Seconds; see Note [Patience]."""
LARGEST: Final = 1 << 18
"""Bytes of one box that an agent takes."""


KEEPALIVE: Final = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
"""Seconds after which a quiet peer is asked whether it is there, and again, and how often. The
system asks and answers, so that a peer may be as busy as it likes."""


def keep_alive(transport: Any) -> None:
    """Have the system find out that the machine at the other end is gone, if it is another."""
    lowest = getattr(transport, "transport", transport)  # below TLS
    handle: Any = lowest.getHandle() if hasattr(lowest, "getHandle") else None
    if getattr(handle, "family", None) in (socket.AF_INET, socket.AF_INET6):
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEPALIVE:
            if hasattr(socket, name):
                handle.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class BoundedAMP(AMP):
    """AMP with an end to everything.

    @param refused: told in a few words why a connection was ended.
    @param largest: bytes of one box.
    @param patience: see Note [Patience]; L{None} for no end of it.
    """

    def __init__(
        self,
        clock: IReactorTime,
        refused: Callable[[str], None],
        largest: int = LARGEST,
        patience: float | None = PATIENCE,
    ) -> None:
        super().__init__()
        self._clock = clock
        self._refused = refused
        self._largest = largest
        self._patience = patience
        self._size = 0
        self._boxes = 0
        self._over = False
        self._registered = False
        self._deadline: IDelayedCall | None = None

    def makeConnection(self, transport: Any) -> None:
        """Begin to wait."""
        self._set_deadline()
        super(AMP, self).makeConnection(transport)  # AMP itself logs each connection
        keep_alive(transport)

    def dataReceived(self, data: bytes) -> None:
        """Read; what makes no sense ends the connection, and goes no further."""
        if self._over:
            return
        self._register()
        try:
            super().dataReceived(data)
        except Exception as error:
            self.end(f"what it sent makes no sense ({type(error).__name__})")
        if not self._over:
            self._look()

    def stringReceived(self, string: bytes) -> None:
        """Count."""
        if self._over:
            return
        self._size += len(string) + 2
        if self._size > self._largest:
            self.end(f"it sent more than {self._largest} bytes at once")
            return
        super().stringReceived(string)
        if self.state == "init":
            self._size = 0
            self._boxes += 1
            self._cancel_deadline()

    def lengthLimitExceeded(self, length: int) -> None:
        """It is no AMP."""
        self.end("it does not speak AMP")

    def fileDescriptorReceived(self, descriptor: int) -> None:
        """Nobody asked for one."""
        os.close(descriptor)

    def dispatchCommand(self, box: Any) -> Deferred[Any]:
        """A command whose arguments are wrong is one that makes no sense."""
        answered: Deferred[Any] = super().dispatchCommand(box)
        return answered.addErrback(self._senseless)

    def _senseless(self, failure: Failure) -> Failure:
        if not failure.check(RemoteAmpError):
            self.unhandledError(failure)
            raise RemoteAmpError(UNKNOWN_ERROR_CODE, "It makes no sense.")
        return failure

    def unhandledError(self, failure: Failure) -> None:
        """An answer that nobody waits for, or that makes no sense."""
        self.end(f"what it sent makes no sense ({failure.type.__name__ if failure.type else ''})")

    def pauseProducing(self) -> None:
        """It does not read: do not read from it."""
        self._cancel_deadline()
        super().pauseProducing()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is over."""
        self._over = True
        self._cancel_deadline()
        super(AMP, self).connectionLost(reason)
        self.transport = None

    def close(self) -> None:
        """End it in order: what was written gets there."""
        if self._registered and not self._over:
            self._registered = False
            self.transport.unregisterProducer()  # type: ignore[union-attr]  # TLS would wait for it
        if not self._over:
            self.transport.loseConnection()  # type: ignore[union-attr]  # it is connected

    def end(self, why: str) -> None:
        """Have no more to do with it."""
        if not self._over:
            self._over = True
            self._cancel_deadline()
            self._refused(why)
            self.transport.abortConnection()  # type: ignore[union-attr]  # it is connected

    def _register(self) -> None:
        """From now on, do not read while it does not; before, TLS has to read to shake hands."""
        if not self._registered:
            self._registered = True
            self.transport.registerProducer(self, True)  # type: ignore[union-attr]  # connected

    def _look(self) -> None:
        """Whether it is in the midst of a box."""
        if self.state != "init" or self._unprocessed:
            if not self.paused:
                self._set_deadline()
        elif self._boxes:
            self._cancel_deadline()

    def _set_deadline(self) -> None:
        if self._deadline is None and self._patience is not None:
            self._deadline = self._clock.callLater(self._patience, self._late)

    def _cancel_deadline(self) -> None:
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            deadline.cancel()

    def _late(self) -> None:
        self._deadline = None
        what = "what it began" if self._boxes else "its first request"
        self.end(f"it took more than {self._patience:g} seconds for {what}")
