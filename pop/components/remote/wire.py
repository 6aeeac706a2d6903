"""A connection between two frameworks: messages, each after its length, and a sign of life."""

import os
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.error import ConnectError, ConnectionDone
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.protocols.basic import Int32StringReceiver
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure

from pop.components.code import reason_of
from pop.components.outbox import Outbox
from pop.components.remote.messages import LARGEST, Nonsense, read, written

log = Logger()
PATIENCE: Final = 10.0
"""Seconds for the two ends to greet each other."""
BEAT: Final = 10.0
"""Seconds after which whoever calls says that it is still there, and is answered."""
SILENCE: Final = 35.0
"""Seconds without a word after which the other end is held to be gone."""
AT_ONCE: Final = 10_000
"""Calls of one connection that may wait for their answers."""
UNREAD: Final = 1 << 26
"""Bytes that may wait for the other end to read them."""
GREETING: Final = 4096
"""Bytes that somebody may say who has not been greeted yet."""
NOT_READ: Final = "it does not read what it is told"


def why(failure: Failure) -> str:
    """Why a connection is over, or could not be made, in words."""
    error: Any = failure.value
    if isinstance(error, ConnectionDone):
        return "the other end closed the connection"
    if isinstance(error, ConnectError) and isinstance(error.osError, int):
        return os.strerror(error.osError)
    if failure.check("OpenSSL.SSL.Error") and error.args and isinstance(error.args[0], list):
        return ", ".join(str(part[-1]) for part in error.args[0])
    return str(failure.getErrorMessage()).rstrip(".")


class Wire(Int32StringReceiver, TimeoutMixin):
    """One end: calls C{on_KIND(*members)} for each message.

    The end that is called does not read while the other does not, so that no answers pile up; some
    of what has been written has to be read within L{SILENCE} then, as no sign of life is heard
    meanwhile.
    """

    transport: Any
    MAX_LENGTH = GREETING

    def __init__(self, clock: IReactorTime) -> None:
        vars(self)["callLater"] = clock.callLater  # as TimeoutMixin wants it
        self._outbox = Outbox(lambda data: self.transport.write(data))
        self._over = False
        self._greeted = False

    def connectionMade(self) -> None:
        """Begin to wait for the greeting."""
        self.setTimeout(PATIENCE)

    def greeted(self) -> None:
        """Say and hear whatever there is to be said from now on."""
        self._greeted = True
        self.MAX_LENGTH = LARGEST
        self.setTimeout(SILENCE)
        self.transport.registerProducer(self, True)

    def dataReceived(self, data: bytes) -> None:
        """The other end is there; nobody gets more time for the greeting."""
        if not self._over:
            if self._greeted:
                self.resetTimeout()
            super().dataReceived(data)

    def stringReceived(self, data: bytes) -> None:
        """Whatever makes no sense ends the connection."""
        if self._over:
            return
        try:
            kind, members = read(data)
            heed: Callable[..., object] | None = getattr(self, f"on_{kind}", None)
            if heed is not None:
                heed(*members)
        except Exception as error:
            reason = str(error) if isinstance(error, Nonsense) else reason_of(error)
            self.end(f"what it said makes no sense ({reason})")

    def lengthLimitExceeded(self, length: int) -> None:
        """That is no message."""
        self.end(f"it said {length} bytes at once")

    def timeoutConnection(self) -> None:
        """It has not said anything for long, or does not go."""
        self.end(NOT_READ if self._outbox.crowded else "it has not said anything for too long")
        self.transport.abortConnection()

    def end(self, why: str) -> None:
        """Have no more to do with it."""
        if not self._over:
            self._over = True
            self._outbox.drop()
            log.info(
                "The connection with {peer} ends: {why}", peer=self.transport.getPeer(), why=why
            )
            self.transport.abortConnection()

    def connectionLost(self, reason: Any = None) -> None:
        """It is over."""
        self._over = True
        self.setTimeout(None)

    def say(self, what: str, kind: str, *members: Any) -> None:
        """Send a message; if it is over, nobody hears it.

        @param what: names it, if it cannot be sent.
        @raise NotPlain: its members are not.
        """
        data = written(what, [kind, *members])
        if not self._over:
            self._outbox.put(len(data).to_bytes(self.prefixLength, "big") + data)

    def pauseProducing(self) -> None:
        """For the transport: the other end is slow to read."""
        self._outbox.pause()

    def resumeProducing(self) -> None:
        """For the transport: it has read what that has had; that is a sign of life, too."""
        self.resetTimeout()
        self._outbox.resume()

    @property
    def unread(self) -> int:
        """Bytes that wait for the other end to read those before."""
        return self._outbox.size
