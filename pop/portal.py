"""The portal of an agent: where administrators of other machines come in, if they may.

See Note [Doors] in L{pop.reception}; here nobody is trusted for being there, so all that they say
goes through TLS, and the cluster's authority has to vouch for them.
"""

import os
import socket
from collections.abc import Callable
from typing import Any, Final

from twisted.internet import tcp
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IProtocolFactory
from twisted.logger import Logger

from pop.errors import NotSpawned
from pop.reception import BACKLOG
from pop.sockets import Sockets

LISTEN_AGAIN: Final = 5.0
"""Seconds until it is tried again to listen where somebody else does."""
AT_A_TIME: Final = 3
"""Who come at once: the next have to wait until those were looked at; or among many strangers
nobody would have the time to prove anything."""
ELSEWHERE: Final = "/admin"
"""What the socket is held for; no service has such a name."""


class Gateway(tcp.Port):
    """Listens on a TCP socket that somebody else holds."""

    @classmethod
    def at(cls, reactor: Any, descriptor: int, factory: IProtocolFactory) -> "Gateway":
        """Begin to listen."""
        os.set_blocking(descriptor, False)
        with socket.socket(fileno=os.dup(descriptor)) as found:
            family = found.family
        port: Gateway = cls._fromListeningDescriptor(reactor, descriptor, family, factory)
        port.backlog = BACKLOG
        port.startListening()
        return port

    def doRead(self) -> None:
        """Accept some of those who wait; Twisted would take more each time."""
        self.numberAccepts = AT_A_TIME
        super().doRead()


class Portal:
    """Listens at one address for as long as the agent lives.

    @param sockets: hold what it listens at.
    @param at: where; see L{pop.listening}.
    @param entrance: makes what lets people in, which is heavy.
    """

    _log = Logger()

    def __init__(
        self, reactor: Any, sockets: Sockets, at: str, entrance: Callable[[], IProtocolFactory]
    ) -> None:
        self._reactor = reactor
        self._sockets = sockets
        self._at = at
        self._entrance = entrance
        self._port: Gateway | None = None
        self._again: IDelayedCall | None = None
        self._said = ""

    def open(self) -> None:
        """Listen; an agent that cannot goes on with its work, and tries again."""
        self._again = None
        try:
            [held] = self._sockets.hold(ELSEWHERE, [self._at])
        except NotSpawned as error:
            self._complain(str(error).rstrip("."))
            self._again = self._reactor.callLater(LISTEN_AGAIN, self.open)
            return
        self._port = Gateway.at(self._reactor, held, self._entrance())
        self._log.info("Administrators of other machines come in at {at}.", at=self._at)

    def close(self, keep: bool) -> Deferred[Any]:
        """Let nobody in any more; fires when that is so.

        @param keep: whether the socket is left to who comes next.
        """
        if self._again is not None:
            self._again.cancel()
            self._again = None
        port, self._port = self._port, None
        if not keep:
            self._sockets.release(ELSEWHERE)
        return maybeDeferred(port.stopListening) if port else maybeDeferred(lambda: None)

    def _complain(self, reason: str) -> None:
        if reason != self._said:
            self._said = reason
            self._log.error("Nobody can come in from other machines: {reason}.", reason=reason)
