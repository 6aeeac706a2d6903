"""The tree's watches that wait once fire once, and for what they were set on."""

from __future__ import annotations

import gc
import tracemalloc

from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import constants as c
from txzookeeper.records import SetACLRequest, SetWatchesRequest
from txzookeeper.test.trees import OPEN, Someone, TreeTests, heard
from txzookeeper.watchtable import Happening, Kind, WatchTable


class WatchTests(TreeTests):
    """Watches fire once, for what they were set on."""

    def setUp(self) -> None:
        """Let somebody else make the changes."""
        super().setUp()
        self.other = Someone(self.tree)

    def test_exists(self) -> None:
        """A watch on a node that is not there tells of its creation, once."""
        self.me.exists("/a", watch=True)
        self.assertEqual(heard(self.other.create("/a")), [("created", "/a")])
        self.assertEqual(heard(self.other.set("/a", b"")), [])

    def test_data(self) -> None:
        """A watch on a node tells of a change of its data, not of its children or its ACL."""
        self.other.create("/a")
        self.me.get("/a", watch=True)
        self.me.exists("/a", watch=True)
        self.assertEqual(heard(self.other.create("/a/b")), [])
        self.assertEqual(heard(self.other.ask(c.SET_ACL_OP, SetACLRequest("/a", OPEN, -1))), [])
        self.assertEqual(heard(self.other.set("/a", b"")), [("changed", "/a")])

    def test_children(self) -> None:
        """A watch on the children tells of a child that comes or goes, not of one that changes."""
        self.other.create("/a")
        event = ("child", "/a")
        self.me.children("/a", watch=True)
        self.assertEqual(heard(self.other.create("/a/b")), [event])
        self.me.children("/a", watch=True)
        self.assertEqual(heard(self.other.set("/a/b", b"")), [])
        self.assertEqual(heard(self.other.delete("/a/b")), [event])

    def test_deletion(self) -> None:
        """Who watches a node and its children is told of its end once, and its parent's after."""
        self.other.create("/a")
        self.me.get("/a", watch=True)
        self.me.children("/a", watch=True)
        self.me.children("/", watch=True)
        self.assertEqual(heard(self.other.delete("/a")), [("deleted", "/a"), ("child", "/")])

    def test_failed_read_sets_no_watch(self) -> None:
        """A read that was refused leaves no watch behind."""
        self.me.get("/a", watch=True)
        self.me.children("/a", watch=True)
        self.assertEqual(heard(self.other.create("/a")), [])

    def test_forgotten(self) -> None:
        """The watches of a connection that is gone do not fire."""
        self.me.exists("/a", watch=True)
        self.other.exists("/a", watch=True)
        self.tree.forget_watches(self.me.id)
        made = self.other.create("/a")
        self.assertEqual((heard(made, self.me.id), len(heard(made))), ([], 1))

    def test_rearmed(self) -> None:
        """Watches armed again fire at once for what was missed since, and wait for the rest."""
        for name in ("changed", "gone", "same", "parent", "quiet"):
            self.other.create("/" + name)
        since = self.tree.zxid
        self.other.set("/changed", b"")
        self.other.delete("/gone")
        self.other.create("/parent/child")
        self.other.create("/new")
        answer = self.me.ask(
            c.SET_WATCHES_OP,
            SetWatchesRequest(
                since, ("/changed", "/gone", "/same"), ("/new", "/not"), ("/parent", "/quiet")
            ),
        )
        self.assertEqual(
            heard(answer),
            [
                ("changed", "/changed"),
                ("deleted", "/gone"),
                ("created", "/new"),
                ("child", "/parent"),
            ],
        )
        fired = [self.other.set("/same", b""), self.other.create("/not")]
        fired.append(self.other.create("/quiet/child"))
        self.assertEqual([len(answer.events) for answer in fired], [1, 1, 1])


class CostTests(SynchronousTestCase):
    """What watches cost."""

    def test_objects(self) -> None:
        """A watch is an entry in two tables, and no object of its own: a hundred thousand fit."""
        table = WatchTable()
        paths = [f"/{number}" for number in range(1000)]
        before = len(gc.get_objects())
        for path in paths:
            table.arm(Kind.NODE, path, 1)
        self.assertLess(len(gc.get_objects()) - before, 100)

    def test_nothing_is_left(self) -> None:
        """A session may wait at one path after the other for ever: what fired leaves nothing."""
        table = WatchTable()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        before, _ = tracemalloc.get_traced_memory()
        for number in range(5000):
            table.arm(Kind.NODE, f"/{number}", 1)
            table.fire(Happening(c.CREATED_EVENT, f"/{number}"))
            table.arm(Kind.CHILDREN, f"/{number}", 2)
            table.disarm(Kind.CHILDREN, f"/{number}", 2)
            table.arm(Kind.NODE, f"/{number}", number + 3)
            table.forget(number + 3)
        after, _ = tracemalloc.get_traced_memory()
        self.assertLess(after - before, 10_000)
