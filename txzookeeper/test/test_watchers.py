"""Watchers of a node and of its children, whatever happens to connections and callbacks."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, TimeoutError
from twisted.trial.unittest import SynchronousTestCase

from txzookeeper.awaiting import PATIENCE
from txzookeeper.constants import PERM_ALL, PERM_READ
from txzookeeper.errors import (
    NotConnectedException,
    SessionExpiredException,
    ZooKeeperException,
)
from txzookeeper.managed import ManagedClient
from txzookeeper.records import ACL
from txzookeeper.test.stage import Moment, Stage, StageTestCase, cut, expire, moments
from txzookeeper.turns import Turns
from txzookeeper.watchers import ChildrenWatcher, NodeWatcher, Watcher


class TurnsTests(SynchronousTestCase):
    """Calls that are made one after another."""

    def setUp(self) -> None:
        """Have calls to make."""
        self.calls: list[Any] = []
        self.turns = Turns(lambda: self.calls.pop(0) if self.calls else None)

    def add(self, *calls: Any) -> None:
        """Have more of them."""
        self.calls += calls
        self.turns.wake()

    def test_waiting(self) -> None:
        """A call waits for the Deferred or the coroutine of the one before it."""
        made: list[str] = []
        first, second = Deferred[None](), Deferred[None]()

        async def slow() -> None:
            made.append("slow")
            await second

        self.add(lambda: made.append("first"), lambda: first, slow, lambda: made.append("last"))
        self.assertEqual(made, ["first"])
        first.callback(None)
        self.assertEqual(made, ["first", "slow"])
        second.callback(None)
        self.assertEqual(made, ["first", "slow", "last"])

    def test_errors(self) -> None:
        """Errors are logged, and the next call is made."""
        made: list[str] = []
        failing: Deferred[None] = Deferred()
        self.add(lambda: 1 / 0, lambda: failing, lambda: made.append("last"))
        failing.errback(ValueError())
        self.assertEqual(made, ["last"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError, ValueError)), 2)

    def test_stopped(self) -> None:
        """After the end no call is made, not even when the last one is done."""
        waiting: Deferred[None] = Deferred()
        self.add(lambda: waiting, self.fail)
        self.turns.stop()
        waiting.callback(None)
        self.add(self.fail)

    def test_wake_within(self) -> None:
        """What a call itself causes is called after it."""
        made: list[str] = []

        def first() -> None:
            self.add(lambda: made.append("caused"))
            made.append("first")

        self.add(first)
        self.assertEqual(made, ["first", "caused"])


class WatcherTestCase(StageTestCase):
    """A client that watches, and another one that makes changes."""

    def setUp(self) -> None:
        """Connect both."""
        super().setUp()
        self.other = self.stage.client()
        self.told: list[Any] = []
        self.watchers: list[Watcher[Any]] = []

    def node(self, callback: Any = None, client: Any = None) -> Any:
        """Watch a node; by default keep the data that are told."""
        keep = callback or (lambda data, stat: self.told.append(data))
        return self.started(NodeWatcher(client or self.client, "/a", keep))

    def children(self, callback: Any = None, client: Any = None) -> Any:
        """Watch its children; by default keep what is told."""
        keep = callback or (lambda *told: self.told.append(tuple(map(_joined, told))))
        return self.started(ChildrenWatcher(client or self.client, "/a", keep))

    def started(self, watcher: Any) -> Any:
        """Start a watcher."""
        self.watchers.append(watcher)
        self.assertIs(self.run_work(watcher.start()), watcher)
        return watcher

    def change(self, *calls: Deferred[Any]) -> None:
        """Wait for changes and what comes of them."""
        for call in calls:
            self.run_work(call)
        self.stage.server.settle()

    def tearDown(self) -> None:
        """Stop the watchers, and require that no watch is left."""
        for watcher in self.watchers:
            watcher.stop()
        self.assertEqual(len(self.client._channel.watches), 0)
        super().tearDown()


def _joined(names: tuple[str, ...] | None) -> str | None:
    return None if names is None else " ".join(names)


class NodeWatcherTests(WatcherTestCase):
    """What a node's data are."""

    def test_life(self) -> None:
        """It tells what is there at the start, and each change, also when there is no node."""
        watcher = self.node()
        self.assertEqual((self.told, watcher.data, watcher.stat), ([None], None, None))
        self.change(self.other.create("/a", b"1"))
        self.change(self.other.set("/a", b"2"))
        self.assertEqual((watcher.data, watcher.stat.version), (b"2", 1))
        self.change(self.other.delete("/a"))
        self.change(self.other.create("/a", b"3"))
        self.assertEqual(self.told, [None, b"1", b"2", None, b"3"])

    def test_arguments(self) -> None:
        """The callback gets the data and the stat."""
        self.change(self.other.create("/a", b"1"))
        stat = self.run_work(self.other.exists("/a"))
        self.node(lambda *told: self.told.append(told))
        self.assertEqual(self.told, [(b"1", stat)])

    def test_made_again(self) -> None:
        """A node in the place of another one is told though its data are the same."""
        self.change(self.other.create("/a", b"1"))
        self.node()
        self.change(self.other.transaction().delete("/a").create("/a", b"1").commit())
        self.assertEqual(self.told, [b"1", b"1"])

    def test_nothing_new(self) -> None:
        """Lost connections and other nodes are no news."""
        self.change(self.other.create("/a", b"1"))
        self.node()
        self.stage.server.drop_connections()
        self.stage.server.advance(5)
        self.change(self.other.create("/a/b"), self.other.create("/c"))
        self.assertEqual(self.told, [b"1"])

    def test_burst(self) -> None:
        """While a callback is not done changes pile up, and the last state is told."""
        waiting: list[Deferred[None]] = []

        async def slow(data: bytes, _: object) -> None:
            self.told.append(data)
            waiting.append(Deferred())
            await waiting[-1]

        watcher = self.node(slow)
        self.change(self.other.create("/a", b"1"))
        for number in range(10):
            self.change(self.other.set("/a", b"%d" % number))
        self.assertEqual((self.told, watcher.data), ([None], b"9"))
        waiting[0].callback(None)
        self.assertEqual(self.told, [None, b"9"])
        waiting[1].errback(ValueError())
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.change(self.other.delete("/a"))
        self.assertEqual(self.told, [None, b"9", None])

    def test_raising(self) -> None:
        """A callback that raises is called for the next change, and others are called anyway."""
        self.node(lambda data, stat: 1 / 0)
        self.node()
        self.change(self.other.create("/a", b"1"))
        self.assertEqual(self.told, [None, b"1"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_stopped_by_its_callback(self) -> None:
        """A callback may stop its watcher; then nothing is watched any more."""

        def stop(data: bytes | None, _: object) -> None:
            self.told.append(data)
            if data is not None:
                watcher.stop()

        watcher = self.node(stop)
        self.change(self.other.create("/a", b"1"))
        self.assertEqual(len(self.client._channel.watches), 0)
        self.change(self.other.set("/a", b"2"))
        self.assertEqual(self.told, [None, b"1"])

    def test_stopped_at_any_moment(self) -> None:
        """Wherever it was, it leaves no watch and calls nothing."""

        def once(count: int) -> Moment:
            stage = Stage()
            other = stage.client()
            moment = Moment(count, lambda _: watcher.stop())
            client, told = stage.client(ManagedClient, moment), []
            watcher = NodeWatcher(client, "/a", lambda data, _: told.append((moment.came, data)))
            watcher.start()
            stage.run(other.create("/a"))
            stage.run(other.set("/a", b"1"))
            stage.run(other.delete("/a"))
            stage.server.advance(1)
            self.assertTrue(all(not late for late, _ in told))
            self.assertEqual(len(client._channel.watches), not moment.came)
            self.assertEqual(stage.close(), [])
            return moment

        self.assertGreater(len(list(moments(once))), 5)

    def test_start_cancelled(self) -> None:
        """Cancelling the start stops it; a time limit does the same."""
        self.stage.server.refuse_connections()
        self.stage.server.drop_connections()
        watcher = NodeWatcher(self.client, "/a", lambda *told: self.fail())
        starting = watcher.start().addTimeout(3, self.stage.server.clock)
        self.assertRaises(TimeoutError, self.run_work, starting)
        self.stage.server.accept_connections()
        self.stage.server.advance(3)
        self.assertEqual(len(self.client._channel.watches), 0)

    def test_stopped_at_once(self) -> None:
        """Who waits for the start of a watcher that is stopped does not wait for ever."""
        watcher = NodeWatcher(self.client, "/a", lambda *told: self.fail())
        starting = watcher.start()
        watcher.stop()
        watcher.stop()
        self.assertIs(self.successResultOf(starting), watcher)

    def test_denied(self) -> None:
        """A node that may not be read is tried again until it may."""
        acl = [ACL(PERM_ALL - PERM_READ, "world", "anyone")]
        self.change(self.other.create("/a", b"1", acl))
        watcher = NodeWatcher(self.client, "/a", lambda data, _: self.told.append(data))
        self.watchers.append(watcher)
        starting = watcher.start()
        self.stage.server.advance(PATIENCE * 3 + 1)
        self.assertNoResult(starting)
        self.change(self.other.delete("/a"), self.other.create("/a", b"2"))
        self.stage.server.advance(PATIENCE)
        self.assertIs(self.successResultOf(starting), watcher)
        self.assertEqual(self.told, [b"2"])

    def test_denied_and_closed(self) -> None:
        """Trying again ends when the client is closed, or the watcher stopped."""
        acl = [ACL(PERM_ALL - PERM_READ, "world", "anyone")]
        self.change(self.other.create("/a", b"1", acl))
        closing, stopping = (
            NodeWatcher(client, "/a", lambda *told: self.fail())
            for client in (self.stage.client(), self.client)
        )
        started = closing.start(), stopping.start()
        self.stage.server.advance(PATIENCE + 1)
        self.run_work(closing._client.close())
        self.failureResultOf(started[0], ZooKeeperException)
        stopping.stop()
        self.assertIs(self.successResultOf(started[1]), stopping)

    def test_session_over(self) -> None:
        """The end of the session ends it, and fails a start."""
        client = self.stage.client()
        watcher = NodeWatcher(client, "/a", lambda data, _: self.told.append(data))
        self.run_work(watcher.start())
        self.stage.server.expire(client.client_id[0])
        self.stage.server.advance(5)
        failing = NodeWatcher(client, "/a", lambda *told: self.fail()).start()
        self.assertRaises(SessionExpiredException, self.run_work, failing)
        self.run_work(client.close())
        self.assertEqual(self.told, [None])
        failing = NodeWatcher(client, "/a", lambda *told: self.fail()).start()
        self.failureResultOf(failing, SessionExpiredException, NotConnectedException)


class ChildrenWatcherTests(WatcherTestCase):
    """Which children a node has."""

    def test_life(self) -> None:
        """It tells all names, and those that came and went since the last time."""
        watcher = self.children()
        self.change(self.other.create("/a"))
        self.change(self.other.create("/a/2"))
        self.change(self.other.create("/a/1"))
        self.assertEqual(watcher.names, ("1", "2"))
        self.change(self.other.transaction().delete("/a/1").create("/a/3").commit())
        self.change(self.other.set("/a", b""), self.other.create("/a/2/x"))
        self.change(self.other.delete("/a/2/x"), self.other.delete("/a/2"))
        self.change(self.other.transaction().delete("/a/3").delete("/a").commit())
        expected = [(None, "", ""), ("", "", ""), ("2", "2", ""), ("1 2", "1", "")]
        expected += [("2 3", "3", "1"), ("3", "", "2"), (None, "", "3")]
        self.assertEqual(self.told, expected)

    def test_burst(self) -> None:
        """What came and went while a callback was not done is put together."""
        waiting: list[Deferred[None]] = [Deferred()]

        def slow(*told: Any) -> Deferred[None]:
            self.told.append(tuple(map(_joined, told)))
            return waiting[0]

        self.change(self.other.create("/a"), self.other.create("/a/1"))
        self.children(slow)
        self.change(self.other.create("/a/2"), self.other.delete("/a/1"))
        self.change(self.other.create("/a/3"), self.other.delete("/a/2"))
        waiting[0].callback(None)
        self.assertEqual(self.told, [("1", "1", ""), ("3", "3", "1")])

    def test_there_and_back(self) -> None:
        """If in the end all is as it was told, nothing is told."""
        waiting: Deferred[None] = Deferred()
        self.change(self.other.create("/a"))

        def slow(*told: Any) -> Deferred[None]:
            self.told.append(told)
            return waiting

        self.children(slow)
        self.change(self.other.create("/a/1"), self.other.delete("/a/1"))
        waiting.callback(None)
        self.assertEqual(self.told, [((), (), ())])


class TroubleTests(SynchronousTestCase):
    """Connections that break and sessions that end at every moment."""

    def check(self, count: int, deed: Any) -> Moment:
        """Make changes while something happens, and require that the last state is told."""
        stage = Stage()
        other = stage.client()
        moment = Moment(count, lambda line: deed(stage, lambda: client, line))
        client: ManagedClient = stage.client(ManagedClient, moment)
        nodes: list[Any] = []
        names: list[Any] = []
        stopping: list[Watcher[Any]] = [
            NodeWatcher(client, "/a", lambda data, _: nodes.append(data)),
            ChildrenWatcher(client, "/a", lambda *told: names.append(told)),
        ]
        for watcher in stopping:
            watcher.start()
        for change in (
            lambda: other.create("/a", b"1"),
            lambda: other.set("/a", b"2"),
            lambda: other.create("/a/x"),
            lambda: other.transaction().delete("/a/x").delete("/a").commit(),
            lambda: other.transaction().create("/a", b"3").create("/a/y").commit(),
        ):
            stage.run(change())
        stage.server.advance(5)
        self.assertEqual((nodes[-1], names[-1][0]), (b"3", ("y",)))
        known: set[str] = set()
        for now, added, removed in names:
            known = (known | set(added)) - set(removed)
            self.assertEqual(known, set(now or ()))
        for watcher in stopping:
            watcher.stop()
        self.assertEqual(len(client._channel.watches), 0)
        self.assertEqual(stage.close(), [])
        return moment

    def test_cut(self) -> None:
        """A connection that breaks at whatever moment makes them miss no last state."""
        times = moments(self.check, lambda stage, client, line: cut(line))
        self.assertGreater(len(list(times)), 10)

    def test_expired(self) -> None:
        """Nor does an expired session, on a managed client."""
        self.assertGreater(len(list(moments(self.check, expire))), 10)
