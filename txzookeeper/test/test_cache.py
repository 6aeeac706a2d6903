"""Nodes in memory, and what is told of them."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from txzookeeper.cache import Cache, CachedNode, Change, Kind, is_within, join, split
from txzookeeper.records import Stat

ZERO = Stat(*[0] * len(Stat._fields))


def node(data: bytes = b"", czxid: int = 1, mzxid: int = 1) -> CachedNode:
    """Make one."""
    return CachedNode(data, ZERO._replace(czxid=czxid, mzxid=mzxid))


class PathTests(SynchronousTestCase):
    """Paths of parents and children."""

    def test_join_and_split(self) -> None:
        """They undo each other, also below the root."""
        for path, parent, name in (("/a/b", "/a", "b"), ("/a", "/", "a")):
            self.assertEqual((join(parent, name), split(path)), (path, (parent, name)))

    def test_within(self) -> None:
        """A path is within itself and those above it, not within others that begin like it."""
        for above in ("/a/b", "/a", "/"):
            self.assertTrue(is_within("/a/b", above))
        for other in ("/a/b/c", "/a/bc", "/b", "/a/"[:-1] + "b"):
            self.assertFalse(is_within("/a/b", other))


class CacheTests(SynchronousTestCase):
    """Nodes by path, and those who are told."""

    def setUp(self) -> None:
        """Have some nodes, and somebody who is told."""
        self.cache = Cache()
        self.told: list[tuple[str, str]] = []
        for path in ("/a", "/a/b", "/a/b/c", "/a/d"):
            self.cache.put(path, node())

    def tell(self, change: Change) -> None:
        """Note what is told."""
        self.told.append((change.kind.value, change.path))

    def test_reading(self) -> None:
        """Nodes are found by their paths and as children of their parents, in order."""
        self.assertEqual((len(self.cache), list(self.cache)[1:3]), (4, ["/a/b", "/a/b/c"]))
        self.assertEqual(self.cache.children("/a"), ("b", "d"))
        self.assertEqual((self.cache.children("/a/d"), self.cache.children("/x")), ((), ()))
        self.assertEqual((self.cache.get("/a/b"), self.cache.get("/x")), (node(), None))

    def test_joining(self) -> None:
        """Who joins is told of what is there, parents first, and then of changes."""
        self.cache.join(self.tell)
        self.assertEqual(self.told, [("added", path) for path in self.cache])
        self.told.clear()
        self.cache.put("/a/d", node(b"1", 1, 2))
        self.cache.put("/a/e", node())
        self.cache.remove("/a/b")
        self.cache.remove("/x")
        expected = [("changed", "/a/d"), ("added", "/a/e")]
        self.assertEqual(self.told, [*expected, ("removed", "/a/b/c"), ("removed", "/a/b")])

    def test_no_change(self) -> None:
        """A newer stat of the same data is no change."""
        self.cache.join(self.tell)
        self.told.clear()
        self.cache.put("/a", CachedNode(b"", node().stat._replace(pzxid=7)))
        self.assertEqual(self.told, [])

    def test_leaving(self) -> None:
        """Who leaves is told nothing any more, and others are; leaving twice is leaving."""
        leave = self.cache.join(lambda _: self.fail() if self.told else None)
        self.cache.join(self.tell)
        leave()
        leave()
        self.cache.put("/x", node())
        self.assertEqual(self.told[-1], ("added", "/x"))
        self.cache.dismiss()
        self.cache.remove("/x")
        self.assertEqual(self.told[-1], ("added", "/x"))

    def test_leaving_within(self) -> None:
        """A callback may leave, and let others join, while it is told."""

        def tell(change: Change) -> None:
            leave()
            self.cache.join(self.tell)

        leave: Any = lambda: None  # noqa: E731
        leave = self.cache.join(lambda change: tell(change) if change.path == "/x" else None)
        self.cache.put("/x", node())
        self.cache.remove("/x")
        self.assertEqual(self.told[-2:], [("added", "/x"), ("removed", "/x")])

    def test_raising(self) -> None:
        """A callback that raises is told what comes next, and so are the others."""
        calls: list[Change] = []

        def fail(change: Change) -> None:
            calls.append(change)
            raise ValueError

        self.cache.join(fail)
        self.cache.join(self.tell)
        self.assertEqual((len(calls), len(self.told)), (4, 4))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 4)

    def test_slow(self) -> None:
        """While a callback is not done, what happens to a node becomes one change."""
        waiting: list[Deferred[None]] = []

        def slow(change: Change) -> Deferred[None]:
            self.tell(change)
            waiting.append(Deferred())
            return waiting[-1]

        self.cache.remove("/a")
        self.cache.put("/a", node())
        self.cache.join(slow)
        self.cache.put("/b", node())
        self.cache.put("/b", node(b"1", 1, 2))
        self.cache.put("/c", node())
        self.cache.remove("/c")
        self.cache.remove("/a")
        self.cache.put("/a", node(b"", 3, 3))
        for _ in range(2):
            waiting[-1].callback(None)
        waiting[-1].callback(None)
        self.assertEqual(self.told, [("added", "/a"), ("added", "/b"), ("changed", "/a")])

    def test_deep(self) -> None:
        """The depth of a tree has no limit."""
        path = ""
        for _ in range(3000):
            path += "/a"
            self.cache.put(path, node())
        self.cache.remove("/a")
        self.assertEqual(len(self.cache), 0)

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from("prPR"), st.sampled_from("abc/"), st.booleans())))
    def test_told(self, deeds: list[tuple[str, str, bool]]) -> None:
        """Who applies what he is told has the same nodes in the end, fast or slow."""
        cache, known, waiting = Cache(), dict[str, Any](), list[Deferred[None]]()

        def tell(change: Change) -> Deferred[None]:
            self.assertEqual(change.kind is Kind.ADDED, change.path not in known)
            known[change.path] = change.node
            if change.node is None:
                del known[change.path]
            waiting.append(Deferred())
            return waiting[-1]

        cache.join(tell)
        for number, (deed, name, go_on) in enumerate(deeds):
            path = "/a/b" if name == "/" else f"/{name}"
            if deed in "pP":
                cache.put(path, node(b"%d" % number, 1, number))
            else:
                cache.remove(path)
            if go_on and waiting and not waiting[-1].called:
                waiting[-1].callback(None)
        while waiting and not waiting[-1].called:
            waiting[-1].callback(None)
        self.assertEqual(known, {path: cache.get(path) for path in cache})
