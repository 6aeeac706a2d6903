"""A TCP proxy in this process, to make trouble between a client and a real server."""

from __future__ import annotations

from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from txzookeeper.dialer import Only
from txzookeeper.hosts import parse_hosts
from txzookeeper.testing.line import Lines, Meddler
from txzookeeper.testing.process import free_ports


class Leg(Protocol):
    """A client's connection, of which the proxy keeps track until both its ends are closed."""

    transport: Any

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._beyond = Beyond(self)
        self._open: set[Protocol] = set()
        self._connecting: Deferred[Any] | None = None

    def connectionMade(self) -> None:
        """Connect on to the server."""
        self.opened(self)
        self._connecting = self._proxy.dial(self._beyond)
        self._connecting.addErrback(lambda _: self.drop())

    def dataReceived(self, data: bytes) -> None:
        """Pass it on."""
        self._beyond.send(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Hang up on the server too."""
        if self._connecting is not None:
            self._connecting.cancel()
        self._beyond.drop()
        self.closed(self)

    def drop(self) -> None:
        """Break the connection, and the one to the server."""
        self.transport.abortConnection()

    def opened(self, end: Protocol) -> None:
        """Note that one of the two ends is open."""
        self._open.add(end)
        self._proxy.legs.add(self)

    def closed(self, end: Protocol) -> None:
        """Note that one of the two ends is closed."""
        self._open.discard(end)
        if not self._open:
            self._proxy.parted(self)


class Beyond(Protocol):
    """The proxy's connection to the server, for one client."""

    transport: Any = None

    def __init__(self, leg: Leg) -> None:
        self._leg = leg
        self._early: list[bytes] = []

    def connectionMade(self) -> None:
        """Send what the client said meanwhile."""
        self._leg.opened(self)
        self.transport.writeSequence(self._early)

    def send(self, data: bytes) -> None:
        """Send it on, now or as soon as there is a connection."""
        if self.transport is None:
            self._early.append(data)
        else:
            self.transport.write(data)

    def drop(self) -> None:
        """Break the connection, if there is one."""
        if self.transport is not None:
            self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        """Pass it on."""
        self._leg.transport.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Hang up on the client too."""
        self._leg.transport.loseConnection()
        self._leg.closed(self)


class Proxy(Factory):
    """Passes everything on to one server, until it is told to break, or as its ``meddler`` likes.

    It has to be told to accept connections; its port is the same each time.
    """

    noisy = False

    def __init__(self, reactor: Any, servers: str, meddler: Meddler | None = None) -> None:
        self.legs: set[Leg] = set()
        self.lines = Lines(reactor, partial(HostnameEndpoint, reactor), meddler)
        self._reactor = reactor
        self._host = parse_hosts(servers).hosts[0]
        [self._port] = free_ports(1)
        self._listening: IListeningPort | None = None
        self._waiting: list[Deferred[None]] = []

    @property
    def servers(self) -> str:
        """Where it listens, as a client's ``servers`` argument."""
        return f"127.0.0.1:{self._port}"

    def buildProtocol(self, addr: IAddress | None) -> Leg:
        """Take a client's connection."""
        return Leg(self)

    def dial(self, beyond: Beyond) -> Deferred[Any]:
        """Connect on to the server."""
        endpoint = self.lines.endpoint(self._host.name, self._host.port)
        connecting: Deferred[Any] = endpoint.connect(Only(beyond))
        return connecting

    def parted(self, leg: Leg) -> None:
        """Forget a connection of which nothing is left."""
        self.legs.discard(leg)
        waiting, self._waiting = self._waiting, []
        for closed in waiting:
            closed.callback(None)

    def drop_connections(self) -> None:
        """Break all connections; clients may come back at once."""
        for leg in list(self.legs):
            leg.drop()

    def hold(self) -> None:
        """Let nothing through, and tell nobody; who connects now gets no answer."""
        self.lines.hold()

    def release(self) -> None:
        """Let through all that was held."""
        self.lines.release()

    def accept_connections(self) -> None:
        """Listen, always on the same port."""
        self._listening = self._reactor.listenTCP(self._port, self, interface="127.0.0.1")

    def refuse_connections(self) -> Deferred[Any]:
        """Stop listening; connections that exist go on."""
        listening, self._listening = self._listening, None
        return maybeDeferred(listening.stopListening) if listening else maybeDeferred(lambda: None)

    def close(self) -> Deferred[None]:
        """Refuse and break all connections; fires when nothing is left of them."""
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        await self.refuse_connections()
        self.drop_connections()
        self.release()
        while self.legs:
            closed: Deferred[None] = Deferred()
            self._waiting.append(closed)
            await closed
