"""Queues: every item is taken once, in order, whatever happens to the connections."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred, TimeoutError, gatherResults
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from txzookeeper.client import ZookeeperClient
from txzookeeper.constants import PERM_ALL, PERM_CREATE, PERM_READ
from txzookeeper.errors import (
    ClosingException,
    NoAuthException,
    NoNodeException,
    NotConnectedException,
    SessionExpiredException,
)
from txzookeeper.items import Listing, read_names
from txzookeeper.managed import ManagedClient
from txzookeeper.permissions import make_digest_acl
from txzookeeper.queue import ItemQueue, Queue
from txzookeeper.records import ACL
from txzookeeper.test.stage import Moment, Stage, StageTestCase, cut, moments

CLAIM = "entry-0000000002-processing-00000000000000ff-0000000007"


class NamesTests(SynchronousTestCase):
    """What the names of a queue's nodes say."""

    def test_strangers(self) -> None:
        """Names that are none of ours are left out, whatever they are."""
        strangers = ["", "entry-", "entry-1", "entry-00000000001", "entry-000000000x", "lock"]
        strangers += ["entry-0000000001-processing", "Entry-0000000001", "entry-0000000001 "]
        names = [*strangers, "entry-0000000002", "entry-0000000001", CLAIM]
        listing = Listing(["entry-0000000001", "entry-0000000002"], {"entry-0000000002"}, 5)
        self.assertEqual(read_names(names, 5), listing)

    def test_claim_without_item(self) -> None:
        """A claim whose item has gone claims nothing."""
        self.assertEqual(read_names([CLAIM]), Listing([], set(), 0))

    def test_numbers_turn(self) -> None:
        """Order is kept when the server's counter overflows, and when it comes back to zero."""
        for numbers in (
            [2147483646, 2147483647, -2147483648, -2147483647],
            [-2, -1, 0, 1],
            [0, 9, 10, 100, 2147483647],
        ):
            names = [f"entry-{number:010d}" for number in numbers]
            self.assertEqual(read_names(reversed(names)).items, names)


def queue_on(stage: Stage, client: ZookeeperClient, persistent: bool = True) -> Queue:
    """Make a queue's node, and give the queue."""
    stage.run(client.create("/q"))
    return Queue("/q", client, persistent=persistent)


class QueueTestCase(StageTestCase):
    """A queue's node, and short ways to use it."""

    kind: type[ItemQueue[Any]] = Queue

    def setUp(self) -> None:
        """Make the node."""
        super().setUp()
        self.run_work(self.client.create("/q"))
        self.queue = self.kind("/q", self.client)

    def put(self, *items: bytes) -> list[str]:
        """Put some items in."""
        puts: list[Deferred[str]] = [self.queue.put(item) for item in items]
        return self.run_work(gatherResults(puts))

    def names(self) -> list[str]:
        """List the queue's nodes."""
        return sorted(self.run_work(self.client.get_children("/q")))


class QueueTests(QueueTestCase):
    """Items that are removed when they are taken."""

    def test_order(self) -> None:
        """What is put in first comes out first, and is gone then."""
        paths = self.put(b"1", b"2", b"3")
        self.assertEqual(paths[0], "/q/entry-0000000000")
        self.assertEqual(self.run_work(self.queue.qsize()), 3)
        self.assertEqual([self.run_work(self.queue.get()) for _ in range(3)], [b"1", b"2", b"3"])
        self.assertEqual((self.run_work(self.queue.qsize()), self.names()), (0, []))

    def test_waiting(self) -> None:
        """Who asks first is served first, as soon as there is something."""
        getters = [self.queue.get() for _ in range(3)]
        self.stage.server.advance(100)
        for getter in getters:
            self.assertNoResult(getter)
        other = Queue("/q", self.stage.client())
        for item in (b"1", b"2", b"3"):
            self.run_work(other.put(item))
        self.assertEqual(self.run_work(gatherResults(getters)), [b"1", b"2", b"3"])

    def test_many_at_once(self) -> None:
        """Many who ask at once get many items, in order."""
        self.put(*[b"%d" % number for number in range(50)])
        getters: list[Deferred[bytes]] = [self.queue.get() for _ in range(50)]
        got = self.run_work(gatherResults(getters))
        self.assertEqual(got, [b"%d" % number for number in range(50)])

    def test_contention(self) -> None:
        """Workers who want the same items get each of them once."""
        queues = [Queue("/q", self.stage.client()) for _ in range(3)]
        queues.append(Queue("/q", queues[0]._client))
        getters: list[Deferred[bytes]] = [queue.get() for _ in range(5) for queue in queues]
        items = [b"%02d" % number for number in range(20)]
        self.put(*items)
        got: list[bytes] = self.run_work(gatherResults(getters))
        self.assertEqual(sorted(got), items)
        self.assertEqual(self.names(), [])

    def test_persistence(self) -> None:
        """Items end with the session of who put them in, unless they are persistent."""
        other = self.stage.client()
        self.run_work(Queue("/q", other, persistent=True).put(b"1"))
        self.run_work(Queue("/q", other).put(b"2"))
        self.run_work(other.close())
        self.assertEqual(self.names(), ["entry-0000000000"])

    def test_acl(self) -> None:
        """Items and claims have the ACL that is given, and work goes on with it."""
        self.run_work(self.client.add_auth("digest", "u:p"))
        acl = [make_digest_acl("u", "p")]
        queue = Queue("/q", self.client, acl)
        path = self.run_work(queue.put(b"1"))
        self.assertEqual(self.run_work(self.client.get_acl(path))[0], acl)
        self.assertEqual(self.run_work(queue.get()), b"1")

    def test_strangers(self) -> None:
        """Nodes that are no items, not to be taken or not to be removed are left alone."""
        self.run_work(self.client.create("/q/strange"))
        self.run_work(self.client.create("/q/entry-x"))
        denied, bulky = "/q/entry-0000000000", "/q/entry-0000000001"
        self.run_work(self.client.create(denied, acls=[make_digest_acl("u", "p")]))
        self.run_work(self.client.create(bulky))
        self.run_work(self.client.create(bulky + "/child"))
        self.put(b"1")
        self.assertEqual(self.run_work(self.queue.get()), b"1")
        getter = self.queue.get()
        self.stage.server.advance(10)
        self.put(b"2")
        self.assertEqual(self.run_work(getter), b"2")
        names = ["entry-0000000000", "entry-0000000001", "entry-x", "strange"]
        self.assertEqual(self.names(), names)

    def test_written_by_a_stranger(self) -> None:
        """An item that somebody has written to is taken like any other, as it is now."""
        path = self.put(b"1")[0]
        self.run_work(self.client.set(path, b"2"))
        self.assertEqual(self.run_work(self.queue.get()), b"2")

    def test_no_queue(self) -> None:
        """Where there is no queue every call says so, and a later one finds it."""
        queue = Queue("/none", self.client)
        for call in (queue.get, queue.qsize, lambda: queue.put(b"")):
            self.assertRaises(NoNodeException, self.run_work, call())
        self.run_work(self.client.create("/none"))
        self.run_work(queue.put(b"1"))
        self.assertEqual(self.run_work(queue.get()), b"1")

    def test_queue_deleted(self) -> None:
        """Who waits for an item is told when the queue itself is removed."""
        getters = [self.queue.get() for _ in range(3)]
        failed: list[Any] = []
        for getter in getters:
            getter.addErrback(lambda failure: failure.trap(NoNodeException, CancelledError))

        def note(error: Any) -> None:
            failed.append(error)
            getters[1].cancel()

        getters[0].addCallback(note)
        self.stage.server.settle()
        self.run_work(self.client.delete("/q"))
        found = self.run_work(gatherResults(getters[1:]))
        self.assertEqual((failed, found), ([NoNodeException], [CancelledError, NoNodeException]))

    def test_not_allowed(self) -> None:
        """Who may not list the queue, or not make claims, is told so; the items stay."""
        path = self.put(b"1")[0]
        for perms in (PERM_ALL - PERM_READ, PERM_ALL - PERM_CREATE):
            self.run_work(self.client.set_acl("/q", [ACL(perms, "world", "anyone")]))
            self.assertRaises(NoAuthException, self.run_work, self.queue.get())
        self.assertIsNotNone(self.run_work(self.client.exists(path)))

    def test_closed(self) -> None:
        """Closing the client ends the waiting; so does its session's expiry."""
        client, other = self.stage.client(), self.stage.client()
        closed, expired = Queue("/q", client).get(), Queue("/q", other).get()
        self.stage.server.settle()
        self.run_work(client.close())
        self.stage.server.expire(other.client_id[0])
        self.failureResultOf(closed, NotConnectedException, ClosingException)
        self.assertRaises(SessionExpiredException, self.run_work, expired)

    def test_expired_managed(self) -> None:
        """On a managed client the waiting goes on after an expired session."""
        client = self.stage.client(ManagedClient)
        getter = Queue("/q", client).get()
        self.stage.server.settle()
        self.stage.server.expire(client.client_id[0])
        self.put(b"1")
        self.assertEqual(self.run_work(getter), b"1")

    def test_raising(self) -> None:
        """An error in the program that got an item harms no other."""
        getters = [self.queue.get(), self.queue.get()]
        getters[0].addCallback(lambda _: 1 / 0)
        self.put(b"1", b"2")
        self.assertEqual(self.run_work(getters[1]), b"2")
        self.failureResultOf(getters[0], ZeroDivisionError)


class CancelTests(QueueTestCase):
    """Getters who think better of it."""

    def test_while_waiting(self) -> None:
        """The others are served, and with the last one the watch goes too."""
        getters = [self.queue.get() for _ in range(3)]
        self.stage.server.settle()
        getters[0].cancel()
        self.put(b"1")
        self.assertEqual(self.run_work(getters[1]), b"1")
        self.stage.server.settle()
        getters[2].cancel()
        for index in (0, 2):
            self.failureResultOf(getters[index], CancelledError)
        self.assertEqual(len(self.client._channel.watches), 0)
        self.put(b"2")
        self.assertEqual(self.run_work(self.queue.get()), b"2")

    def test_timeout(self) -> None:
        """A time limit is the Deferred's own."""
        getter = self.queue.get().addTimeout(3, self.stage.server.clock)
        self.assertRaises(TimeoutError, self.run_work, getter)

    def test_next_in_line(self) -> None:
        """What a cancelled one would have got goes to the next, even from a callback."""
        first, second, third = (self.queue.get() for _ in range(3))
        first.addCallback(lambda _: second.cancel())
        second.addErrback(lambda _: None)
        self.put(b"1", b"2")
        self.assertEqual(self.run_work(third), b"2")
        self.assertEqual(self.names(), [])

    def check(self, count: int, persistent: bool, cut_at: int) -> Moment:
        """Cancel at one moment, cut at another, and require that nothing is lost."""
        stage = Stage()
        producer = queue_on(stage, stage.client(), persistent)
        for item in (b"1", b"2"):
            stage.run(producer.put(item))
        cancel = Moment(count, lambda _: getter.cancel())
        worker = stage.client(ManagedClient, cancel, Moment(cut_at, cut))
        getter = Queue("/q", worker, persistent=persistent).get()
        got: list[bytes] = []
        getter.addCallbacks(got.append, lambda failure: failure.trap(CancelledError) and None)
        stage.server.advance(1)
        self.assertEqual(len(worker._channel.watches), 0)
        while len(got) < 2:
            got.append(stage.run(producer.get()))
        self.assertEqual(got if persistent else sorted(got), [b"1", b"2"])
        stage.server.advance(1)
        self.assertEqual(stage.run(producer.qsize()), 0)
        self.assertEqual(stage.close(), [])
        return cancel

    def test_at_any_moment(self) -> None:
        """Cancelled at whatever moment, a getter leaves the item to others, at its place."""
        for persistent in (True, False):
            steps = moments(self.check, persistent, 0)
            self.assertGreater(len(list(steps)), 5)

    def test_cut_at_any_moment(self) -> None:
        """It does so even if the connection breaks before or after that."""
        for cut_at in range(1, 24):
            for persistent in (True, False):
                list(moments(self.check, persistent, cut_at))

    def test_closed_while_putting_back(self) -> None:
        """If the client is closed before an item is back where it was, the log tells of it."""
        told: list[str] = []

        def once(count: int, later: int) -> Moment:
            stage = Stage()
            producer = queue_on(stage, stage.client())
            stage.run(producer.put(b"1"))

            def close(_: Any) -> None:
                worker.close()

            closing = Moment(count + later, close)
            worker = stage.client(
                ZookeeperClient, Moment(count, lambda _: getter.cancel()), closing
            )
            with capturedLogs() as events:
                getter = Queue("/q", worker).get()
                getter.addErrback(lambda failure: failure.trap(CancelledError, ClosingException))
                stage.server.advance(1)
            told.extend(each for each in map(formatEvent, events) if "may be lost" in each)
            self.assertEqual(list(stage.close()), [])
            return closing

        for count in range(1, 12):
            list(moments(once, count))
        self.assertIn("<QueueItem /q/entry-0000000000> may be lost: ", told[0])
