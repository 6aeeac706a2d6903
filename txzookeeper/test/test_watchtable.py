"""The tree's watches fire once, and for what they were set on."""

from __future__ import annotations

from txzookeeper import constants as c
from txzookeeper.records import SetACLRequest, SetWatchesRequest
from txzookeeper.test.trees import OPEN, Someone, TreeTests
from txzookeeper.tree import Answer


def heard(answer: Answer) -> tuple[tuple[int, int, str], ...]:
    """Give the session, type and path of each event."""
    return tuple(fired[:3] for fired in answer.events)


class WatchTests(TreeTests):
    """Watches fire once, for what they were set on."""

    def setUp(self) -> None:
        """Let somebody else make the changes."""
        super().setUp()
        self.other = Someone(self.tree)

    def test_exists(self) -> None:
        """A watch on a node that is not there tells of its creation, once."""
        self.me.exists("/a", watch=True)
        self.assertEqual(heard(self.other.create("/a")), ((self.me.id, c.CREATED_EVENT, "/a"),))
        self.assertEqual(heard(self.other.set("/a", b"")), ())

    def test_data(self) -> None:
        """A watch on a node tells of a change of its data, not of its children or its ACL."""
        self.other.create("/a")
        self.me.get("/a", watch=True)
        self.me.exists("/a", watch=True)
        self.assertEqual(heard(self.other.create("/a/b")), ())
        self.assertEqual(heard(self.other.ask(c.SET_ACL_OP, SetACLRequest("/a", OPEN, -1))), ())
        self.assertEqual(heard(self.other.set("/a", b"")), ((self.me.id, c.CHANGED_EVENT, "/a"),))

    def test_children(self) -> None:
        """A watch on the children tells of a child that comes or goes, not of one that changes."""
        self.other.create("/a")
        event = (self.me.id, c.CHILD_EVENT, "/a")
        self.me.children("/a", watch=True)
        self.assertEqual(heard(self.other.create("/a/b")), (event,))
        self.me.children("/a", watch=True)
        self.assertEqual(heard(self.other.set("/a/b", b"")), ())
        self.assertEqual(heard(self.other.delete("/a/b")), (event,))

    def test_deletion(self) -> None:
        """Who watches a node and its children is told of its end once, and its parent's after."""
        self.other.create("/a")
        self.me.get("/a", watch=True)
        self.me.children("/a", watch=True)
        self.me.children("/", watch=True)
        self.assertEqual(
            heard(self.other.delete("/a")),
            ((self.me.id, c.DELETED_EVENT, "/a"), (self.me.id, c.CHILD_EVENT, "/")),
        )

    def test_failed_read_sets_no_watch(self) -> None:
        """A read that was refused leaves no watch behind."""
        self.me.get("/a", watch=True)
        self.me.children("/a", watch=True)
        self.assertEqual(heard(self.other.create("/a")), ())

    def test_forgotten(self) -> None:
        """The watches of a connection that is gone do not fire."""
        self.me.exists("/a", watch=True)
        self.other.exists("/a", watch=True)
        self.tree.forget_watches(self.me.id)
        self.assertEqual(
            [session for session, _, _ in heard(self.other.create("/a"))], [self.other.id]
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
