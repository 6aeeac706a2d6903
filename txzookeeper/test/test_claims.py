"""Items that are worked on: each by one worker, for as long as he lives."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, TimeoutError, gatherResults
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase

from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import (
    NoAuthException,
    NoNodeException,
    NotEmptyException,
    SessionExpiredException,
)
from txzookeeper.managed import ManagedClient
from txzookeeper.permissions import make_digest_acl
from txzookeeper.queue import ItemQueue, Queue, QueueItem, ReliableQueue, SerializedQueue
from txzookeeper.test.stage import Delay, Moment, Stage, cut, expire, moments
from txzookeeper.test.test_queue import QueueTestCase, queue_on


class ReliableQueueTests(QueueTestCase):
    """Items that are removed when the work on them is done."""

    kind: type[ItemQueue[Any]] = ReliableQueue

    def test_work(self) -> None:
        """An item stays until it is deleted, and nobody else gets it meanwhile."""
        path = self.put(b"1", b"2")[0]
        item = self.run_work(self.queue.get())
        self.assertEqual((item.path, item.data, item.tries), (path, b"1", 0))
        other = ReliableQueue("/q", self.stage.client())
        self.assertEqual(self.run_work(other.get()).data, b"2")
        waiting = other.get()
        self.stage.server.advance(10)
        self.assertNoResult(waiting)
        self.assertEqual(self.run_work(self.queue.qsize()), 2)
        self.run_work(item.delete())
        self.assertEqual(len(self.names()), 2)
        self.assertNoResult(waiting)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)

    def test_worker_dies(self) -> None:
        """What a worker had when its session ended goes to another, which sees that it does."""
        self.put(b"1")
        worker = self.stage.client()
        lost = self.run_work(ReliableQueue("/q", worker).get())
        waiting = self.queue.get()
        self.stage.server.settle()
        self.stage.server.expire(worker.client_id[0])
        item = self.run_work(waiting)
        self.assertEqual((item.data, item.tries, item.path), (b"1", 1, lost.path))
        self.assertRaises(SessionExpiredException, self.run_work, lost.delete())
        self.run_work(item.delete())
        self.assertEqual(self.names(), [])

    def test_managed_worker_expires(self) -> None:
        """A managed client's claims end with their session and do not come back."""
        self.put(b"1")
        worker = self.stage.client(ManagedClient)
        mine = ReliableQueue("/q", worker)
        lost = self.run_work(mine.get())
        renewed = worker.subscribe_new_session()
        self.stage.server.expire(worker.client_id[0])
        self.run_work(renewed)
        self.assertEqual(self.names(), ["entry-0000000000"])
        item = self.run_work(self.queue.get())
        self.assertRaises(NoNodeException, self.run_work, lost.delete())
        self.run_work(lost.release())
        self.assertEqual(len(self.names()), 2)
        self.run_work(item.delete())
        self.assertEqual(self.names(), [])

    def test_release(self) -> None:
        """An item that is given back is the next one again."""
        self.put(b"1", b"2")
        waiting = self.run_work(gatherResults([self.queue.get(), self.queue.get()]))
        later = self.queue.get()
        self.run_work(waiting[0].release())
        item = self.run_work(later)
        self.assertEqual((item.data, item.tries), (b"1", 1))
        self.assertIn("entry-0000000000", repr(item))

    def test_removed_by_a_stranger(self) -> None:
        """If somebody removes the item its worker is told, and nothing of it stays."""
        path = self.put(b"1")[0]
        item = self.run_work(self.queue.get())
        self.run_work(self.client.delete(path))
        self.assertRaises(NoNodeException, self.run_work, item.delete())
        self.assertEqual(self.names(), [])

    def test_cannot_be_removed(self) -> None:
        """If the item cannot be removed its worker is told, and keeps it."""
        queue = ReliableQueue("/q", self.client, persistent=True)
        path = self.run_work(queue.put(b"1"))
        item = self.run_work(queue.get())
        self.run_work(self.client.create(path + "/child"))
        self.assertRaises(NotEmptyException, self.run_work, item.delete())
        self.run_work(self.client.delete(path + "/child"))
        self.run_work(item.delete())

    def test_beside_a_plain_queue(self) -> None:
        """Whoever takes items from the same node in the other way respects the claims."""
        self.put(b"1", b"2")
        self.run_work(self.queue.get())
        self.assertEqual(self.run_work(Queue("/q", self.stage.client()).get()), b"2")


class SerializedQueueTests(QueueTestCase):
    """Items that are worked on one after the other."""

    kind: type[ItemQueue[Any]] = SerializedQueue

    def test_one_at_a_time(self) -> None:
        """The next item is given when the one before it is done, whoever asks."""
        self.put(b"1", b"2", b"3", b"4")
        queues = [self.queue, SerializedQueue("/q", self.stage.client())] * 2
        getters = [queue.get() for queue in queues]
        done: list[QueueItem] = []
        for getter in getters:
            getter.addCallback(done.append)
        for expected in (b"1", b"2", b"3", b"4"):
            self.stage.server.advance(1)
            self.assertEqual([item.data for item in done], [expected])
            self.run_work(done.pop().delete())

    def test_worker_dies(self) -> None:
        """The item of a worker that died is the next one."""
        self.put(b"1", b"2")
        worker = self.stage.client()
        self.run_work(SerializedQueue("/q", worker).get())
        waiting = self.queue.get()
        self.stage.server.settle()
        self.stage.server.expire(worker.client_id[0])
        self.assertEqual(self.run_work(waiting).data, b"1")

    def test_denied(self) -> None:
        """An item that may not be taken holds up those behind it, and who asks is told."""
        acl = [make_digest_acl("u", "p")]
        path = self.run_work(self.client.create("/q/entry-0000000000", acls=acl))
        self.put(b"1")
        self.assertRaises(NoAuthException, self.run_work, self.queue.get())
        self.run_work(self.client.delete(path))
        self.assertEqual(self.run_work(self.queue.get()).data, b"1")


ITEMS = [b"1", b"2", b"3"]


def with_items() -> tuple[Stage, Queue]:
    """Have a queue with items in it, and who put them there."""
    stage = Stage()
    producer = queue_on(stage, stage.client())
    for item in ITEMS:
        stage.run(producer.put(item))
    return stage, producer


class TroubleTests(SynchronousTestCase):
    """Connections that break and sessions that end at every moment of the work."""

    def plain(self, *troubles: Moment, kind: type[ZookeeperClient] = ZookeeperClient) -> list[Any]:
        """Take all items out; give them, with what is left in the end."""
        stage, producer = with_items()
        worker = Queue("/q", stage.client(kind, *troubles))
        got = [stage.run(worker.get()) for _ in ITEMS]
        stage.server.advance(1)
        left = stage.run(producer._client.get_children("/q"))
        return [got, left, stage.close()]

    def test_cut(self) -> None:
        """A connection that breaks, once or twice, loses no item and gives none twice."""

        def once(first: int, later: int) -> Moment:
            moment = Moment(first + later, cut)
            self.assertEqual(self.plain(Moment(first, cut), moment), [ITEMS, [], []])
            return moment

        for count in moments(once, 0):
            for _ in moments(lambda later, first: once(first, later), count):
                pass

    def test_cut_in_contention(self) -> None:
        """Beside another worker too, each item is given once, and to one of them."""

        def once(count: int) -> Moment:
            stage, moment = Stage(), Moment(count, cut)
            producer = queue_on(stage, stage.client())
            queues = [producer, Queue("/q", stage.client(ZookeeperClient, moment))]
            getters = [queue.get() for _ in range(2) for queue in queues]
            for number in range(4):
                stage.run(producer.put(b"%d" % number))
            got = stage.run(gatherResults(getters))
            self.assertEqual(sorted(got), [b"0", b"1", b"2", b"3"])
            self.assertEqual(stage.close(), [])
            return moment

        self.assertGreater(len(list(moments(once))), 10)

    def test_work_cut(self) -> None:
        """A worker whose connection breaks does its work once, and deletes it for good."""

        def once(count: int, kind: type[ReliableQueue]) -> Moment:
            stage, producer = with_items()
            moment = Moment(count, cut)
            worker, got = kind("/q", stage.client(ManagedClient, moment)), []
            for _ in ITEMS:
                item = stage.run(worker.get())
                got.append((item.data, item.tries))
                stage.run(item.delete())
            self.assertEqual(got, [(item, 0) for item in ITEMS])
            self.assertEqual(stage.run(producer._client.get_children("/q")), [])
            self.assertEqual(stage.close(), [])
            return moment

        for kind in (ReliableQueue, SerializedQueue):
            self.assertGreater(len(list(moments(once, kind))), 10)

    def test_work_expired(self) -> None:
        """A worker whose session ends may work twice on an item, but never skips one."""

        def once(count: int, kind: type[ReliableQueue]) -> Moment:
            stage, producer = with_items()
            moment = Moment(count, partial(expire, stage, lambda: client))
            client: ManagedClient = stage.client(ManagedClient, moment)
            worker, got = kind("/q", client), []
            while stage.run(producer.qsize()):
                item = stage.run(worker.get())
                got.append(item.data)
                stage.run(item.delete().addErrback(lambda failure: failure.trap(NoNodeException)))
            self.assertEqual(sorted(set(got)), ITEMS)
            self.assertLessEqual(len(got), 4)
            self.assertEqual(stage.run(producer._client.get_children("/q")), [])
            self.assertEqual(stage.close(), [])
            return moment

        for kind in (ReliableQueue, SerializedQueue):
            self.assertGreater(len(list(moments(once, kind))), 10)

    def test_expired(self) -> None:
        """A plain worker whose session ends gets each item once, or not at all."""

        def once(count: int) -> Moment:
            stage, producer = with_items()
            moment = Moment(count, partial(expire, stage, lambda: client))
            client: ManagedClient = stage.client(ManagedClient, moment)
            got: list[bytes] = []
            worker = Queue("/q", client)
            for _ in ITEMS:
                getter = worker.get().addTimeout(20, stage.server.clock)
                getter.addCallbacks(got.append, lambda failure: failure.trap(TimeoutError) and None)
                stage.run(getter)
            self.assertEqual(stage.run(producer.qsize()), 0)
            self.assertEqual(len(got), len(set(got)))
            self.assertGreaterEqual(len(got), 2)
            return moment

        self.assertGreater(len(list(moments(once))), 10)


class Crew:
    """Workers of one queue whose packets take their time, and who take theirs."""

    def __init__(self, seed: int, kind: type[ReliableQueue]) -> None:
        self.chance = Random(seed)
        self.stage = Stage()
        self.held: list[str] = []
        self.most = 0
        self.done: list[bytes] = []
        self.producer = queue_on(self.stage, self.stage.client())
        slow = [self.stage.client(ManagedClient, meddler=Delay(self.chance)) for _ in range(3)]
        self.workers = [kind("/q", client) for client in slow]

    async def work(self, queue: ReliableQueue) -> None:
        """Take items and work on them, but give some back, until there are no more."""
        clock = self.stage.server.clock
        while len(self.done) < 9:
            item = await queue.get()
            if item.path in self.held:
                raise AssertionError(f"{item} is in two hands")
            self.held.append(item.path)
            self.most = max(self.most, len(self.held))
            await deferLater(clock, self.chance.random() / 50)
            self.held.remove(item.path)
            if self.chance.random() < 0.3:
                await item.release()
            else:
                self.done.append(item.data)
                await item.delete()

    def run(self) -> None:
        """Let nine items be worked on."""
        for number in range(9):
            self.stage.run(self.producer.put(b"%d" % number))
        works = [Deferred.fromCoroutine(self.work(queue)) for queue in self.workers * 2]
        for work in works:
            work.addErrback(lambda failure: failure.trap(CancelledError))
        while len(self.done) < 9:
            self.stage.server.advance(0.1)
        self.stage.server.advance(1)
        for work in works:
            work.cancel()
        self.stage.run(gatherResults(works))


class CrewTests(SynchronousTestCase):
    """Workers in each other's way."""

    def check(self, kind: type[ReliableQueue], most: int) -> None:
        """Let different crews work."""
        for seed in range(40):
            crew = Crew(seed, kind)
            crew.run()
            self.assertEqual(sorted(crew.done), [b"%d" % number for number in range(9)])
            self.assertLessEqual(crew.most, most)
            self.assertEqual(crew.stage.run(crew.producer._client.get_children("/q")), [])
            self.assertEqual(crew.stage.close(), [])

    def test_reliable(self) -> None:
        """No item is ever in two hands, and each is done once."""
        self.check(ReliableQueue, 6)

    def test_serialized(self) -> None:
        """No two items are ever in anybody's hands at the same time."""
        self.check(SerializedQueue, 1)
