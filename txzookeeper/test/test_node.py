"""A node that remembers which version of it was seen."""

from __future__ import annotations

from twisted.internet.defer import CancelledError

from txzookeeper import constants as c
from txzookeeper.errors import BadVersionException, NodeExistsException, NoNodeException
from txzookeeper.node import NodeEvent, ZNode
from txzookeeper.permissions import ZOO_OPEN_ACL_UNSAFE, make_digest_acl
from txzookeeper.retry import RetryClient
from txzookeeper.test.stage import StageTestCase


class ZNodeTests(StageTestCase):
    """One node, and its children."""

    def setUp(self) -> None:
        """Have a node that was not made through the object."""
        super().setUp()
        self.run_work(self.client.create("/a", b"1"))
        self.node = ZNode("/a", self.client)

    def test_names(self) -> None:
        """It knows its path and name."""
        node = ZNode("/a/b", self.client)
        self.assertEqual((node.path, node.name, node.version), ("/a/b", "b", -1))
        self.assertEqual(repr(node), "<ZNode /a/b>")

    def test_create(self) -> None:
        """A node is made, and known from then on at its first version."""
        node = ZNode("/b", self.client)
        self.assertIs(self.run_work(node.create(b"x")), node)
        self.assertEqual(node.version, 0)
        self.assertEqual(self.run_work(node.get_data()), b"x")
        self.assertRaises(NodeExistsException, self.run_work, node.create())

    def test_sequence(self) -> None:
        """A sequence node knows its number."""
        node = self.run_work(ZNode("/n-", self.client).create(flags=c.SEQUENCE | c.EPHEMERAL))
        self.assertEqual(node.path, "/n-0000000001")
        self.run_work(node.delete())

    def test_unseen(self) -> None:
        """A node of which nothing was seen is changed at any version."""
        self.run_work(self.client.set("/a", b"2"))
        self.assertEqual(self.run_work(self.node.set_data(b"3")).version, 2)
        self.assertEqual(self.node.version, 2)

    def test_conflict(self) -> None:
        """What was changed since it was read is not overwritten, until it is read again."""
        self.assertEqual(self.run_work(self.node.get_data()), b"1")
        self.run_work(self.client.set("/a", b"2"))
        self.assertRaises(BadVersionException, self.run_work, self.node.set_data(b"3"))
        self.assertRaises(BadVersionException, self.run_work, self.node.delete())
        self.assertEqual(self.run_work(self.node.get_data()), b"2")
        self.run_work(self.node.set_data(b"3"))
        self.run_work(self.node.set_data(b"4"))
        self.run_work(self.node.delete())
        self.assertEqual(self.node.version, -1)

    def test_exists(self) -> None:
        """A look tells the version, unless data have been read: these count."""
        stat = self.run_work(self.node.exists())
        self.assertEqual(stat and stat.version, 0)
        self.run_work(self.client.set("/a", b"2"))
        self.assertRaises(BadVersionException, self.run_work, self.node.set_data(b"3"))
        self.run_work(self.node.get_data())
        self.run_work(self.client.set("/a", b"4"))
        stat = self.run_work(self.node.exists())
        self.assertEqual(stat and stat.version, 2)
        self.assertRaises(BadVersionException, self.run_work, self.node.set_data(b"5"))
        self.assertIsNone(self.run_work(ZNode("/gone", self.client).exists()))

    def test_acl(self) -> None:
        """The ACL has a version of its own."""
        other = ZNode("/a", self.client)
        for node in (self.node, other):
            self.assertEqual(self.run_work(node.get_acl()), [*ZOO_OPEN_ACL_UNSAFE])
        self.run_work(self.node.get_data())
        self.run_work(other.set_acl(ZOO_OPEN_ACL_UNSAFE))
        refused = self.node.set_acl([make_digest_acl("u", "p")])
        self.assertRaises(BadVersionException, self.run_work, refused)
        self.run_work(other.set_acl(ZOO_OPEN_ACL_UNSAFE))
        self.run_work(self.node.set_data(b"2"))

    def test_watches(self) -> None:
        """Each watch is told what happened, and to which object."""
        _, existence = self.node.exists_and_watch()
        _, data = self.node.get_data_and_watch()
        _, children = self.node.get_children_and_watch()
        self.run_work(self.client.create("/a/b"))
        event = self.successResultOf(children)
        self.assertEqual(event, NodeEvent(c.CHILD_EVENT, c.CONNECTED_STATE, "/a", self.node))
        self.assertEqual((event.type_name, event.state_name), ("child", "connected"))
        self.assertEqual(repr(event), "<NodeEvent child at /a, connected>")
        self.run_work(self.client.set("/a", b"2"))
        for watch in (existence, data):
            self.assertEqual(self.successResultOf(watch).type_name, "changed")
        self.assertRaises(BadVersionException, self.run_work, self.node.set_data(b"3"))

    def test_cancelled_watch(self) -> None:
        """A watch that is cancelled is not kept."""
        result, watch = self.node.get_data_and_watch()
        self.run_work(result)
        watch.cancel()
        self.failureResultOf(watch, CancelledError)
        self.assertEqual(len(self.client._channel.watches), 0)

    def test_children(self) -> None:
        """Children come as nodes in their names' order, all or those with a prefix."""
        for path in ("/a/y", "/a/x2", "/a/x1"):
            self.run_work(self.client.create(path))
        children = self.run_work(self.node.get_children())
        self.assertEqual([child.path for child in children], ["/a/x1", "/a/x2", "/a/y"])
        result, watch = self.node.get_children_and_watch("x")
        self.assertEqual([child.name for child in self.run_work(result)], ["x1", "x2"])
        self.run_work(children[0].set_data(b"1"))
        self.assertNoResult(watch)
        root = self.run_work(ZNode("/", self.client).get_children("a"))
        self.assertEqual([child.path for child in root], ["/a"])

    def test_retry_client(self) -> None:
        """Its context may be a client that repeats."""
        node = ZNode("/a", RetryClient(self.client))
        self.assertEqual(self.run_work(node.get_data()), b"1")
        gone = ZNode("/gone", RetryClient(self.client))
        self.assertRaises(NoNodeException, self.run_work, gone.get_data())
