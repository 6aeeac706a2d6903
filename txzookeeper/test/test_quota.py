"""What is below a node with a quota is counted."""

from __future__ import annotations

from txzookeeper import constants as c
from txzookeeper.durable import DurableTree
from txzookeeper.records import CreateRequest, DeleteRequest, SetDataRequest
from txzookeeper.store import blank
from txzookeeper.test.trees import OPEN, Someone, TreeTests

BEGUN = b"count=0,bytes=0"


class QuotaTests(TreeTests):
    """A tree in which ``/a`` is to have a quota."""

    def setUp(self) -> None:
        super().setUp()
        self.durable = self.tree = DurableTree(blank(b""), 0)
        self.me = Someone(self.tree)
        self.me.create("/a", b"123")

    def limit(self, path: str) -> None:
        """Give a node a quota, as clients do."""
        place = ""
        for name in path[1:].split("/"):
            place += f"/{name}"
            self.me.create(f"/zookeeper/quota{place}")
        self.me.create(f"/zookeeper/quota{path}/zookeeper_limits", b"count=1,bytes=-1")
        self.me.create(f"/zookeeper/quota{path}/zookeeper_stats", BEGUN)

    def usage(self, path: str) -> bytes | None:
        """Give what is told of a node's usage."""
        place = f"/zookeeper/quota{path}/zookeeper_stats"
        data: bytes | None = self.me.get(place).body.data
        return data

    def test_what_is_there(self) -> None:
        """What is there when the quota begins is counted, the node itself included."""
        self.me.create("/a/b", None)
        self.me.create("/a/b/c", b"4")
        self.me.create("/ab", b"beside")
        self.limit("/a")
        self.assertEqual(self.usage("/a"), b"count=3,bytes=4")

    def test_what_changes(self) -> None:
        """What is made, set and deleted counts, and neither version nor transaction tell of it."""
        self.limit("/a")
        self.me.create("/a/b", b"12345")
        self.assertEqual(self.usage("/a"), b"count=2,bytes=8")
        self.me.set("/a/b", None)
        self.assertEqual(self.usage("/a"), b"count=2,bytes=3")
        self.me.delete("/a/b")
        self.assertEqual(self.usage("/a"), b"count=1,bytes=3")
        stat = self.me.stat("/zookeeper/quota/a/zookeeper_stats")
        self.assertEqual((stat.version, stat.mzxid), (0, stat.czxid))

    def test_transaction(self) -> None:
        """A transaction counts as a whole, or not at all."""
        self.limit("/a")
        good = (c.CREATE_OP, CreateRequest("/a/b", b"1", OPEN, 0))
        again = (c.SET_DATA_OP, SetDataRequest("/a/b", b"12", -1))
        self.me.multi(good, again)
        self.assertEqual(self.usage("/a"), b"count=2,bytes=5")
        self.me.multi(again, (c.DELETE_OP, DeleteRequest("/none", -1)))
        self.assertEqual(self.usage("/a"), b"count=2,bytes=5")

    def test_session(self) -> None:
        """Ephemeral nodes count as long as they are there."""
        self.limit("/a")
        self.me.create("/a/e", b"1", flags=c.EPHEMERAL)
        self.me.create("/a/e2", b"1", flags=c.EPHEMERAL)
        self.me.delete("/a/e2")
        self.assertEqual(self.usage("/a"), b"count=2,bytes=4")

    def test_nearest(self) -> None:
        """The nearest quota counts."""
        self.me.create("/a/b")
        self.limit("/a")
        self.limit("/a/b")
        self.me.create("/a/b/c", b"1")
        self.assertEqual(
            (self.usage("/a"), self.usage("/a/b")), (b"count=2,bytes=3", b"count=2,bytes=1")
        )

    def test_no_limits(self) -> None:
        """Without limits nothing is counted any more, and what is no count stays as it is."""
        self.limit("/a")
        self.me.delete("/zookeeper/quota/a/zookeeper_limits")
        self.me.create("/a/b")
        self.assertEqual(self.usage("/a"), b"count=1,bytes=3")
        self.limit("/a")
        self.me.set("/zookeeper/quota/a/zookeeper_stats", b"mine")
        self.me.delete("/a/b")
        self.assertEqual(self.usage("/a"), b"mine")

    def test_gone(self) -> None:
        """What has a quota may go and come back."""
        self.limit("/a")
        self.me.delete("/a")
        self.assertEqual(self.usage("/a"), b"count=0,bytes=0")
        self.me.create("/a", b"x")
        self.assertEqual(self.usage("/a"), b"count=1,bytes=1")

    def test_saved(self) -> None:
        """The counts are saved and undone together with what they count."""
        self.limit("/a")
        self.durable.saved()
        self.me.create("/a/b")
        self.assertIn("/zookeeper/quota/a/zookeeper_stats", self.durable.unsaved().nodes)
        self.durable.undo()
        self.assertEqual(self.usage("/a"), b"count=1,bytes=3")
