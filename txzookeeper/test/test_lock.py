"""Locks: one holder at a time, or some, in the order of asking."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred, TimeoutError

from txzookeeper import constants as c
from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import NoAuthException
from txzookeeper.lock import Lock, LockError, LockLost, ReadLock, Semaphore, WriteLock
from txzookeeper.permissions import ZOO_READ_ACL_UNSAFE
from txzookeeper.records import ACL
from txzookeeper.test.locks import LockTestCase
from txzookeeper.test.stage import Moment, cut, moments
from txzookeeper.utils import sleep
from txzookeeper.waiting_line import tickets


class LockTests(LockTestCase):
    """What a lock promises while nothing goes wrong."""

    def test_life(self) -> None:
        """A lock is acquired, held, released, and acquired again; its path is made."""
        lock = self.lock()
        self.assertFalse(lock.acquired)
        self.assertIs(self.run_work(lock.acquire()), lock)
        self.assertTrue(lock.acquired)
        [name] = self.nodes()
        self.assertRegex(name, r"^lock-[0-9a-f]{16}-\d{10}$")
        released = lock.release()
        self.assertFalse(lock.acquired)
        self.assertEqual(len(self.client._channel.watches), 0)
        self.assertEqual(self.client._subscribers, [])
        self.assertIsNone(self.run_work(released))
        self.assertEqual(self.nodes(), [])
        self.run_work(lock.acquire())
        self.run_work(lock.release())

    def test_misuse(self) -> None:
        """What makes no sense is refused: taking it twice, releasing what is not held."""
        lock = self.lock()
        self.failureResultOf(lock.release(), LockError)
        self.failureResultOf(lock.lost(), LockError)
        self.assertRaises(LockError, lambda: lock.token)
        waiting = lock.acquire()
        for again in (lock.acquire(), lock.release()):
            self.failureResultOf(again, LockError)
        self.run_work(waiting)
        self.failureResultOf(lock.acquire(), LockError)
        self.run_work(lock.release())
        self.failureResultOf(lock.release(), LockError)
        self.failureResultOf(lock.lost(), LockError)

    def test_exclusive(self) -> None:
        """Two locks exclude each other, of two clients or of one."""
        for other in (self.client, self.stage.client()):
            first = self.held()
            second = self.lock(other)
            waiting = second.acquire()
            self.stage.server.advance(20)
            self.assertNoResult(waiting)
            self.assertFalse(second.acquired)
            self.run_work(first.release())
            self.run_work(waiting)
            self.run_work(second.release())

    def test_tokens(self) -> None:
        """The token is the transaction that made the node, and higher for each next holder."""
        tokens = []
        for client in (self.client, self.stage.client(), self.client):
            lock = self.held(client)
            [name] = self.nodes()
            stat = self.run_work(self.client.exists(f"/locks/one/{name}"))
            assert stat is not None
            self.assertEqual(lock.token, stat.czxid)
            tokens.append(lock.token)
            self.run_work(lock.release())
        self.assertEqual(tokens, sorted(set(tokens)))

    def test_fair(self) -> None:
        """Twenty get it in the order in which they asked for it."""
        order: list[int] = []
        locks = [self.lock(self.stage.client()) for _ in range(20)]
        waiting = []
        for lock in locks:
            waiting.append(lock.acquire().addCallback(locks.index).addCallback(order.append))
            self.stage.server.settle()
        for number in range(20):
            self.run_work(waiting[number])
            self.assertEqual(order, list(range(number + 1)))
            self.assertEqual([lock.acquired for lock in locks].count(True), 1)
            self.run_work(locks[number].release())
        self.assertEqual(self.nodes(), [])

    def test_no_herd(self) -> None:
        """When the lock is released only the next one is woken, and he asks once."""
        holder = self.held()
        others = [self.stage.client() for _ in range(5)]
        waiting = []
        for client in others:
            waiting.append(self.lock(client).acquire())
            self.stage.server.settle()
        before = [client.statistics.requests for client in others]
        self.run_work(holder.release())
        self.run_work(waiting[0])
        after = [client.statistics.requests for client in others]
        # He lists the line, and from then on watches his own node.
        self.assertEqual([b - a for a, b in zip(before, after, strict=True)], [2, 0, 0, 0, 0])

    def test_leaver(self) -> None:
        """Who gives up in the middle of the line holds up nobody."""
        holder, leaver, last = self.held(), self.lock(self.stage.client()), self.lock()
        leaving = leaver.acquire()
        self.stage.server.settle()
        waiting = last.acquire()
        self.stage.server.settle()
        leaving.cancel()
        self.failureResultOf(leaving, CancelledError)
        self.stage.server.settle()
        self.assertNoResult(waiting)
        self.run_work(holder.release())
        self.run_work(waiting)
        self.run_work(last.release())

    def test_time_out(self) -> None:
        """Waiting can be limited, and leaves no trace then."""
        holder = self.held()
        waiting = self.lock().acquire().addTimeout(3, self.stage.server.clock)
        self.assertRaises(TimeoutError, self.run_work, waiting)
        self.assertFalse(self.lock().acquired)
        self.assertEqual(len(self.nodes()), 1)
        self.run_work(holder.release())

    def test_context(self) -> None:
        """In a block it is held, and afterwards it is not, even if the block raises."""
        lock = self.lock()

        async def block() -> None:
            async with lock as same:
                self.assertIs(same, lock)
                self.assertTrue(lock.acquired)
                raise ValueError

        self.assertRaises(ValueError, self.run_work, block())
        self.assertFalse(lock.acquired)
        self.assertEqual(self.nodes(), [])

    def test_contenders(self) -> None:
        """Everybody can see who holds it and who waits."""
        lock = self.lock(identifier=b"us")
        self.assertEqual(self.run_work(lock.contenders()), [])
        self.run_work(lock.acquire())
        other = self.lock(self.stage.client(), b"them")
        waiting = other.acquire()
        self.stage.server.settle()
        self.assertEqual(self.run_work(other.contenders()), [b"us", b"them"])
        self.run_work(lock.release())
        self.run_work(waiting)
        self.assertEqual(self.run_work(lock.contenders()), [b"them"])

    def test_acls(self) -> None:
        """All nodes made get the ACL that is given."""
        everything = ACL(c.PERM_ALL, "ip", "127.0.0.1")
        lock = Lock("/deep/lock", self.client, acls=[everything])
        self.run_work(lock.acquire())
        [name] = self.run_work(self.client.get_children("/deep/lock"))
        for path in ("/deep", "/deep/lock", f"/deep/lock/{name}"):
            self.assertEqual(self.run_work(self.client.get_acl(path))[0], [everything])

    def test_refused(self) -> None:
        """Who may not stand in line is told so."""
        self.run_work(self.client.create("/locks"))
        self.run_work(self.client.create("/locks/one", acls=ZOO_READ_ACL_UNSAFE))
        lock = self.lock()
        self.assertRaises(NoAuthException, self.run_work, lock.acquire())
        self.assertRaises(NoAuthException, self.run_work, lock.acquire())

    def test_gone(self) -> None:
        """A line in which nobody stands any more goes away, and is made again."""
        for _ in range(2):
            lock = self.held()
            self.stage.server.advance(5)
            self.assertTrue(lock.acquired)
            self.run_work(lock.release())
            self.stage.server.advance(5)
            self.assertEqual(self.run_work(self.client.get_children("/locks")), [])

    def test_root(self) -> None:
        """The line may be the root, where other nodes are of no account."""
        lock = self.run_work(Lock("/", self.client).acquire())
        self.run_work(lock.release())
        self.assertEqual(self.run_work(self.client.get_children("/")), ["zookeeper"])


class RunTests(LockTestCase):
    """Work that is done under a lock."""

    def test_result(self) -> None:
        """The work gets the token, and its result is given when the lock is free again."""
        lock = self.lock()

        async def work(token: int) -> str:
            self.assertEqual(token, lock.token)
            await self.client.sync()
            return "done"

        self.assertEqual(self.run_work(lock.run(work)), "done")
        self.assertEqual(self.nodes(), [])

    def test_error(self) -> None:
        """The work's error is given when the lock is free again."""

        def work(token: int) -> Deferred[None]:
            raise ValueError

        self.assertRaises(ValueError, self.run_work, self.lock().run(work))
        self.assertEqual(self.nodes(), [])

    def test_cancelled(self) -> None:
        """Cancelling ends the work, and then frees the lock."""
        ended: list[str] = []

        async def work(token: int) -> None:
            try:
                await Deferred()
            finally:
                await sleep(self.client, 1)
                ended.append("work")

        running = self.lock().run(work)
        self.stage.server.settle()
        self.assertEqual(len(self.nodes()), 1)
        running.cancel()
        self.assertNoResult(running)
        self.assertRaises(CancelledError, self.run_work, running)
        self.assertEqual((ended, self.nodes()), (["work"], []))

    def test_cancelled_while_waiting(self) -> None:
        """Who is cancelled while he waits does no work."""
        holder = self.held()

        async def work(token: int) -> None:
            self.fail("It was not our turn.")

        running = self.lock().run(work)
        self.stage.server.settle()
        running.cancel()
        self.failureResultOf(running, CancelledError)
        self.assertEqual(len(self.nodes()), 1)
        self.run_work(holder.release())

    def test_lost(self) -> None:
        """The work is cancelled when the lock is lost, and that is told when it has ended."""
        client, ended = self.stage.client(), list[str]()

        async def work(token: int) -> None:
            try:
                await Deferred()
            except CancelledError:
                await sleep(self.client, 2)
                ended.append("work")
                raise

        running = self.lock(client).run(work)
        self.stage.server.settle()
        self.stage.expire(client)
        self.stage.server.advance(1)
        self.assertNoResult(running)
        self.assertRaises(LockLost, self.run_work, running)
        self.assertEqual(ended, ["work"])

    def test_lost_all_the_same(self) -> None:
        """Work that comes to its end in spite of the loss does not pass for done."""
        client = self.stage.client()

        async def work(token: int) -> str:
            try:
                await Deferred()
            except CancelledError:
                return "done"
            return "impossible"

        running = self.lock(client).run(work)
        self.stage.server.settle()
        self.stage.expire(client)
        self.assertRaises(LockLost, self.run_work, running)


class SharedTests(LockTestCase):
    """Locks that several hold."""

    def acquired(self, *locks: Lock) -> list[bool]:
        """Let everything happen that will, and give who holds his lock."""
        self.stage.server.advance(1)
        return [lock.acquired for lock in locks]

    def test_readers_and_writers(self) -> None:
        """Readers share, a writer is alone, and the order of asking is kept."""
        locks: list[Lock] = []
        for kind in (ReadLock, ReadLock, WriteLock, ReadLock, WriteLock, ReadLock, ReadLock):
            locks.append(kind("/rw", self.stage.client(), kind.kind.encode()))
            locks[-1].acquire()
            self.stage.server.settle()
        steps = []
        while any(held := self.acquired(*locks)):
            steps.append("".join("-x"[each] for each in held))
            self.run_work(locks[held.index(True)].release())
        self.assertEqual(
            steps,
            ["xx-----", "-x-----", "--x----", "---x---", "----x--", "-----xx", "------x"],
        )

    def test_many_readers(self) -> None:
        """A writer waits for all readers, in whichever order they go."""
        readers = [self.run_work(ReadLock("/rw", self.client).acquire()) for _ in range(3)]
        writer = WriteLock("/rw", self.client)
        waiting = writer.acquire()
        for reader in (readers[2], readers[0], readers[1]):
            self.assertEqual(self.acquired(writer), [False])
            self.run_work(reader.release())
        self.run_work(waiting)

    def test_semaphore(self) -> None:
        """As many as there are leases hold it, and each who leaves lets the next one in."""
        clients = [self.stage.client() for _ in range(3)]
        locks = [Semaphore("/s", clients[number % 3], 3) for number in range(8)]
        for lock in locks:
            lock.acquire()
            self.stage.server.settle()
        for leaver in (1, 0, 3, 2, 5, 4, 7, 6):
            held = self.acquired(*locks)
            self.assertTrue(held[leaver])
            self.assertEqual(held.count(True), min(3, len(self.names())))
            self.run_work(locks[leaver].release())
        self.assertEqual(self.names(), [])

    def names(self) -> list[str]:
        """Give who stands at the semaphore."""
        return [each.name for each in self.run_work(tickets(self.client, "/s"))]

    def test_semaphore_waiters_leave(self) -> None:
        """Those who give up waiting hold up nobody."""
        locks = [Semaphore("/s", self.client, 2) for _ in range(6)]
        waiting = []
        for lock in locks:
            waiting.append(lock.acquire())
            self.stage.server.settle()
        for number in (2, 4):
            waiting[number].cancel()
            self.failureResultOf(waiting[number], CancelledError)
        self.run_work(locks[1].release())
        self.assertEqual(self.acquired(*locks), [True, False, False, True, False, False])
        self.run_work(locks[0].release())
        self.assertEqual(self.acquired(*locks), [False, False, False, True, False, True])

    def test_leases(self) -> None:
        """A semaphore without leases makes no sense."""
        self.assertRaises(ValueError, Semaphore, "/s", self.client, 0)
        self.assertEqual(Semaphore("/s", self.client, 4).leases, 4)

    def test_cut(self) -> None:
        """Whenever the connection is cut, a semaphore's lease is had and given back."""

        def life(number: int) -> Moment:
            moment = Moment(number, cut)
            held = [self.run_work(Semaphore("/s", self.client, 2).acquire()) for _ in range(2)]
            lock = Semaphore("/s", self.stage.client(ZookeeperClient, moment), 2)
            waiting = lock.acquire()
            self.stage.server.settle()
            self.run_work(held[0].release())
            self.run_work(waiting)
            self.run_work(lock.release())
            self.run_work(held[1].release())
            self.assertEqual(self.names(), [])
            return moment

        self.assertGreater(len(list(moments(life))), 6)
