"""A clock with UNIX sockets that exist in memory only, for any number of frameworks in a test."""

from typing import Any

from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import CannotListenError, ConnectError
from twisted.internet.interfaces import IReactorUNIX
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.test.iosim import FakeTransport, IOPump
from zope.interface import implementer


class Port:
    """A socket that is listened at."""

    def __init__(self, network: "Network", path: str, factory: Any) -> None:
        self.network = network
        self.path = path
        self.factory = factory

    def getHost(self) -> UNIXAddress:
        """Its path."""
        return UNIXAddress(self.path.encode())

    def stopListening(self) -> Deferred[None]:
        """Not any more."""
        del self.network.ports[self.path]
        return succeed(None)


class Connector:
    """An attempt to connect that is over when it begins."""

    def __init__(self, path: str) -> None:
        self.path = path

    def getDestination(self) -> UNIXAddress:
        """The path."""
        return UNIXAddress(self.path.encode())

    def stopConnecting(self) -> None:
        """It is over."""


@implementer(IReactorUNIX)
class Network(Clock):
    """Data are carried, and connections closed, by L{settle}.

    @ivar modes: of each path, with which rights it was made.
    @ivar pumps: all connections, in the order in which they were made.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ports: dict[str, Port] = {}
        self.modes: dict[str, int] = {}
        self.pumps: list[IOPump] = []

    def listenUNIX(
        self, address: Any, factory: Any, backlog: int = 50, mode: int = 0o666, wantPID: Any = 0
    ) -> Any:
        """Listen at a path."""
        if address in self.ports:
            raise CannotListenError(None, address, OSError(98, "Address already in use"))
        self.modes[address] = mode
        self.ports[address] = Port(self, address, factory)
        return self.ports[address]

    def connectUNIX(
        self, address: Any, factory: Any, timeout: float = 30, checkPID: Any = 0
    ) -> Any:
        """Connect to a path, if somebody listens there."""
        connector = Connector(address)
        factory.doStart()
        factory.startedConnecting(connector)
        if (port := self.ports.get(address)) is None:
            factory.clientConnectionFailed(connector, Failure(ConnectError(None, "nobody there")))
            return connector
        host = port.getHost()
        server, client = port.factory.buildProtocol(host), factory.buildProtocol(host)
        ends = FakeTransport(server, True, host, host), FakeTransport(client, False, host, host)
        self.pumps.append(IOPump(client, server, ends[1], ends[0], False, self))
        server.makeConnection(ends[0])
        client.makeConnection(ends[1])
        return connector

    def settle(self) -> None:
        """Carry all that is to be carried, without time going by."""
        for _ in range(1000):
            if not [pump for pump in list(self.pumps) if pump.pump(advanceClock=False)]:
                return
        raise AssertionError("they do not come to an end")

    def pass_(self, seconds: float) -> None:
        """Let time go by, a second at most each time, and carry what is to be carried."""
        while seconds > 0:
            self.advance(min(1.0, seconds))
            self.settle()
            seconds -= 1

    def cut(self) -> None:
        """Break all connections."""
        for pump in self.pumps:
            pump.serverIO.disconnecting = True
        self.settle()
