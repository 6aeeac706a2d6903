"""The server keeps the wire protocol, whatever the client on the other side does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from txzookeeper import constants as c
from txzookeeper.errors import (
    AuthFailedException,
    MarshallingErrorException,
    NoNodeException,
    UnimplementedException,
)
from txzookeeper.jute import decode, decode_from, encode
from txzookeeper.multi import decode_multi_response, encode_multi
from txzookeeper.permissions import ZOO_OPEN_ACL_UNSAFE
from txzookeeper.records import (
    AddWatchRequest,
    AuthRequest,
    ClientInfo,
    ConnectRequest,
    ConnectResponse,
    CreateRequest,
    Empty,
    ErrorResponse,
    ExistsRequest,
    GetChildrenRequest,
    GetChildrenResponse,
    GetDataRequest,
    ReplyHeader,
    RequestHeader,
    SetDataRequest,
    WatcherEvent,
    WhoAmIResponse,
)
from txzookeeper.test.peers import ServerTests
from txzookeeper.testing.memory import MemoryServer


class HandshakeTests(ServerTests):
    """The first packet of each side."""

    def test_time_outs(self) -> None:
        """Sessions last what the client asks for, between 2 and 20 ticks."""
        granted = [self.member(asked)[1].timeout for asked in (1, 4000, 99999, -5)]
        self.assertEqual(granted, [1000, 4000, 10000, 1000])

    def test_resumed(self) -> None:
        """Id and password resume a session on a new connection, and its old one is closed."""
        old, session = self.member()
        new = self.peer()
        again = self.greet(new, 0, 5000, session.session_id, session.password)
        self.assertEqual(again, session._replace(timeout=5000))
        self.assertEqual((old.closed, new.closed), (True, False))

    def test_refused(self) -> None:
        """A wrong password or an unknown session is answered by nothing, and a closed door."""
        _, session = self.member()
        for number, password in [(session.session_id, bytes(16)), (77, session.password)]:
            peer = self.peer()
            response = self.greet(peer, 0, 4000, number, password)
            self.assertEqual(response, ConnectResponse(0, 0, 0, bytes(16)))
            self.assertTrue(peer.closed)

    def test_from_the_future(self) -> None:
        """A client that has seen more than we have is sent away, to a server that knows more."""
        peer = self.peer()
        peer.sendString(encode(ConnectRequest(0, 99, 4000, 0, b"")))
        self.server.settle()
        self.assertEqual((peer.packets, peer.closed), ([], True))

    def test_old_client(self) -> None:
        """A client that does not send the read-only flag gets none back."""
        peer = self.peer()
        peer.sendString(encode(ConnectRequest(0, 0, 4000, 0, b""))[:-1])
        self.server.settle()
        self.assertEqual(len(peer.packets[0]), 36)


class SessionTests(ServerTests):
    """Sessions and time."""

    def test_silence(self) -> None:
        """Who is silent for the whole time-out loses session, ephemeral nodes and connection."""
        peer, session = self.member(4000)
        peer.create("/a", flags=c.EPHEMERAL)
        self.server.advance(3.9)
        self.assertIn("/a", self.server.server.tree.nodes)
        self.server.advance(0.7)
        self.assertNotIn("/a", self.server.server.tree.nodes)
        self.assertTrue(peer.closed)
        self.assertFalse(self.greet(self.peer(), 0, 4000, *session[2:4]).timeout)

    def test_stood_still(self) -> None:
        """A server that stood still hears what was said meanwhile before it ends a session."""
        peer, _ = self.member(1000)
        peer.ask(c.PING_OP, Empty(), c.PING_XID)
        self.server.clock.rightNow += 60
        self.server.settle()
        self.server.advance(0.9)
        self.assertFalse(peer.closed)
        self.server.advance(0.7)
        self.assertTrue(peer.closed)

    def test_ping(self) -> None:
        """A ping is answered, and keeps the session."""
        peer, _ = self.member(1000)
        for _ in range(10):
            peer.ask(c.PING_OP, Empty(), c.PING_XID)
            self.server.advance(0.9)
        self.assertEqual(peer.replies(), [(c.PING_XID, 0)] * 10)
        self.assertFalse(peer.closed)

    def test_outlives_its_connection(self) -> None:
        """A session whose connection broke goes on until its time-out."""
        peer, session = self.member(4000)
        peer.create("/a", flags=c.EPHEMERAL)
        self.server.settle()
        self.server.drop_connections()
        self.assertTrue(peer.closed)
        self.server.advance(3.5)
        self.assertTrue(self.greet(self.peer(), 0, 4000, *session[2:4]).timeout)
        self.assertIn("/a", self.server.server.tree.nodes)

    def test_closed(self) -> None:
        """Closing is answered, then the connection ends; what was sent after it is not done."""
        peer, _ = self.member()
        peer.create("/a", flags=c.EPHEMERAL)
        peer.ask(c.CLOSE_OP, Empty(), 2)
        peer.create("/b")
        self.server.settle()
        self.assertEqual((peer.replies(), peer.closed), ([(1, 0), (2, 0)], True))
        self.assertEqual(len(self.server.server.tree.nodes), 4)


class RequestTests(ServerTests):
    """Requests, replies and events."""

    def test_in_order(self) -> None:
        """Requests are answered in the order they came, failures among them."""
        peer, _ = self.member()
        peer.ask(c.GET_DATA_OP, GetDataRequest("/a", False), 1)
        peer.ask(c.CREATE_OP, CreateRequest("/a", b"", ZOO_OPEN_ACL_UNSAFE, 0), 2)
        peer.ask(c.GET_DATA_OP, GetDataRequest("/a", False), 3)
        self.server.settle()
        self.assertEqual(peer.replies(), [(1, NoNodeException.code), (2, 0), (3, 0)])

    def test_event_before_reply(self) -> None:
        """An event comes before the reply to whatever made it happen."""
        peer, _ = self.member()
        peer.create("/a")
        peer.ask(c.EXISTS_OP, ExistsRequest("/a", True), 2)
        peer.ask(c.SET_DATA_OP, SetDataRequest("/a", b"", -1), 3)
        self.server.settle()
        _, offset = decode_from(ReplyHeader, peer.packets[2])
        event = decode(WatcherEvent, peer.packets[2], offset)
        self.assertEqual(event, WatcherEvent(c.CHANGED_EVENT, c.CONNECTED_STATE, "/a"))
        self.assertEqual(peer.replies(), [(1, 0), (2, 0), (-1, 0), (3, 0)])

    def test_watches_go_with_the_connection(self) -> None:
        """Watches do not fire on the connection after theirs, unless they are armed again."""
        peer, session = self.member()
        peer.ask(c.EXISTS_OP, ExistsRequest("/a", True))
        self.server.settle()
        self.server.drop_connections()
        peer = self.peer()
        self.greet(peer, 0, 4000, *session[2:4])
        peer.create("/a")
        self.server.settle()
        self.assertEqual(peer.replies(), [(1, 0)])

    def test_authentication(self) -> None:
        """A digest is accepted; a scheme that nobody knows is refused, and the connection ends."""
        peer, _ = self.member()
        peer.ask(c.AUTH_OP, AuthRequest(0, "digest", b"me:secret"), c.AUTH_XID)
        peer.ask(c.AUTH_OP, AuthRequest(0, "sign", b"me"), c.AUTH_XID)
        self.server.settle()
        refused = AuthFailedException.code
        headers = [decode(ReplyHeader, packet) for packet in peer.packets]
        self.assertEqual(headers, [(c.AUTH_XID, 0, 0), (c.AUTH_XID, 0, refused)])
        self.assertTrue(peer.closed)

    def test_who(self) -> None:
        """A connection is told which identities it has."""
        peer, _ = self.member()
        peer.ask(c.AUTH_OP, AuthRequest(0, "digest", b"me:secret"), c.AUTH_XID)
        peer.ask(c.WHO_AM_I_OP, Empty())
        self.server.settle()
        _, offset = decode_from(ReplyHeader, peer.packets[1])
        self.assertEqual(
            decode(WhoAmIResponse, peer.packets[1], offset).identities,
            (ClientInfo("ip", "127.0.0.1"), ClientInfo("digest", "me")),
        )

    def test_several_reads(self) -> None:
        """Several reads are answered by one reply, part for part."""
        peer, _ = self.member()
        peer.create("/a", b"x")
        reads = [
            (c.GET_CHILDREN_OP, GetChildrenRequest("/a", False)),
            (c.GET_DATA_OP, GetDataRequest("/no", False)),
        ]
        peer.sendString(encode(RequestHeader(2, c.MULTI_READ_OP)) + encode_multi(reads))
        self.server.settle()
        _, offset = decode_from(ReplyHeader, peer.packets[1])
        self.assertEqual(
            decode_multi_response(peer.packets[1], offset),
            [
                (c.GET_CHILDREN_OP, GetChildrenResponse(())),
                (c.ERROR_OP, ErrorResponse(NoNodeException.code)),
            ],
        )


class MisbehaviourTests(ServerTests):
    """A client that misbehaves loses its own connection only."""

    def test_unknown_operation(self) -> None:
        """An operation that does not exist is answered so, at no transaction; then it ends."""
        peer, _ = self.member()
        peer.ask(77, Empty())
        self.server.settle()
        [reply] = peer.packets
        self.assertEqual(decode(ReplyHeader, reply), (1, -1, UnimplementedException.code))
        self.assertTrue(peer.closed)

    def test_truncated_request(self) -> None:
        """A request that ends too early is refused, and the next one answered.

        A write takes a transaction id all the same, and a read does not.
        """
        peer, _ = self.member()
        for operation in (c.CREATE_OP, c.MULTI_OP, c.GET_DATA_OP, c.ADD_WATCH_OP, c.MULTI_READ_OP):
            peer.sendString(encode(RequestHeader(1, operation)) + b"\0\0\0\7/a")
        peer.create("/a")
        self.server.settle()
        headers = [decode(ReplyHeader, packet) for packet in peer.packets]
        refused = MarshallingErrorException.code
        self.assertEqual([header.err for header in headers], [refused] * 5 + [0])
        self.assertEqual([header.zxid for header in headers], [2, 3, 3, 3, 3, 4])

    def test_length(self) -> None:
        """A packet longer than the limit, or of a negative length, ends the connection."""
        for length in (b"\0\x10\0\0", b"\xff\xff\xff\xff", b"ruok"):
            peer, _ = self.member()
            peer.transport.write(length + b"more")
            self.server.settle()
            self.assertTrue(peer.closed)

    def test_does_not_read(self) -> None:
        """Requests of a client that does not read its replies wait in its own connection."""
        peer, _ = self.member()
        peer.create("/big", bytes(100_000))
        self.server.settle()
        peer.transport.pauseProducing()
        for _ in range(3):
            peer.ask(c.GET_DATA_OP, GetDataRequest("/big", False))
            peer.create("/n", flags=c.SEQUENCE)
            self.server.settle()
        self.assertEqual(self.server.server.tree.nodes["/"].creates, 2)
        peer.transport.resumeProducing()
        self.server.settle()
        self.assertEqual(self.server.server.tree.nodes["/"].creates, 4)

    def test_says_nothing(self) -> None:
        """Who asks for no session within ten seconds is shown out, whatever else it says."""
        silent, slow = self.peer(), self.peer()
        member, _ = self.member(10000)
        for byte in b"\0\0\0\x2c\0\0\0\0\0":
            slow.transport.write(bytes([byte]))
            member.ask(c.PING_OP, Empty(), c.PING_XID)
            self.server.advance(1)
        self.assertEqual((silent.closed, slow.closed), (False, False))
        self.server.advance(1.5)
        self.assertEqual((silent.closed, slow.closed, member.closed), (True, True, False))

    def test_does_not_read_its_goodbye(self) -> None:
        """Who was refused and does not read that is shown out all the same."""
        peer, _ = self.member()
        peer.create("/big", bytes(100_000))
        peer.transport.pauseProducing()
        for _ in range(9):
            peer.ask(c.GET_DATA_OP, GetDataRequest("/big", False))
        peer.ask(77, Empty())
        self.server.advance(10.5)
        self.assertEqual(len(self.server.server.connections), 0)

    def test_does_not_read_events(self) -> None:
        """Who lets too many events wait loses its connection, and nobody else does."""
        watcher, _ = self.member()
        path = "/" + "x" * 500_000
        watcher.ask(c.ADD_WATCH_OP, AddWatchRequest(path, c.PERSISTENT_WATCH))
        writer, _ = self.member()
        writer.create(path)
        self.server.settle()
        watcher.transport.pauseProducing()
        for number in range(80):
            writer.ask(c.SET_DATA_OP, SetDataRequest(path, b"", -1), number)
            self.server.settle()
        watcher.transport.resumeProducing()
        self.server.settle()
        self.assertEqual((watcher.closed, writer.closed), (True, False))
        self.assertEqual(len(writer.packets), 81)

    @given(st.lists(st.binary(max_size=80), max_size=4), st.booleans())
    def test_nonsense(self, pieces: list[bytes], greets: bool) -> None:
        """Whatever somebody sends, everybody else is served."""
        self.server = MemoryServer()
        peer = self.member()[0] if greets else self.peer()
        for piece in pieces:
            peer.sendString(piece)
            peer.transport.write(piece)
        self.server.settle()
        other, _ = self.member()
        other.create("/still here")
        self.server.settle()
        self.assertEqual(other.replies(), [(1, 0)])
