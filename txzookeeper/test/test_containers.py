"""Nodes that the server deletes in time: containers, and those with a time to live."""

from __future__ import annotations

from txzookeeper import constants as c
from txzookeeper.datanode import MAX_TTL
from txzookeeper.errors import BadArgumentsException, MarshallingErrorException, NoNodeException
from txzookeeper.jute import decode, decode_from
from txzookeeper.multi import Part
from txzookeeper.permissions import ZOO_OPEN_ACL_UNSAFE
from txzookeeper.records import (
    Create2Response,
    CreateRequest,
    CreateTTLRequest,
    DeleteRequest,
    Empty,
    ErrorResponse,
    ExistsRequest,
    ReplyHeader,
    WatcherEvent,
)
from txzookeeper.server import ZooKeeperServer
from txzookeeper.test.peers import ServerTests
from txzookeeper.test.trees import OPEN, Someone, TreeTests, heard
from txzookeeper.tree import Tree


class CreationTests(TreeTests):
    """Making them."""

    def test_container(self) -> None:
        """A container is told with its stat, which shows nothing of its nature."""
        body = self.me.create_container("/c").body
        self.assertEqual(body, Create2Response("/c", self.me.stat("/c")))
        self.assertEqual(body.stat.ephemeral_owner, 0)

    def test_ttl(self) -> None:
        """A node with a time to live is told with its stat, numbered if its flag says so."""
        body = self.me.create_ttl("/t-", 10, c.PERSISTENT_SEQUENCE_TTL).body
        self.assertEqual(body, Create2Response("/t-0000000000", self.me.stat("/t-0000000000")))
        self.assertEqual(body.stat.ephemeral_owner, 0)

    def test_request_makes_the_container(self) -> None:
        """The request makes a container, whatever the flag; the flag with another makes none."""
        for flags in (c.PERSISTENT, c.EPHEMERAL, c.CONTAINER):
            self.me.create_container(f"/c{flags}", flags)
            self.me.create(f"/c{flags}/child")
            self.me.delete(f"/c{flags}/child")
        self.me.create("/p", flags=c.CONTAINER)
        self.me.create("/p/child")
        self.me.delete("/p/child")
        self.assertEqual(self.tree.outlived(2000), ["/c0", "/c1", "/c4"])
        self.assertEqual(self.me.create_container("/n-", c.SEQUENCE).body.path, "/n-0000000004")

    def test_children(self) -> None:
        """Unlike an ephemeral node, both can have children, ephemeral ones too."""
        self.me.create_container("/c")
        self.me.create_ttl("/t", 10)
        self.assertEqual(self.me.create("/c/e", flags=c.EPHEMERAL).error, 0)
        self.assertEqual(self.me.create("/t/e", flags=c.EPHEMERAL).error, 0)

    def test_refused(self) -> None:
        """A time to live needs its request and its flag, and has a least and a longest."""
        for answer in [
            self.me.create_ttl("/t", 0),
            self.me.create_ttl("/t", -1),
            self.me.create_ttl("/t", MAX_TTL + 1),
            self.me.create_ttl("/t", 10, c.PERSISTENT),
            self.me.create_ttl("/t", -1, c.PERSISTENT),
            self.me.create_ttl("/t", 10, c.CONTAINER),
            self.me.create("/t", flags=c.PERSISTENT_TTL),
            self.me.create_container("/t", c.PERSISTENT_TTL),
        ]:
            self.assert_refused(answer, BadArgumentsException)
        self.assertEqual(self.me.create_ttl("/t", MAX_TTL).error, 0)


class EndTests(TreeTests):
    """When they go."""

    def test_container(self) -> None:
        """A container's time is over when it has had children and has none."""
        self.me.create_container("/c")
        self.assertEqual(self.tree.outlived(10**12), [])
        self.me.create("/c/a")
        self.assertEqual(self.tree.outlived(10**12), [])
        self.me.delete("/c/a")
        self.assertEqual(self.tree.outlived(0), ["/c"])
        self.me.create("/c/a")
        self.assertEqual(self.tree.outlived(10**12), [])

    def test_ttl(self) -> None:
        """Time to live counts from the last change of the data, and waits for the children."""
        self.me.create_ttl("/t", 100, now=1000)
        self.assertEqual(self.tree.outlived(1100), [])
        self.assertEqual(self.tree.outlived(1101), ["/t"])
        self.me.set("/t", b"", now=1050)
        self.assertEqual(self.tree.outlived(1101), [])
        self.me.create("/t/a", now=1100)
        self.assertEqual(self.tree.outlived(2000), [])
        self.me.delete("/t/a")
        self.assertEqual(self.tree.outlived(1151), ["/t"])

    def test_burial(self) -> None:
        """The deletion is a transaction like any other, and told to those who watch."""
        self.me.create_container("/c")
        self.me.create("/c/a")
        self.me.delete("/c/a")
        self.me.exists("/c", watch=True)
        self.me.children("/", watch=True)
        answer = self.tree.bury("/c", 2000)
        self.assertEqual(heard(answer), [("deleted", "/c"), ("child", "/")])
        self.assertEqual((self.me.stat("/").pzxid, answer.zxid), (self.tree.zxid, self.tree.zxid))
        self.assertEqual(self.tree.outlived(10**12), [])
        self.assert_refused(self.me.exists("/c"), NoNodeException)

    def test_deleted_by_others(self) -> None:
        """Who deletes one himself leaves nothing for the server to do."""
        self.me.create_ttl("/t", 10)
        self.me.delete("/t")
        self.assertEqual(self.tree.outlived(10**12), [])

    def test_kept(self) -> None:
        """A tree made from another one's nodes knows which ones will go."""
        self.me.create_container("/c")
        self.me.create("/c/a")
        self.me.create_ttl("/t", 10)
        again = Tree(self.tree.nodes.items(), self.tree.zxid)
        Someone(again).delete("/c/a")
        self.assertEqual(sorted(again.outlived(2000)), ["/c", "/t"])


class TransactionTests(TreeTests):
    """Making them in a transaction."""

    def create(self, operation: int, flags: int, *ttl: int) -> Part:
        """Give the part of a transaction that creates a node."""
        kind = CreateTTLRequest if ttl else CreateRequest
        return operation, kind(f"/{operation}.{flags}", b"", OPEN, flags, *ttl)

    def test_flags_tell(self) -> None:
        """In a transaction the flags say what comes of it; only these two are told with a stat."""
        parts = [
            self.create(c.CREATE_OP, c.CONTAINER),
            self.create(c.CREATE2_OP, c.CONTAINER),
            self.create(c.CREATE_CONTAINER_OP, c.CONTAINER),
            self.create(c.CREATE_TTL_OP, c.CONTAINER, 10),
            self.create(c.CREATE_TTL_OP, c.PERSISTENT_TTL, 10),
            self.create(c.CREATE2_OP, c.PERSISTENT),
            self.create(c.CREATE_CONTAINER_OP, c.PERSISTENT),
            self.create(c.CREATE_TTL_OP, c.EPHEMERAL, 10),
        ]
        results = self.me.multi(*parts).body
        self.assertEqual([operation for operation, _ in results], [c.CREATE2_OP] * 5 + [1] * 3)
        for _, result in results[:5]:
            self.assertEqual(result.stat, self.me.stat(result.path))
        containers = [result.path for _, result in results[:4]]
        for path in containers:
            self.me.multi(
                (c.CREATE_OP, CreateRequest(path + "/a", b"", OPEN, 0)),
                (c.DELETE_OP, DeleteRequest(path + "/a", -1)),
            )
        self.assertEqual(set(self.tree.outlived(10**9)), {*containers, "/21.5"})
        self.assertEqual(self.me.stat("/21.1").ephemeral_owner, self.me.id)

    def test_bad_time(self) -> None:
        """A time to live that is none fails its part."""
        answer = self.me.multi(self.create(c.CREATE_TTL_OP, c.PERSISTENT_TTL, 0))
        self.assertEqual(answer.body, [(-1, ErrorResponse(BadArgumentsException.code or 0))])

    def test_flag_without_time(self) -> None:
        """The flag in a request that has no time makes no sense of the whole, with a zxid of it."""
        before = self.tree.zxid
        answer = self.me.multi(
            self.create(c.CREATE_OP, c.PERSISTENT), self.create(c.CREATE_OP, c.PERSISTENT_TTL)
        )
        self.assert_refused(answer, MarshallingErrorException)
        self.assertEqual(answer.zxid, before + 1)
        self.assert_refused(self.me.exists("/1.0"), NoNodeException)


class TimeTests(ServerTests):
    """When the server looks for those that are to go."""

    def setUp(self) -> None:
        """Have a server that looks over its nodes every ten seconds, and who watches it."""
        super().setUp()
        clock = self.server.clock
        self.server.close()
        self.server.server = ZooKeeperServer(clock, tick=500, containers=10_000)
        self.server.server.doStart()
        self.watcher, _ = self.member(10_000)

    def wait(self, seconds: int) -> list[WatcherEvent]:
        """Let time pass, second by second, and give the events that came."""
        for _ in range(seconds):
            self.watcher.ask(c.PING_OP, Empty(), c.PING_XID)
            self.server.advance(1)
        packets = self.watcher.packets[:]
        self.watcher.packets.clear()
        headers = [decode_from(ReplyHeader, packet) for packet in packets]
        return [
            decode(WatcherEvent, packet, offset)
            for packet, (header, offset) in zip(packets, headers, strict=True)
            if header.xid == c.NOTIFICATION_XID
        ]

    def test_container(self) -> None:
        """An empty container is deleted when the server next looks, not when it gets empty."""
        container = CreateRequest("/c", b"", ZOO_OPEN_ACL_UNSAFE, c.CONTAINER)
        self.watcher.ask(c.CREATE_CONTAINER_OP, container)
        self.watcher.create("/c/a")
        self.wait(11)
        self.watcher.ask(c.DELETE_OP, DeleteRequest("/c/a", -1))
        self.watcher.ask(c.EXISTS_OP, ExistsRequest("/c", True))
        self.assertEqual(self.wait(8), [])
        deleted = WatcherEvent(c.DELETED_EVENT, c.CONNECTED_STATE, "/c")
        self.assertEqual(self.wait(2), [deleted])

    def test_nested(self) -> None:
        """A container whose last child is a container follows it at the next look."""
        for path in ("/c", "/c/d"):
            container = CreateRequest(path, b"", ZOO_OPEN_ACL_UNSAFE, c.CONTAINER)
            self.watcher.ask(c.CREATE_CONTAINER_OP, container)
        self.watcher.create("/c/d/e")
        self.watcher.ask(c.DELETE_OP, DeleteRequest("/c/d/e", -1))
        self.wait(10)
        self.assertIn("/c", self.server.server.tree.nodes)
        self.assertNotIn("/c/d", self.server.server.tree.nodes)
        self.wait(10)
        self.assertNotIn("/c", self.server.server.tree.nodes)

    def test_ttl(self) -> None:
        """A node with a time to live is deleted at the first look after its time."""
        request = CreateTTLRequest("/t", b"", ZOO_OPEN_ACL_UNSAFE, c.PERSISTENT_TTL, 12_000)
        self.watcher.ask(c.CREATE_TTL_OP, request)
        self.wait(19)
        self.assertIn("/t", self.server.server.tree.nodes)
        self.wait(1)
        self.assertNotIn("/t", self.server.server.tree.nodes)
