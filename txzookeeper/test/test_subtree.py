"""A subtree in memory is what is on the server, whatever happens on the way."""

from __future__ import annotations

import contextlib
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from txzookeeper.cache import Change, join
from txzookeeper.client import ZookeeperClient
from txzookeeper.constants import PERM_ALL, PERM_READ
from txzookeeper.errors import (
    ClosingException,
    NoAuthException,
    NodeExistsException,
    NoNodeException,
    NotConnectedException,
    NotEmptyException,
    SessionExpiredException,
)
from txzookeeper.managed import ManagedClient
from txzookeeper.records import ACL
from txzookeeper.subtree import Subtree
from txzookeeper.test.stage import (
    Delay,
    Moment,
    Moments,
    Stage,
    StageTestCase,
    cut,
    expire,
    moments,
)

Nodes = dict[str, bytes]

OPEN = [ACL(PERM_ALL, "world", "anyone")]
DENIED = [ACL(PERM_ALL - PERM_READ, "world", "anyone")]


async def nodes_of(client: ZookeeperClient, path: str) -> Nodes:
    """Read all nodes from the server that may be read."""
    found: Nodes = {}
    with contextlib.suppress(NoNodeException, NoAuthException):
        found[path] = (await client.get(path))[0]
        for name in await client.get_children(path):
            found |= await nodes_of(client, join(path, name))
    return found


def held(subtree: Subtree) -> Nodes:
    """Give all nodes that are in memory, and require that they are where their parents say."""
    found = {}
    for path in subtree:
        node = subtree.get(path)
        assert node is not None
        found[path] = node.data
        for name in subtree.children(path):
            assert join(path, name) in subtree
    return found


class Mirror:
    """Applies what it is told."""

    def __init__(self, subtree: Subtree) -> None:
        self.nodes: Nodes = {}
        self.changes: list[Change] = []
        self.leave = subtree.subscribe(self.tell)

    def tell(self, change: Change) -> None:
        """Apply a change."""
        self.changes.append(change)
        if change.node is None:
            del self.nodes[change.path]
        else:
            self.nodes[change.path] = change.node.data

    def words(self) -> list[tuple[str, str]]:
        """Give what was told since the last time."""
        changes, self.changes = self.changes, []
        return [(change.kind.value, change.path) for change in changes]


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


class TroubleTests(SynchronousTestCase):
    """Something that happens at every moment of the work."""

    def check(self, count: int, deed: Any, away: int = 0) -> Moment:
        """Make changes while something happens, and require that the last state is held.

        ``away``: for how many changes after that the client is cut off.
        """
        stage = Stage()
        other = stage.client()
        stage.run(other.transaction().create("/a").create("/a/b").create("/a/b/c").commit())

        def happen(line: Any) -> Any:
            if away:
                lines.hold()
            return deed(stage, lambda: client, line)

        moment = Moment(count, happen)
        client: ManagedClient = stage.client(ManagedClient, moment)
        lines = stage.lines[client]
        subtree = Subtree(client, "/a", limit=2)
        mirror = Mirror(subtree)
        subtree.start()
        left = away
        for change in changes(other):
            stage.run(change())
            left -= moment.came
            if left < 0:
                lines.release()
            stage.server.settle()
        lines.release()
        stage.server.advance(10)
        there = stage.run(nodes_of(other, "/a"))
        self.assertEqual(held(subtree), there)
        self.assertEqual(mirror.nodes, there)
        stage.run(subtree.stop())
        self.assertEqual(len(client._channel.watches), 0)
        self.assertEqual(list(stage.close()), [])
        return moment

    def test_cut(self) -> None:
        """A connection that breaks at whatever moment, for how long soever, loses nothing."""
        for away in range(4):
            times = moments(self.check, lambda stage, client, line: cut(line), away)
            self.assertGreater(len(list(times)), 20)

    def test_expired(self) -> None:
        """Nor does a session that expires, on a managed client."""
        for away in range(4):
            self.assertGreater(len(list(moments(self.check, expire, away))), 20)

    def test_changed_while_loading(self) -> None:
        """What changes while all is being read is held as it is then."""

        def once(count: int, change: Any, limit: int) -> Moment:
            stage = Stage()
            other = stage.client()
            making = other.transaction().create("/a").create("/a/b").create("/a/b/c")
            stage.run(making.create("/a/d").create("/a/d/e").commit())

            def make(_: Any) -> None:
                for each in change(other):
                    each.addErrback(lambda failure: failure.trap(NotConnectedException))

            moment = Moment(count, make)
            client = stage.client(ZookeeperClient, moment)
            subtree = Subtree(client, "/a", limit=limit)
            mirror = Mirror(subtree)
            stage.run(subtree.start())
            stage.server.settle()
            there = stage.run(nodes_of(other, "/a"))
            self.assertEqual((held(subtree), mirror.nodes), (there, there))
            stage.close()
            return moment

        for change in (
            lambda other: [other.set("/a/b"), other.set("/a/d")],
            lambda other: [other.set("/a/b/c"), other.set("/a")],
            lambda other: [other.delete("/a/b/c"), other.delete("/a/b")],
            lambda other: [other.create("/a/b/f"), other.create("/a/b/f/g")],
            lambda other: [
                other.delete("/a/b/c"),
                other.create("/a/b/c"),
                other.create("/a/b/c/h"),
            ],
        ):
            for limit in (1, 2, 100):
                self.assertGreater(len(list(moments(once, change, limit))), 10)

    def test_changed_while_looking_again(self) -> None:
        """So is what changes while the client looks what has happened without it."""

        def once(count: int) -> Moment:
            stage = Stage()
            other = stage.client()
            stage.run(other.transaction().create("/a").create("/a/b").create("/a/z").commit())

            def make(_: Any) -> None:
                other.set("/a/z", b"2").addErrback(lambda _: None)

            moment = Moment(count, make)
            client = stage.client()
            subtree = Subtree(client, "/a", limit=1)
            stage.run(subtree.start())
            lines = stage.lines[client]
            lines.hold()
            lines.cut()
            stage.run(other.create("/a/z/d"))
            lines.meddler = Moments(moment)
            lines.release()
            stage.server.advance(5)
            self.assertEqual(held(subtree), stage.run(nodes_of(other, "/a")))
            stage.close()
            return moment

        self.assertGreater(len(list(moments(once))), 10)

    def test_stopped(self) -> None:
        """Stopped or cancelled at whatever moment, it leaves no watch and tells nothing."""

        def once(count: int, cancel: bool) -> Moment:
            stage = Stage()
            other = stage.client()
            stage.run(other.transaction().create("/a").create("/a/b").create("/a/b/c").commit())

            def end() -> None:
                starting.cancel() if cancel else subtree.stop()

            moment = Moment(count, lambda _: end())
            client = stage.client(ZookeeperClient, moment)
            subtree = Subtree(client, "/a")
            late: list[Change] = []
            subtree.subscribe(lambda change: late.append(change) if moment.came else None)
            starting = subtree.start().addErrback(lambda failure: failure.trap(CancelledError))
            stage.run(starting)
            if not cancel:
                stage.run(other.set("/a", b"1"))
                stage.server.advance(1)
                self.assertEqual(late, [])
            if moment.came:
                stage.server.advance(1)
                self.assertEqual(len(client._channel.watches), 0)
            stage.close()
            return moment

        for cancel in (True, False):
            self.assertGreater(len(list(moments(once, cancel))), 5)


def changes(other: ZookeeperClient) -> list[Any]:
    """Give some changes to make."""
    family = ("/a/e", "/a/e/f", "/a/e/f/g", "/a/i", "/a/j", "/a/k")

    def make() -> Deferred[Any]:
        work = other.transaction()
        for path in family:
            work.create(path)
        return work.commit()

    def replace() -> Deferred[Any]:
        return other.transaction().delete("/a/b/c").delete("/a/b").create("/a/b", b"2").commit()

    return [
        lambda: other.create("/a/d"),
        lambda: other.create("/a/d/l"),
        lambda: other.create("/a/d/l/m"),
        make,
        lambda: other.create("/a/k/n"),
        replace,
        lambda: other.transaction().set("/a/b", b"3").create("/a/b/h").commit(),
        lambda: other.delete("/a/j"),
    ]


NAMES = st.sampled_from(["/a", "/a/b", "/a/b/c", "/a/d", "/a/d/e", "/a/b/c/f"])
STEPS = st.one_of(
    st.tuples(st.sampled_from(["create", "set", "delete"]), NAMES),
    st.tuples(st.sampled_from(["create", "set", "delete"]), NAMES),
    st.tuples(st.sampled_from(["cut", "expire", "hold", "release", "wait", "again"]), NAMES),
    st.tuples(st.sampled_from(["wait", "deny", "allow"]), NAMES),
)


class RandomTests(SynchronousTestCase):
    """Whatever is done in whatever order."""

    @settings(max_examples=200, deadline=None)
    @given(st.lists(STEPS, max_size=40), st.integers(0, 2**16))
    def test_any(self, steps: list[tuple[str, str]], seed: int) -> None:
        """In the end what is held, what was told and what is there are the same."""
        stage = Stage()
        other = stage.client()
        client = stage.client(ManagedClient, meddler=Delay(Random(seed)))
        lines = stage.lines[client]
        subtree = Subtree(client, "/a", limit=2)
        mirror = Mirror(subtree)
        subtree.start()
        for number, (deed, path) in enumerate(steps):
            calls: dict[str, Any] = {
                "create": lambda path=path, number=number: other.create(path, b"%d" % number),
                "set": lambda path=path, number=number: other.set(path, b"%d" % number),
                "delete": lambda path=path: other.delete(path),
                "again": lambda path=path: other.transaction().delete(path).create(path).commit(),
                "deny": lambda path=path: other.set_acl(path, DENIED),
                "allow": lambda path=path: other.set_acl(path, OPEN),
                "cut": lines.cut,
                "hold": lines.hold,
                "release": lines.release,
                "expire": lambda: stage.expire(client),
                "wait": lambda: stage.server.advance(0.01),
            }
            made = calls[deed]()
            if isinstance(made, Deferred):
                made.addErrback(
                    lambda failure: failure.trap(
                        NoNodeException, NodeExistsException, NotEmptyException
                    )
                )
                stage.run(made)
        lines.release()
        if any(deed in ("deny", "allow") for deed, _ in steps):
            # Nobody else tells.
            stage.server.advance(10)
            lines.cut()
        stage.server.advance(20)
        there = stage.run(nodes_of(other, "/a"))
        self.assertEqual(held(subtree), there)
        self.assertEqual(mirror.nodes, there)
        self.assertTrue(subtree.current)
        stage.run(subtree.stop())
        self.assertEqual(list(stage.close()), [])
