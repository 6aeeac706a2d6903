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
from zope.interface import implementer

from txzookeeper.server import ZooKeeperServer
from txzookeeper.testing.wire import MemoryTransport, join

T = TypeVar("T")


class NeverFired(AssertionError):
    """Something awaited did not come, however much time passed on the clock."""


class MemoryServer:
    """A ZooKeeper whose clients reach it through memory, in a clock's time.

    A tick of 500 ms allows sessions of 1 to 10 seconds, as `RealServer` does.
    """

    servers = "memory:2181"

    def __init__(self, clock: Clock | None = None, *, tick: int = 500) -> None:
        self.clock = Clock() if clock is None else clock
        self.server = ZooKeeperServer(self.clock, tick=tick)
        self.server.doStart()
        self._refusing = False
        self._holding = False
        self._wires: list[MemoryTransport] = []
        self._waiting: list[_Attempt] = []
        self._port = 40000

    def endpoint(self, host: str, port: int) -> IStreamClientEndpoint:
        """Give the way to the server, whatever it is called."""
        return MemoryEndpoint(self)

    def drop_connections(self) -> None:
        """Break all connections; clients may come back at once."""
        self.server.drop_connections()
        self.settle()

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
        while (moment := self._next_moment(end)) is not None:
            self.clock.rightNow = moment
            self.settle()
        self.clock.rightNow = end
        self.settle()

    def run(self, work: Coroutine[Deferred[Any], Any, T] | Deferred[T], limit: float = 60.0) -> T:
        """Let time pass until the work is done, and give its result or raise its error.

        Raises `NeverFired` if it is not done after ``limit`` seconds on the clock.
        """
        done: Deferred[T] = work if isinstance(work, Deferred) else Deferred.fromCoroutine(work)
        results: list[T] = []
        failures: list[Any] = []
        done.addCallbacks(results.append, failures.append)
        end = self.clock.seconds() + limit
        self.settle()
        while not (results or failures):
            moment = self._next_moment(end)
            if moment is None:
                done.cancel()
                raise NeverFired(f"not done after {limit} seconds")
            self.clock.rightNow = moment
            self.settle()
        if failures:
            failures[0].raiseException()
        return results[0]

    def close(self) -> None:
        """Stop the server, so that its clock comes to rest."""
        self.server.doStop()
        self.settle()

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
        if client is None:
            attempt.connected.errback(ConnectionRefusedError())
            return
        server = self.server.buildProtocol(IPv4Address("TCP", "127.0.0.1", self._port))
        wire = join(self.clock, client, server, address, self._port)
        self._wires = [each for each in self._wires if each.connected] + [wire]
        attempt.connected.callback(client)

    def _next_moment(self, end: float) -> float | None:
        moments = [call.getTime() for call in self.clock.getDelayedCalls()]
        return min((moment for moment in moments if moment <= end), default=None)


class _Attempt:
    """A client's attempt to connect, which it may give up."""

    def __init__(self, server: MemoryServer, factory: IProtocolFactory) -> None:
        self.factory = factory
        self.connected: Deferred[IProtocol] = Deferred(self._given_up)
        self._server = server
        self._call = server.clock.callLater(0, server.attempted, self)

    def proceed(self) -> None:
        """Try now, unless it was given up."""
        if not self.connected.called:
            self._server.attempted(self)

    def _given_up(self, connected: Deferred[IProtocol]) -> None:
        if self._call.active():
            self._call.cancel()


@implementer(IStreamClientEndpoint)
class MemoryEndpoint:
    """The way to a `MemoryServer`."""

    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect, within the present moment of the server's clock."""
        protocolFactory.doStart()
        return _Attempt(self._server, protocolFactory).connected
