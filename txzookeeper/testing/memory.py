"""A server in memory behind the real client: no sockets, no files, and time that is given.

``MemoryServer.endpoint`` goes to the client as its ``endpoint=``, and its ``clock`` as the
``reactor=``. Then trouble is made to order: connections dropped, refused or held, sessions
expired; and a day of it passes in a moment.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

from txzookeeper.server import ZooKeeperServer
from txzookeeper.testing.wire import MemoryTransport, join

T = TypeVar("T")


class NeverFired(AssertionError):
    """Something awaited did not come, however much time passed on the clock."""


class Network:
    """A way for some clients to reach a server, which can be broken without harm to others.

    ``endpoint`` goes to the client as its argument of that name.
    """

    def __init__(self, server: ZooKeeperServer, clock: Clock) -> None:
        self.server = server
        self.clock = clock
        self._refusing = False
        self._holding = False
        self._wires: list[MemoryTransport] = []
        self._waiting: list[_Attempt] = []
        self._port = 40000

    def endpoint(self, host: str, port: int) -> IStreamClientEndpoint:
        """Give the way to the server, whatever it is called."""
        return MemoryEndpoint(self)

    @property
    def wires(self) -> list[MemoryTransport]:
        """The clients' ends of the connections that at least one side believes in."""
        return [wire for wire in self._wires if wire.open]

    def drop_connections(self) -> None:
        """Break all connections; clients may come back at once."""
        for wire in self._wires:
            wire.other.abortConnection()
        self.clock.advance(0)

    def refuse_connections(self) -> None:
        """Refuse new connections, as if no server were running there."""
        self._refusing = True

    def accept_connections(self) -> None:
        """Accept connections again."""
        self._refusing = False

    def hold(self) -> None:
        """Let nothing through, in either direction, and tell nobody: the network is cut."""
        self._holding = True
        for wire in self._wires:
            wire.hold()
            wire.other.hold()

    def release(self) -> None:
        """Let everything through that was held, and new connections too."""
        self._holding = False
        for wire in self._wires:
            wire.release()
            wire.other.release()
        waiting, self._waiting = self._waiting, []
        for attempt in waiting:
            attempt.proceed()

    def attempted(self, attempt: _Attempt) -> None:
        """Connect a client, or refuse it, or let it wait until the network is back."""
        if self._holding:
            self._waiting.append(attempt)
        elif self._refusing:
            attempt.connected.errback(ConnectionRefusedError())
        else:
            self._join(attempt)

    def _join(self, attempt: _Attempt) -> None:
        self._port += 1
        address = IPv4Address("TCP", "127.0.0.1", 2181)
        client = attempt.factory.buildProtocol(address)
        server = self.server.buildProtocol(IPv4Address("TCP", "127.0.0.1", self._port))
        if client is None or server is None:
            attempt.connected.errback(ConnectionRefusedError())
            return
        wire = join(self.clock, client, server, address, self._port)
        self._wires = [*self.wires, wire]
        attempt.connected.callback(client)


class MemoryServer(Network):
    """A ZooKeeper whose clients reach it through memory, in a clock's time.

    A tick of 500 ms allows sessions of 1 to 10 seconds, as `RealServer` does; once a tick it also
    looks for containers and nodes with a time to live that are to go.
    """

    servers = "memory:2181"

    def __init__(self, clock: Clock | None = None, *, tick: int = 500) -> None:
        clock = Clock() if clock is None else clock
        super().__init__(ZooKeeperServer(clock, tick=tick, containers=tick), clock)
        self.server.doStart()

    def network(self) -> Network:
        """Give another way to this server, for clients that are to be in trouble alone."""
        return Network(self.server, self.clock)

    def expire(self, session: int) -> None:
        """End a session (``client.client_id[0]``) as if its client had been silent too long."""
        self.server.expire(session)
        self.settle()

    def settle(self) -> None:
        """Let everything arrive that is under way, without letting time pass."""
        self.clock.advance(0)

    def advance(self, seconds: float) -> None:
        """Let time pass, stopping at every moment for which something is planned."""
        end = self.clock.seconds() + seconds
        self.settle()
        while self._step(end):
            pass
        self.clock.rightNow = end
        self.settle()

    def run(self, work: Coroutine[Deferred[Any], Any, T] | Deferred[T], limit: float = 60.0) -> T:
        """Let time pass until the work is done, and give its result or raise its error.

        Raises `NeverFired` if it is not done after ``limit`` seconds on the clock.
        """
        done: Deferred[T] = work if isinstance(work, Deferred) else Deferred.fromCoroutine(work)
        results: list[T] = []
        failures: list[Failure] = []
        done.addCallbacks(results.append, failures.append)
        end = self.clock.seconds() + limit
        self.settle()
        while not (results or failures):
            if not self._step(end):
                done.cancel()
                raise NeverFired(f"not done after {limit} seconds")
        if failures:
            failures[0].raiseException()
        return results[0]

    def close(self) -> None:
        """Stop the server, so that its clock comes to rest."""
        self.server.doStop()
        self.settle()

    def _step(self, end: float) -> bool:
        """Go on to the next moment for which something is planned, if it comes before the end."""
        moments = [call.getTime() for call in self.clock.getDelayedCalls()]
        moment = min(moments, default=end + 1)
        if moment <= end:
            self.clock.rightNow = moment
            self.settle()
        return moment <= end


class _Attempt:
    """A client's attempt to connect, which it may give up."""

    def __init__(self, network: Network, factory: IProtocolFactory) -> None:
        self.factory = factory
        self.connected: Deferred[IProtocol] = Deferred(self._given_up)
        self._network = network
        self._call = network.clock.callLater(0, network.attempted, self)

    def proceed(self) -> None:
        """Try now, unless it was given up."""
        if not self.connected.called:
            self._network.attempted(self)

    def _given_up(self, connected: Deferred[IProtocol]) -> None:
        if self._call.active():
            self._call.cancel()


@implementer(IStreamClientEndpoint)
class MemoryEndpoint:
    """The end of a `Network` that a client holds."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect, within the present moment of the clock."""
        protocolFactory.doStart()
        return _Attempt(self._network, protocolFactory).connected
