"""The tree's watches fire once, and for what they were set on."""

from __future__ import annotations

from txzookeeper import constants as c
from txzookeeper.records import (
    SetACLRequest,
    SetWatchesRequest,
)
from txzookeeper.test.trees import OPEN, Someone, TreeTests
from txzookeeper.watchtable import Fired


class WatchTests(TreeTests):
    """Watches fire once, for what they were set on."""

    def setUp(self) -> None:
        """Let somebody else make the changes."""
        super().setUp()
        self.other = Someone(self.tree)

    def test_exists(self) -> None:
        """A watch on a node that is not there tells of its creation, once."""
        self.me.exists("/a", watch=True)
        self.assertEqual(
            self.other.create("/a").events, (Fired(self.me.id, c.CREATED_EVENT, "/a"),)
        )
        self.assertEqual(self.other.set("/a", b"").events, ())

    def test_data(self) -> None:
        """A watch on a node tells of a change of its data, not of its children or its ACL."""
        self.other.create("/a")
        self.me.get("/a", watch=True)
        self.me.exists("/a", watch=True)
        self.assertEqual(self.other.create("/a/b").events, ())
        self.assertEqual(self.other.ask(c.SET_ACL_OP, SetACLRequest("/a", OPEN, -1)).events, ())
        self.assertEqual(
            self.other.set("/a", b"").events, (Fired(self.me.id, c.CHANGED_EVENT, "/a"),)
        )

    def test_children(self) -> None:
        """A watch on the children tells of a child that comes or goes, not of one that changes."""
        self.other.create("/a")
        event = Fired(self.me.id, c.CHILD_EVENT, "/a")
        self.me.children("/a", watch=True)
        self.assertEqual(self.other.create("/a/b").events, (event,))
        self.me.children("/a", watch=True)
        self.assertEqual(self.other.set("/a/b", b"").events, ())
        self.assertEqual(self.other.delete("/a/b").events, (event,))

    def test_deletion(self) -> None:
        """Who watches a node and its children is told of its end once, and its parent's after."""
        self.other.create("/a")
        self.me.get("/a", watch=True)
        self.me.children("/a", watch=True)
        self.me.children("/", watch=True)
        self.assertEqual(
            self.other.delete("/a").events,
            (Fired(self.me.id, c.DELETED_EVENT, "/a"), Fired(self.me.id, c.CHILD_EVENT, "/")),
        )

    def test_failed_read_sets_no_watch(self) -> None:
        """A read that was refused leaves no watch behind."""
        self.me.get("/a", watch=True)
        self.me.children("/a", watch=True)
        self.assertEqual(self.other.create("/a").events, ())

    def test_forgotten(self) -> None:
        """The watches of a connection that is gone do not fire."""
        self.me.exists("/a", watch=True)
        self.other.exists("/a", watch=True)
        self.tree.forget_watches(self.me.id)
        self.assertEqual(
            [fired.session for fired in self.other.create("/a").events], [self.other.id]
        )

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
            [(fired.type, fired.path) for fired in answer.events],
            [
                (c.CHANGED_EVENT, "/changed"),
                (c.DELETED_EVENT, "/gone"),
                (c.CREATED_EVENT, "/new"),
                (c.CHILD_EVENT, "/parent"),
            ],
        )
        fired = [self.other.set("/same", b""), self.other.create("/not")]
        fired.append(self.other.create("/quiet/child"))
        self.assertEqual([len(answer.events) for answer in fired], [1, 1, 1])
