"""One connection, spoken to by a scripted server over a string transport."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import constants as c
from txzookeeper.call import Call, nothing
from txzookeeper.errors import (
    AuthFailedException,
    ClosingException,
    ConnectionException,
    ConnectionLossException,
    NoNodeException,
    NonsensePacketError,
    NotReadOnlyException,
    OversizedPacketError,
    TruncatedPacketError,
)
from txzookeeper.jute import decode, encode, reader
from txzookeeper.protocol import ZookeeperProtocol
from txzookeeper.records import (
    AuthRequest,
    ConnectRequest,
    ConnectResponse,
    GetChildrenResponse,
    ReplyHeader,
    RequestHeader,
    WatcherEvent,
)
from txzookeeper.statistics import Statistics

HELLO = ConnectRequest(0, 5, 4000, 0, bytes(16))
WELCOME = ConnectResponse(0, 3000, 7, b"secret")


def packet(*records: Any) -> bytes:
    """Give the bytes of one packet."""
    body = b"".join(each if isinstance(each, bytes) else encode(each) for each in records)
    return len(body).to_bytes(4, "big") + body


class CountingTransport(StringTransport):
    """A transport that knows how often it was written to, and ends when it is told to."""

    def __init__(self, protocol: ZookeeperProtocol) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self._protocol = protocol

    def write(self, data: bytes) -> None:
        """Note the write."""
        self.writes.append(data)

    def abortConnection(self) -> None:
        """End at once."""
        if not self.disconnecting:
            super().abortConnection()
            self._protocol.connectionLost(Failure(ConnectionLost()))


class ProtocolTestCase(SynchronousTestCase):
    """A connection whose other end is the test."""

    def setUp(self) -> None:
        """Make a connection, before its handshake."""
        self.clock = Clock()
        self.events: list[WatcherEvent] = []
        self.statistics = Statistics()
        self.protocol = ZookeeperProtocol(
            self.clock, self.clock.seconds, HELLO, self.events.append, self.statistics, 1000
        )
        self.transport = CountingTransport(self.protocol)
        self.protocol.makeConnection(self.transport)

    def welcome(self) -> None:
        """Go through the handshake."""
        self.clock.advance(0)
        self.transport.writes.clear()
        self.protocol.dataReceived(packet(WELCOME))
        self.successResultOf(self.protocol.established)

    def call(self, path: str = "/a") -> Call[GetChildrenResponse]:
        """Send a call."""
        call: Call[GetChildrenResponse] = Call(8, path, b"body", reader(GetChildrenResponse))
        self.protocol.send(call)
        return call

    def answer(self, xid: int, *names: str) -> bytes:
        """Give the packet of an answer."""
        return packet(ReplyHeader(xid, xid * 10, 0), GetChildrenResponse(names))

    def ended_with(self, kind: type[Exception]) -> Exception:
        """Require that the connection was given up for this kind of reason."""
        reason = self.successResultOf(self.protocol.closed)
        self.assertIsInstance(reason, kind)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        return reason


class HandshakeTests(ProtocolTestCase):
    """The first packets."""

    def test_hello(self) -> None:
        """The client speaks first, and gives the server's answer."""
        self.clock.advance(0)
        self.assertEqual(self.transport.writes, [packet(HELLO)])
        self.protocol.dataReceived(packet(WELCOME))
        self.assertEqual(self.successResultOf(self.protocol.established), WELCOME)

    def test_lost(self) -> None:
        """A connection that ends before the handshake fails it."""
        self.protocol.connectionLost()
        self.failureResultOf(self.protocol.established, ConnectionException)
        self.ended_with(ConnectionException)

    def test_refused(self) -> None:
        """A server that answers the first packet with an error is understood."""
        self.protocol.dataReceived(packet(ReplyHeader(0, 0, -119)))
        self.failureResultOf(self.protocol.established, NotReadOnlyException)

    def test_nonsense(self) -> None:
        """A server of another protocol is told by its first bytes."""
        self.protocol.dataReceived(b"HTTP/1.1 400 Bad Request\r\n")
        self.failureResultOf(self.protocol.established, OversizedPacketError)
        self.ended_with(OversizedPacketError)


class CallTests(ProtocolTestCase):
    """Requests and replies."""

    def setUp(self) -> None:
        """Shake hands."""
        super().setUp()
        self.welcome()

    def test_one_write(self) -> None:
        """What is sent in one turn leaves in one write, in order."""
        for _ in range(3):
            self.call()
        self.assertEqual(self.transport.writes, [])
        self.clock.advance(0)
        expected = b"".join(packet(RequestHeader(xid, 8), b"body") for xid in (1, 2, 3))
        self.assertEqual(self.transport.writes, [expected])

    def call_again(self, _: object) -> None:
        """Send a further call."""
        self.call()

    def test_answered_from_a_callback(self) -> None:
        """What callbacks of one delivery send leaves in one write, at its end."""
        for call in (self.call(), self.call()):
            call.deferred.addCallback(self.call_again)
        self.clock.advance(0)
        self.transport.writes.clear()
        self.protocol.dataReceived(self.answer(1) + self.answer(2))
        self.assertEqual(len(self.transport.writes), 1)
        self.clock.advance(0)
        self.assertEqual(len(self.transport.writes), 1)

    def test_matched(self) -> None:
        """Replies find their calls, and the last transaction is remembered."""
        first, second = self.call(), self.call()
        self.protocol.dataReceived(self.answer(1, "x") + self.answer(2, "y"))
        self.assertEqual(self.successResultOf(first.deferred).children, ("x",))
        self.assertEqual(self.successResultOf(second.deferred).children, ("y",))
        self.assertEqual(self.protocol.last_zxid, 20)

    def test_refused(self) -> None:
        """An error's code becomes its exception, with the path."""
        call = self.call("/gone")
        self.protocol.dataReceived(packet(ReplyHeader(1, 1, NoNodeException.code)))
        self.assertEqual(self.failureResultOf(call.deferred, NoNodeException).value.path, "/gone")

    def test_cancelled(self) -> None:
        """A cancelled call's reply is swallowed, and the next one still finds its call."""
        first, second = self.call(), self.call()
        first.deferred.addErrback(lambda _: None).cancel()
        self.protocol.dataReceived(self.answer(1, "x") + self.answer(2, "y"))
        self.assertEqual(self.successResultOf(second.deferred).children, ("y",))

    def test_raising_callback(self) -> None:
        """A callback that raises disturbs nobody else."""
        first, second = self.call(), self.call()
        first.deferred.addCallback(lambda _: 1 / 0)
        self.protocol.dataReceived(self.answer(1) + self.answer(2))
        self.failureResultOf(first.deferred, ZeroDivisionError)
        self.successResultOf(second.deferred)

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.integers(1, 40), max_size=20))
    def test_any_fragments(self, cuts: list[int]) -> None:
        """However the bytes are cut, the packets come out."""
        self.setUp()
        calls = [self.call(), self.call(), self.call()]
        data = self.answer(1, "x") + packet(ReplyHeader(c.PING_XID, 9, 0)) + self.answer(2, "y")
        data += packet(ReplyHeader(-1, -1, 0), WatcherEvent(3, 3, "/a")) + self.answer(3, "z")
        for cut in cuts:
            self.protocol.dataReceived(data[:cut])
            data = data[cut:]
        self.protocol.dataReceived(data)
        found = [self.successResultOf(call.deferred).children for call in calls]
        self.assertEqual(found, [("x",), ("y",), ("z",)])
        self.assertEqual(self.events, [WatcherEvent(3, 3, "/a")])

    def test_lost(self) -> None:
        """What is in flight when the connection breaks fails, and says why."""
        call = self.call()
        self.protocol.connectionLost(Failure(ConnectionLost("gone")))
        error = self.failureResultOf(call.deferred, ConnectionLossException).value
        self.assertIn("The connection broke", str(error))
        self.ended_with(ConnectionException)

    def test_xid_wraps(self) -> None:
        """After the largest number the smallest follows."""
        self.protocol._xid = 0x7FFFFFFF
        call = self.call()
        self.protocol.dataReceived(self.answer(1))
        self.successResultOf(call.deferred)

    def test_auth(self) -> None:
        """Replies to credentials find their callers beside the queue of calls."""
        good = self.protocol.authenticate(AuthRequest(0, "digest", b"u:p"))
        bad = self.protocol.authenticate(AuthRequest(0, "bogus", b""))
        refusal = packet(ReplyHeader(c.AUTH_XID, 0, AuthFailedException.code))
        self.protocol.dataReceived(packet(ReplyHeader(c.AUTH_XID, 0, 0)) + refusal)
        self.successResultOf(good)
        self.failureResultOf(bad, AuthFailedException)


class NonsenseTests(ProtocolTestCase):
    """A server that does not keep to the protocol loses its connection."""

    def setUp(self) -> None:
        """Shake hands and have a call in flight."""
        super().setUp()
        self.welcome()
        self.sent = self.call()

    def refused(self, data: bytes, kind: type[Exception]) -> None:
        """Require that these bytes end the connection."""
        self.protocol.dataReceived(data)
        self.ended_with(kind)
        self.assertTrue(self.transport.disconnecting)
        self.failureResultOf(self.sent.deferred, ConnectionLossException)
        self.protocol.dataReceived(self.answer(1))

    def test_oversized(self) -> None:
        """A packet beyond the limit is refused from its length alone."""
        self.refused((1001).to_bytes(4, "big"), OversizedPacketError)

    def test_negative(self) -> None:
        """A packet of negative length is nonsense."""
        self.refused(b"\xff\xff\xff\xff", NonsensePacketError)

    def test_truncated(self) -> None:
        """A packet that ends within its header or body is refused."""
        self.refused(packet(bytes(15)), TruncatedPacketError)

    def test_truncated_body(self) -> None:
        """A reply whose body ends too early fails its call too."""
        self.refused(packet(ReplyHeader(1, 1, 0)), TruncatedPacketError)

    def test_unknown_call(self) -> None:
        """An answer to a call that was never made is nonsense."""
        self.refused(self.answer(2), NonsensePacketError)

    @settings(max_examples=100, deadline=None)
    @given(st.binary(max_size=200), st.booleans())
    def test_arbitrary(self, data: bytes, framed: bool) -> None:
        """Whatever comes, it never raises, and ends only with a named error."""
        self.setUp()
        self.sent.deferred.addErrback(lambda _: None)
        self.protocol.dataReceived(packet(data) if framed else data)
        if self.transport.disconnecting:
            self.ended_with(ConnectionException)


class SilenceTests(ProtocolTestCase):
    """Pings and the read time-out."""

    def setUp(self) -> None:
        """Shake hands and keep the connection alive."""
        super().setUp()
        self.welcome()
        self.protocol.keep_alive(1.0, 2.0, 3.0)

    def pings(self) -> int:
        """Count the pings sent since last asked."""
        self.clock.advance(0)
        ping = packet(RequestHeader(c.PING_XID, c.PING_OP))
        count = b"".join(self.transport.writes).count(ping)
        self.transport.writes.clear()
        return count

    def test_pings(self) -> None:
        """A server that answers is pinged at the interval, for ever."""
        self.pings()
        for _ in range(10):
            self.clock.advance(1.0)
            self.assertEqual(self.pings(), 1)
            self.protocol.dataReceived(packet(ReplyHeader(c.PING_XID, 1, 0)))
        self.assertNoResult(self.protocol.closed)

    def test_silence(self) -> None:
        """A silent server is given up after two thirds of the session, not later."""
        self.clock.advance(0.5)
        self.protocol.dataReceived(packet(ReplyHeader(c.PING_XID, 1, 0)))
        self.clock.pump([0.1] * 19)
        self.assertNoResult(self.protocol.closed)
        self.clock.advance(0.11)
        self.assertIn("silent for 2.0 s", str(self.ended_with(ConnectionException)))

    def test_late_answers(self) -> None:
        """A server whose answers come late is given up before the session may be over."""
        self.pings()
        for _ in range(14):
            self.clock.advance(0.2)
            event = packet(ReplyHeader(-1, -1, 0), WatcherEvent(3, 3, "/a"))
            self.protocol.dataReceived(event)
        self.assertNoResult(self.protocol.closed)
        self.clock.advance(0.2)
        self.assertIn("nothing of the last 3.0", str(self.ended_with(ConnectionException)))


class ClosingTests(ProtocolTestCase):
    """The end of a session."""

    def setUp(self) -> None:
        """Shake hands, have a call in flight, and close."""
        super().setUp()
        self.welcome()
        self.sent = self.call()
        self.protocol.keep_alive(1.0, 2.0, 3.0)
        self.protocol.close(ClosingException, 1.0)

    def test_farewell(self) -> None:
        """The server is told, what is in flight fails, and its answer ends the connection."""
        self.failureResultOf(self.sent.deferred, ClosingException)
        last = b"".join(self.transport.writes)[-8:]
        self.assertEqual(decode(RequestHeader, last), RequestHeader(2, c.CLOSE_OP))
        self.protocol.dataReceived(self.answer(1) + packet(ReplyHeader(2, 1, 0)))
        self.assertTrue(self.transport.disconnecting)
        self.protocol.connectionLost()
        self.ended_with(ConnectionException)

    def test_silent(self) -> None:
        """A server that does not answer does not keep the client."""
        self.failureResultOf(self.sent.deferred, ClosingException)
        self.clock.advance(1.0)
        self.ended_with(ConnectionException)


class EmptyAnswerTests(ProtocolTestCase):
    """Replies without a body."""

    def test_nothing(self) -> None:
        """An empty reply gives None."""
        self.welcome()
        call: Call[None] = Call(2, "/a", b"", nothing)
        done: Deferred[None] = call.deferred
        self.protocol.send(call)
        self.protocol.dataReceived(packet(ReplyHeader(1, 1, 0)))
        self.assertIsNone(self.successResultOf(done))
