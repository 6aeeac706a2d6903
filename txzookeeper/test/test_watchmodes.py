"""Watches that stand: what each hears, and how they get on with those that wait once."""

from __future__ import annotations

from txzookeeper import constants as c
from txzookeeper.errors import MarshallingErrorException, NoWatcherException
from txzookeeper.records import AddWatchRequest, ErrorResponse, SetWatches2Request
from txzookeeper.test.trees import Someone, TreeTests, heard


class ModeTests(TreeTests):
    """A tree with somebody who watches and somebody who makes the changes."""

    def setUp(self) -> None:
        """Let somebody else make the changes."""
        super().setUp()
        self.other = Someone(self.tree)


class StandingTests(ModeTests):
    """Watches that stay where they are."""

    def test_standing(self) -> None:
        """A standing watch hears each change of its node and of the list of its children."""
        self.assertEqual(self.me.stand("/a").body, ErrorResponse(0))
        answers = [
            self.other.create("/a"),
            self.other.set("/a", b""),
            self.other.set("/a", b""),
            self.other.create("/a/b"),
            self.other.set("/a/b", b""),
            self.other.delete("/a/b"),
            self.other.delete("/a"),
            self.other.create("/a"),
        ]
        self.assertEqual(
            [heard(answer) for answer in answers],
            [
                [("created", "/a")],
                [("changed", "/a")],
                [("changed", "/a")],
                [("child", "/a")],
                [],
                [("child", "/a")],
                [("deleted", "/a")],
                [("created", "/a")],
            ],
        )

    def test_recursive(self) -> None:
        """A recursive watch hears of every node below, once each, and of no list of children."""
        self.me.stand("/a", recursive=True)
        answers = [
            self.other.create("/a"),
            self.other.create("/a/b"),
            self.other.create("/a/b/c"),
            self.other.set("/a/b/c", b""),
            self.other.create("/ab"),
            self.other.delete("/a/b/c"),
            self.other.delete("/a/b"),
            self.other.delete("/a"),
        ]
        self.assertEqual(
            [heard(answer) for answer in answers],
            [
                [("created", "/a")],
                [("created", "/a/b")],
                [("created", "/a/b/c")],
                [("changed", "/a/b/c")],
                [],
                [("deleted", "/a/b/c")],
                [("deleted", "/a/b")],
                [("deleted", "/a")],
            ],
        )

    def test_root(self) -> None:
        """A recursive watch on the root hears of every node, the root among them."""
        self.me.stand("/", recursive=True)
        self.assertEqual(heard(self.other.create("/a")), [("created", "/a")])
        self.assertEqual(heard(self.other.set("/", b"")), [("changed", "/")])

    def test_several_sessions(self) -> None:
        """Each session is told once of a happening, whatever watches it and others have there."""
        self.other.create("/a")
        self.other.create("/a/b")
        self.me.stand("/", recursive=True)
        self.me.stand("/a", recursive=True)
        self.me.stand("/a/b")
        self.other.get("/a/b", watch=True)
        answer = self.other.delete("/a/b")
        for someone in (self.me, self.other):
            self.assertEqual(heard(answer, someone.id), [("deleted", "/a/b")])

    def test_unknown_mode(self) -> None:
        """A mode that is none is refused, and nothing is armed."""
        answer = self.me.ask(c.ADD_WATCH_OP, AddWatchRequest("/a", 2))
        self.assert_refused(answer, MarshallingErrorException)
        self.assertEqual(heard(self.other.create("/a")), [])

    def test_connection_gone(self) -> None:
        """Standing watches go with their connection, as all watches do."""
        self.me.stand("/a")
        self.me.stand("/", recursive=True)
        self.tree.forget_watches(self.me.id)
        self.assertEqual(heard(self.other.create("/a")), [])

    def test_rearmed(self) -> None:
        """Standing watches armed again stand, and are not told of what they missed."""
        since = self.tree.zxid
        self.other.create("/a")
        self.other.create("/r")
        request = SetWatches2Request(since, (), (), ("/a",), ("/a",), ("/r",))
        answer = self.me.ask(c.SET_WATCHES2_OP, request)
        self.assertEqual(heard(answer), [("child", "/a")])
        self.assertEqual(heard(self.other.set("/a", b"")), [("changed", "/a")])
        self.assertEqual(heard(self.other.create("/a/b")), [("child", "/a")])
        self.assertEqual(heard(self.other.create("/r/s")), [("created", "/r/s")])


class CoexistenceTests(ModeTests):
    """Watches of several modes at one path."""

    def test_once_takes_the_place(self) -> None:
        """A watch that waits once, set where one stands, takes its place, as in ZooKeeper 3.8."""
        self.other.create("/a")
        self.me.stand("/a")
        self.me.get("/a", watch=True)
        self.assertEqual(heard(self.other.set("/a", b"")), [("changed", "/a")])
        self.assertEqual(heard(self.other.set("/a", b"")), [])
        self.assertEqual(heard(self.other.create("/a/b")), [("child", "/a")])
        self.assertEqual(heard(self.other.delete("/a/b")), [("child", "/a")])
        self.assertEqual(heard(self.other.delete("/a")), [("deleted", "/a")])

    def test_once_below_recursive(self) -> None:
        """A watch that waits once below a recursive one costs that one nothing."""
        self.other.create("/a")
        self.other.create("/a/b")
        self.me.stand("/a", recursive=True)
        self.me.get("/a/b", watch=True)
        self.me.children("/a/b", watch=True)
        self.assertEqual(heard(self.other.set("/a/b", b"")), [("changed", "/a/b")])
        self.assertEqual(heard(self.other.set("/a/b", b"")), [("changed", "/a/b")])
        self.assertEqual(
            heard(self.other.create("/a/b/c")), [("created", "/a/b/c"), ("child", "/a/b")]
        )
        self.assertEqual(heard(self.other.create("/a/b/d")), [("created", "/a/b/d")])

    def test_last_mode_counts(self) -> None:
        """Of two standing watches of a session at one path the last one counts."""
        self.other.create("/a")
        self.me.stand("/a", recursive=True)
        self.me.stand("/a")
        self.assertEqual(heard(self.other.create("/a/b")), [("child", "/a")])
        self.me.stand("/a", recursive=True)
        self.assertEqual(heard(self.other.delete("/a/b")), [("deleted", "/a/b")])


class RemovalTests(ModeTests):
    """Taking watches away, and asking whether there are any."""

    def test_each_kind(self) -> None:
        """Each kind is taken away alone, once; what is left goes on."""
        self.other.create("/a")
        self.me.get("/a", watch=True)
        self.me.children("/a", watch=True)
        self.assertEqual(self.me.remove_watches("/a", c.CHILD_WATCHES).error, 0)
        self.assert_refused(self.me.remove_watches("/a", c.CHILD_WATCHES), NoWatcherException)
        self.assertEqual(heard(self.other.create("/a/b")), [])
        self.assertEqual(heard(self.other.set("/a", b"")), [("changed", "/a")])
        self.assert_refused(self.me.remove_watches("/a"), NoWatcherException)

    def test_any(self) -> None:
        """Taking any away takes all, also the standing ones, but only one's own and only there."""
        self.other.create("/a")
        self.other.stand("/a")
        self.me.stand("/a", recursive=True)
        self.me.get("/", watch=True)
        self.assert_refused(self.me.remove_watches("/a/b"), NoWatcherException)
        self.assertEqual(self.me.remove_watches("/a").error, 0)
        changed = self.other.set("/a", b"")
        self.assertEqual(heard(changed), heard(changed, self.other.id))
        self.assertEqual(len(changed.events), 1)
        self.assertEqual(heard(self.other.set("/", b"")), [("changed", "/")])

    def test_half_of_a_standing_one(self) -> None:
        """A standing watch is of both kinds: half of it can be taken away."""
        self.other.create("/a")
        self.me.stand("/a")
        self.me.remove_watches("/a", c.CHILD_WATCHES)
        self.assertEqual(heard(self.other.create("/a/b")), [])
        self.assertEqual(heard(self.other.set("/a", b"")), [("changed", "/a")])
        self.me.remove_watches("/a", c.DATA_WATCHES)
        self.assertEqual(heard(self.other.set("/a", b"")), [])

    def test_check(self) -> None:
        """Asking for a watch tells whether anybody has one there, as ZooKeeper 3.8 does."""
        self.assert_refused(self.me.check_watches("/a"), NoWatcherException)
        self.me.exists("/a", watch=True)
        for someone in (self.me, self.other):
            self.assertEqual(someone.check_watches("/a").error, 0)
            self.assertEqual(someone.check_watches("/a", c.DATA_WATCHES).error, 0)
            refused = someone.check_watches("/a", c.CHILD_WATCHES)
            self.assert_refused(refused, NoWatcherException)
        self.me.stand("/r", recursive=True)
        self.assert_refused(self.me.check_watches("/r/s"), NoWatcherException)

    def test_check_nonsense(self) -> None:
        """At a path without a slash no watch can be looked for, and at the empty one none is."""
        self.me.get("", watch=True)
        self.assert_refused(self.me.check_watches(""), NoWatcherException)
        self.assert_refused(self.me.check_watches("a"), MarshallingErrorException)

    def test_unknown_kind(self) -> None:
        """A kind that is none is refused."""
        self.me.stand("/a")
        for kind in (0, 4, -1):
            self.assert_refused(self.me.check_watches("/a", kind), MarshallingErrorException)
            self.assert_refused(self.me.remove_watches("/a", kind), MarshallingErrorException)
