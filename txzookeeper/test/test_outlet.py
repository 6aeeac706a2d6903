"""What is put into an outlet arrives whole and in order, whatever the socket takes at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from txzookeeper.outlet import Outlet
from txzookeeper.statistics import Statistics


class Receiver(Protocol):
    """Takes everything, once it is told to."""

    transport: Any

    def __init__(self) -> None:
        self.opened: Deferred[None] = Deferred()
        self.over: Deferred[bytes] = Deferred()
        self._received: list[bytes] = []

    def connectionMade(self) -> None:
        """Read nothing at first."""
        self.transport.pauseProducing()
        self.opened.callback(None)

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self._received.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Give everything."""
        self.over.callback(b"".join(self._received))


class SocketTests(TestCase):
    """A real socket, whose other end reads when it likes."""

    timeout = 30

    async def setUp(self) -> None:  # type: ignore[override]
        """Connect both ends."""
        from twisted.internet import reactor as any_reactor

        reactor: Any = any_reactor
        self.receiver = Receiver()
        listening = reactor.listenTCP(
            0, Factory.forProtocol(lambda: self.receiver), interface="127.0.0.1"
        )
        self.addCleanup(listening.stopListening)
        made: Deferred[Protocol] = Deferred()
        factory = _Client(made)
        reactor.connectTCP("127.0.0.1", listening.getHost().port, factory)
        self.sender: Any = await made
        await self.receiver.opened
        self.statistics = Statistics()
        self.outlet = _Telling(reactor, reactor.seconds, self.statistics)
        self.outlet.open(self.sender.transport)

    async def finish(self) -> bytes:
        """Let the other end read all that was sent, and give it."""
        self.sender.transport.loseConnection()
        self.receiver.transport.resumeProducing()
        return await self.receiver.over

    async def test_small(self) -> None:
        """Packets leave in the order in which they were put."""
        for number in range(100):
            self.outlet.put(b"%03d" % number, b".")
            if number % 7 == 0:
                self.outlet.flush()
        self.outlet.flush()
        self.assertEqual(await self.finish(), b"".join(b"%03d." % number for number in range(100)))
        self.assertEqual(self.statistics.bytes_sent, 400)

    async def test_blocked(self) -> None:
        """More than the socket takes waits for it, and what comes later waits behind it."""
        sent = [bytes([number % 251]) * 100_000 for number in range(150)]
        for packet in sent:
            self.outlet.put(packet)
            self.outlet.flush()
        self.assertEqual(await self.finish(), b"".join(sent))

    async def test_free_again(self) -> None:
        """Once the socket has taken everything, packets go straight to it again."""
        big = b"x" * 15_000_000
        self.outlet.put(big)
        self.outlet.flush()
        self.assertIsNotNone(self.sender.transport.producer)
        self.receiver.transport.resumeProducing()
        await self.outlet.free
        self.assertIsNone(self.sender.transport.producer)
        self.outlet.put(b"y")
        self.outlet.flush()
        self.assertEqual(await self.finish(), big + b"y")

    async def test_broken(self) -> None:
        """Writing to a connection that is gone is the transport's affair, and ends it."""
        self.receiver.transport.abortConnection()
        await self.receiver.over
        for _ in range(3):
            self.outlet.put(b"x" * 1000)
            self.outlet.flush()
        await self.sender.over
        self.outlet.close()
        self.outlet.put(b"x")


class TurnTests(SynchronousTestCase):
    """When things leave."""

    def setUp(self) -> None:
        """Make an outlet over a transport that is no socket."""
        self.clock, self.transport = Clock(), StringTransport()
        self.outlet = Outlet(self.clock, self.clock.seconds, Statistics())
        self.outlet.open(self.transport)

    def test_one_turn(self) -> None:
        """What one turn has to say leaves together, when the turn is over."""
        self.outlet.put(b"a")
        self.outlet.put(b"b", b"c")
        self.assertEqual(self.transport.value(), b"")
        self.clock.advance(0)
        self.assertEqual(self.transport.value(), b"abc")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_held(self) -> None:
        """Held, it waits for the flush, and plans nothing."""
        self.outlet.hold()
        self.outlet.put(b"a")
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.outlet.flush()
        self.assertEqual(self.transport.value(), b"a")

    def test_began(self) -> None:
        """It knows since when the packets have been waiting."""
        self.clock.advance(5)
        self.outlet.put(b"a")
        self.clock.rightNow = 6.0
        self.outlet.put(b"b")
        self.assertEqual(self.outlet.began_at, 5.0)
        self.outlet.flush()
        self.outlet.put(b"c")
        self.assertEqual(self.outlet.began_at, 6.0)

    def test_closed(self) -> None:
        """Closed, it writes nothing and leaves nothing behind."""
        self.outlet.put(b"a")
        self.outlet.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.transport.value(), b"")


class _Client(Factory):
    """Makes the sender."""

    noisy = False

    def __init__(self, made: Deferred[Protocol]) -> None:
        self._made = made

    def startedConnecting(self, connector: object) -> None:
        """Be called by the reactor."""

    def clientConnectionLost(self, connector: object, reason: Failure) -> None:
        """Be called by the reactor."""

    def buildProtocol(self, addr: object) -> Protocol:
        """Make it, and tell when it is connected."""
        return _Sender(self._made)


class _Telling(Outlet):
    """Tells when the socket has taken everything."""

    def __init__(self, clock: Any, now: Callable[[], float], statistics: Statistics) -> None:
        super().__init__(clock, now, statistics)
        self.free: Deferred[None] = Deferred()

    def resumeProducing(self) -> None:
        blocked = self._blocked
        super().resumeProducing()
        if blocked and not self.free.called:
            self.free.callback(None)


class _Sender(Protocol):
    def __init__(self, made: Deferred[Protocol]) -> None:
        self._made = made
        self.over: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        self._made.callback(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.over.callback(None)
