"""A TCP proxy in this process, to make trouble between a client and a real server."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorTCP
from twisted.internet.protocol import connectionDone
from twisted.protocols.portforward import ProxyFactory, ProxyServer
from twisted.python.failure import Failure

from txzookeeper.hosts import parse_hosts


class Leg(ProxyServer):
    """A client's connection, of which the proxy keeps track so that it can be cut."""

    factory: Proxy
    transport: Any
    reactor: Any

    def connectionMade(self) -> None:
        """Connect on to the server."""
        self.reactor = self.factory.reactor
        self.factory.legs.add(self)
        super().connectionMade()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Hang up on the server too."""
        self.factory.legs.discard(self)
        super().connectionLost(reason)


class Proxy(ProxyFactory):
    """Passes everything on to one server, until it is told to break."""

    noisy = False
    reactor: Any

    def __init__(self, reactor: IReactorTCP, servers: str) -> None:
        self.reactor = reactor
        self.legs: set[Leg] = set()
        super().__init__(*parse_hosts(servers).hosts[0])
        self._number = 0
        self._listening: IListeningPort | None = None

    @property
    def servers(self) -> str:
        """Where it listens, as a client's ``servers`` argument."""
        return f"127.0.0.1:{self._number}"

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Take a client's connection."""
        leg = Leg()
        leg.factory = self
        return leg

    def drop_connections(self) -> None:
        """Break all connections; clients may come back at once."""
        for leg in list(self.legs):
            leg.transport.abortConnection()

    def accept_connections(self) -> None:
        """Listen, always on the same port."""
        listening: Any = self.reactor.listenTCP(self._number, self, interface="127.0.0.1")
        self._listening = listening
        self._number = listening.getHost().port

    def refuse_connections(self) -> Deferred[Any]:
        """Stop listening; connections that exist go on."""
        listening, self._listening = self._listening, None
        return maybeDeferred(listening.stopListening) if listening else maybeDeferred(lambda: None)
