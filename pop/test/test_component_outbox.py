"""Connections whose other ends read slowly."""

from dataclasses import replace
from typing import Any

from twisted.internet.testing import StringTransportWithDisconnection
from twisted.trial.unittest import SynchronousTestCase

from pop.components.outbox import PIECE, Outbox
from pop.test import test_component_remote_doors as doors
from pop.test.remotes import endpoint
from pop.test.test_component_server import ServerCase


class Narrow(StringTransportWithDisconnection):
    """A transport that has room for one piece at a time."""

    def write(self, data: bytes) -> None:
        """Take it, and ask for no more."""
        super().write(data)
        if self.producer is not None:
            self.producer.pauseProducing()

    def abortConnection(self) -> None:
        """Close it."""
        self.loseConnection()

    def read(self) -> bytes:
        """What the other end reads now: there is room again when all has been read."""
        data: bytes = self.value()
        self.clear()
        self.io.write(data[PIECE:])
        if self.producer is not None and not data[PIECE:]:
            self.producer.resumeProducing()
        return data[:PIECE]


class OutboxTests(SynchronousTestCase):
    """What waits."""

    def setUp(self) -> None:
        self.sent: list[bytes] = []
        self.outbox = Outbox(self.send)

    def send(self, data: bytes) -> None:
        """For the outbox: that is all there was room for."""
        self.sent.append(data)
        self.outbox.pause()

    def test_order(self) -> None:
        """All is sent in its order, a piece whenever there is room; how much waits is known."""
        data = [b"a" * (2 * PIECE + 1), b"", b"b"]
        for each in data:
            self.outbox.put(each)
        self.assertEqual(PIECE + 2, self.outbox.size)
        while self.outbox.size:
            self.outbox.resume()
        self.assertEqual([PIECE, PIECE, 1, 1], [len(each) for each in self.sent])
        self.assertEqual(b"".join(data), b"".join(self.sent))

    def test_drop(self) -> None:
        """What nobody will read is not kept."""
        self.outbox.put(b"a" * PIECE * 2)
        self.outbox.drop()
        self.outbox.resume()
        self.assertEqual((0, 1), (self.outbox.size, len(self.sent)))


class CallTests(SynchronousTestCase):
    """Somebody who calls, and reads the answers slowly."""

    def setUp(self) -> None:
        self.case = doors.StrangerTests("greet")
        self.case.setUp()
        self.far = self.case.transport = Narrow()
        self.case.wire.makeConnection(self.far)
        self.far.protocol = self.case.wire
        self.case.factory.most_unread = 1_000_000
        self.case.offers.export_service(replace(endpoint("4"), methods=("later",)), self.case.echo)
        self.case.say("hello", {"pop": 1, "framework": "far"})
        self.heard = self.drain()
        for number in range(10):
            self.case.say("call", number, "4", "later", [], {})

    def drain(self) -> bytes:
        """All that waits."""
        heard = self.far.read()
        while self.case.wire.unread or self.far.value():
            heard += self.far.read()
        return heard

    def test_slowly(self) -> None:
        """Who reads all the time gets all the answers, though never all has been read: what counts
        is what waits, not what was written since. Nor is somebody held to be gone who says nothing
        but reads; and as long as something waits, no more is read from them."""
        for waiting in self.case.echo.waiting:
            waiting.callback("x" * 300_000)
            self.case.clock.advance(20)
            for _ in range(4):
                self.heard += self.far.read()
            self.assertEqual("paused", self.far.producerState)
        self.assertTrue(self.far.connected)
        self.heard += self.drain()
        self.assertEqual(3_000_000, self.heard.count(b"x") - self.heard.count(b"ex"))
        self.assertEqual("producing", self.far.producerState)
        self.far.loseConnection()

    def test_not(self) -> None:
        """Who does not read loses the connection when too much waits, and none of it is kept."""
        for waiting in self.case.echo.waiting[:4]:
            waiting.callback("x" * 300_000)
        self.assertFalse(self.far.connected)
        self.assertEqual(0, self.case.wire.unread)

    def test_closed(self) -> None:
        """What waits when it is closed in order gets there."""
        self.case.echo.waiting[0].callback("x" * 300_000)
        self.case.wire.close()
        self.assertIn(b"x" * 1000, self.far.value()[-2000:])
        self.assertFalse(self.far.connected)


class ShellTests(ServerCase):
    """Somebody at a shell who reads slowly what commands have written."""

    def setUp(self) -> None:
        super().setUp()
        self.factory.most_unread = 1_000_000
        self.protocol: Any = self.factory.buildProtocol(None)
        self.far = Narrow()
        self.far.protocol = self.protocol
        self.protocol.makeConnection(self.far)
        self.clock.advance(1)

    def test_slowly(self) -> None:
        """What counts is what waits; and none of it is lost when they leave."""
        heard = b""
        for _ in range(10):
            self.protocol._write("~" * 300_000)
            for _ in range(4):
                heard += self.far.read()
        self.assertTrue(self.far.connected)
        self.protocol.readConnectionLost()
        heard += self.far.value()
        self.assertEqual(3_000_000, heard.count(b"~"))
        self.assertFalse(self.far.connected)

    def test_not(self) -> None:
        """Who does not read is let go."""
        for _ in range(5):
            self.protocol._write("~" * 300_000)
        self.assertFalse(self.far.connected)
