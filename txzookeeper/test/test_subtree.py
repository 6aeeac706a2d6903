"""A subtree in memory is what is on the server."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from txzookeeper.cache import Change
from txzookeeper.errors import ClosingException, NotConnectedException, SessionExpiredException
from txzookeeper.subtree import Subtree
from txzookeeper.test.stage import StageTestCase
from txzookeeper.test.subtrees import DENIED, OPEN, Mirror, held, nodes_of


class SubtreeTests(StageTestCase):
    """One client that holds what another one changes."""

    def setUp(self) -> None:
        """Have some nodes, and a subtree that has not been started."""
        super().setUp()
        self.other = self.stage.client()
        for path in ("/a", "/a/b", "/a/b/c", "/x", "/a/d"):
            self.change(self.other.create(path, path.encode()))
        self.subtree = Subtree(self.client, "/a")
        self.mirror = Mirror(self.subtree)

    def change(self, *calls: Deferred[Any]) -> None:
        """Wait for changes and what comes of them."""
        for call in calls:
            self.run_work(call)
        self.stage.server.settle()

    def start(self) -> None:
        """Start it."""
        self.assertIs(self.run_work(self.subtree.start()), self.subtree)
        self.mirror.changes.clear()

    def assert_same(self, path: str = "/a") -> None:
        """Require that memory, server and who was told agree."""
        there = self.run_work(nodes_of(self.other, path))
        self.assertEqual(held(self.subtree), there)
        self.assertEqual(self.mirror.nodes, there)
        self.assertTrue(self.subtree.current)

    def tearDown(self) -> None:
        """Stop it, and require that no watch is left on either side."""
        self.run_work(self.subtree.stop())
        self.assertEqual(len(self.client._channel.watches), 0)
        super().tearDown()

    def test_start(self) -> None:
        """When it has started it holds all nodes, and nothing else."""
        self.assertFalse(self.subtree.current)
        self.start()
        self.assert_same()
        data, stat = self.subtree.get("/a/b") or (b"", None)
        self.assertEqual((data, stat), self.run_work(self.other.get("/a/b")))
        self.assertEqual(self.subtree.children("/a"), ("b", "d"))
        self.assertEqual((self.subtree.get("/x"), "/x" in self.subtree), (None, False))
        self.assertEqual((len(self.subtree), 7 in self.subtree), (4, False))

    def test_changes(self) -> None:
        """Each change is told: what came, what changed, what went."""
        self.start()
        self.change(self.other.create("/a/e"), self.other.create("/a/e/f"))
        self.change(self.other.set("/a/b/c", b"2"), self.other.set("/x", b""))
        self.change(self.other.delete("/a/d"))
        added = [("added", "/a/e"), ("added", "/a/e/f")]
        expected = [*added, ("changed", "/a/b/c"), ("removed", "/a/d")]
        self.assertEqual(self.mirror.words(), expected)
        self.assert_same()

    def test_root(self) -> None:
        """The node itself may come and go."""
        for path in ("/a/d", "/a/b/c", "/a/b", "/a"):
            self.change(self.other.delete(path))
        self.start()
        self.assertEqual(len(self.subtree), 0)
        self.change(self.other.transaction().create("/a", b"2").create("/a/b").commit())
        self.assert_same()
        self.change(self.other.transaction().delete("/a/b").delete("/a").commit())
        self.assert_same()
        self.change(self.other.transaction().create("/a", b"3").create("/a/c").commit())
        self.assert_same()

    def test_whole_tree(self) -> None:
        """The root of all nodes can be held."""
        subtree = Subtree(self.client, "/")
        self.run_work(subtree.start())
        self.change(self.other.create("/y"), self.other.delete("/x"))
        self.assertEqual(held(subtree), self.run_work(nodes_of(self.other, "/")))
        self.run_work(subtree.stop())

    def test_chroot(self) -> None:
        """Paths are those of the client."""
        client = self.stage.client(chroot="/a")
        subtree = Subtree(client, "/b")
        self.run_work(subtree.start())
        self.change(self.other.create("/a/b/e"))
        self.assertEqual(list(subtree), ["/b", "/b/c", "/b/e"])

    def test_limit(self) -> None:
        """No more nodes are read at a time than allowed, and all of them in the end."""
        for number in range(50):
            self.change(self.other.create(f"/a/{number}"))
        self.subtree = Subtree(self.client, "/a", limit=3)
        self.mirror = Mirror(self.subtree)
        most = 0

        def count(_: Change) -> None:
            nonlocal most
            most = max(most, len(self.client._channel._protocol._in_flight))

        self.subtree.subscribe(count)
        self.start()
        self.assert_same()
        self.assertLessEqual(most, 3)

    def test_only_what_changed(self) -> None:
        """On a new connection no data are read but those that have changed."""
        self.start()
        self.change(self.other.set("/a/d", bytes(10_000)))
        self.mirror.changes.clear()
        before = self.client.statistics.bytes_received
        self.stage.server.drop_connections()
        self.change(self.other.set("/a/b", b"new"), self.other.create("/a/b/e"))
        self.stage.server.advance(3)
        self.assert_same()
        self.assertLess(self.client.statistics.bytes_received - before, 2000)
        self.assertEqual(self.mirror.words(), [("changed", "/a/b"), ("added", "/a/b/e")])

    def test_late_listener(self) -> None:
        """Who subscribes later is told of all that is there, parents first."""
        self.start()
        late = Mirror(self.subtree)
        self.assertEqual(late.words(), [("added", path) for path in self.subtree])
        late.leave()
        self.change(self.other.create("/a/e"))
        self.assertEqual(late.words(), [])

    def test_raising(self) -> None:
        """A listener that raises harms neither the others nor the subtree."""
        self.subtree.subscribe(lambda change: 1 / 0)
        self.start()
        self.change(self.other.create("/a/e"))
        self.assert_same()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 5)

    def test_denied(self) -> None:
        """What may not be read is left out with all below it, until it may and changes."""
        self.change(self.other.set_acl("/a/b", DENIED))
        self.start()
        self.assertEqual(list(self.subtree), ["/a", "/a/d"])
        self.change(self.other.set("/a/b/c", b"2"), self.other.create("/a/b/e"))
        self.assertEqual(list(self.subtree), ["/a", "/a/d"])
        self.change(self.other.set_acl("/a/b", OPEN), self.other.set("/a/b", b"2"))
        self.assert_same()

    def test_denied_later(self) -> None:
        """A new connection finds out what may not be read any more, and what may."""
        self.start()
        self.change(self.other.set_acl("/a/b", DENIED))
        self.assertEqual(len(self.subtree), 4)
        self.stage.server.drop_connections()
        self.stage.server.advance(3)
        self.assertEqual(list(self.subtree), ["/a", "/a/d"])
        self.change(self.other.set_acl("/a/b", OPEN))
        self.stage.server.drop_connections()
        self.stage.server.advance(3)
        self.assert_same()
        self.change(self.other.set_acl("/a/b", DENIED), self.other.set_acl("/a", DENIED))
        self.stage.server.drop_connections()
        self.stage.server.advance(3)
        self.assertEqual(list(self.subtree), [])

    def test_denied_deleted(self) -> None:
        """A node in the place of one that could not be read is held."""
        self.change(self.other.set_acl("/a/d", DENIED))
        self.start()
        self.change(self.other.delete("/a/d"), self.other.create("/a/d", b"2"))
        self.assert_same()
        self.change(self.other.set_acl("/a/d", DENIED), self.other.set("/a/d"))
        again = self.other.transaction().delete("/a/d").create("/a/d").create("/a/d/f")
        self.change(again.commit())
        self.assert_same()

    def test_stopped(self) -> None:
        """After the end nothing is told, and what was held stays as it was."""
        self.start()
        before = held(self.subtree)
        self.run_work(self.subtree.stop())
        self.change(self.other.delete("/a/d"))
        self.assertEqual((held(self.subtree), self.mirror.words()), (before, []))
        self.run_work(self.subtree.stop())

    def test_stopped_at_once(self) -> None:
        """Whoever waits for the start of one that is stopped does not wait for ever."""
        starting, stopping = self.subtree.start(), self.subtree.stop()
        self.assertIs(self.successResultOf(starting), self.subtree)
        self.assertNoResult(stopping)
        self.run_work(stopping)
        self.assertEqual(len(self.subtree), 0)

    def test_stopped_while_cut_off(self) -> None:
        """One that is stopped before its watch was set is over when the next connection is."""
        starting = self.subtree.start()
        self.stage.lines[self.client].cut()
        stopping = self.subtree.stop()
        self.assertIs(self.successResultOf(starting), self.subtree)
        self.run_work(stopping)
        self.stage.server.advance(1)

    def test_never_started(self) -> None:
        """One that was not started can be stopped, and needs nothing for that."""
        self.assertIsNone(self.successResultOf(self.subtree.stop()))

    def test_session_over(self) -> None:
        """The end of the session ends it; what was held stays."""
        client = self.stage.client()
        subtree = Subtree(client, "/a")
        self.run_work(subtree.start())
        self.stage.server.expire(client.client_id[0])
        self.stage.server.advance(3)
        self.assertEqual((len(subtree), subtree.current), (4, False))
        self.run_work(subtree.stop())
        failing = Subtree(client, "/a").start()
        self.assertRaises(SessionExpiredException, self.run_work, failing)

    def test_closed_at_the_start(self) -> None:
        """A client that is closed meanwhile fails the start."""
        client = self.stage.client()
        starting = Subtree(client, "/a").start()
        self.run_work(client.close())
        self.failureResultOf(starting, ClosingException, NotConnectedException)

    def test_watch_removed(self) -> None:
        """If the program takes away all watches there, it ends."""
        self.start()
        self.change(self.client.remove_watches("/a"))
        self.change(self.other.delete("/a/d"))
        self.assertEqual(self.mirror.words(), [])
        self.assertTrue("/a/d" in self.subtree)

    def test_two(self) -> None:
        """Several subtrees of one client, one within the other, are each held in full."""
        inner, same = Subtree(self.client, "/a/b"), Subtree(self.client, "/a")
        self.start()
        for each in (inner, same):
            self.run_work(each.start())
        self.change(self.other.set("/a/b/c", b"2"), self.other.create("/a/b/e"))
        self.assertEqual(held(same), held(self.subtree))
        self.run_work(same.stop())
        self.change(self.other.delete("/a/b/e"))
        self.assert_same()
        self.assertEqual(held(inner), self.run_work(nodes_of(self.other, "/a/b")))
        self.run_work(inner.stop())
