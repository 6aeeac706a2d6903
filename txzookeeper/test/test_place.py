"""Places in a line, as locks have them: lost, or in trouble, and who is told."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from txzookeeper import constants as c
from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import ClosingException, SessionExpiredException
from txzookeeper.lock import Lock, LockError, LockLost
from txzookeeper.managed import ManagedClient
from txzookeeper.test.locks import LockTestCase
from txzookeeper.test.stage import Moment, cut, expire, moments
from txzookeeper.testing.line import Line
from txzookeeper.utils import ensure_path, sleep


class LossTests(LockTestCase):
    """How a lock is lost, and who is told."""

    def setUp(self) -> None:
        """Have a lock that somebody else holds."""
        super().setUp()
        self.network = self.stage.server.network()
        self.holder = ZookeeperClient(
            self.stage.server.servers,
            6000,
            reactor=self.stage.server.clock,
            endpoint=self.network.endpoint,
        )
        self.stage.clients.append(self.holder)
        self.run_work(self.holder.connect())
        self.one = self.held(self.holder)

    def assert_lost(self, lost: Deferred[str], reason: str) -> None:
        """Require that the lock was lost for this reason, and behaves so."""
        self.assertEqual(self.successResultOf(lost), reason)
        self.assertEqual(self.successResultOf(self.one.lost()), reason)
        self.assertFalse(self.one.acquired)
        self.assertRaises(LockError, lambda: self.one.token)
        error = self.failureResultOf(self.one.release(), LockLost).value
        self.assertIs(error.lock, self.one)
        self.assertEqual(str(error), f"The lock /locks/one was lost: {reason}")
        self.failureResultOf(self.one.release(), LockError)

    def test_expired(self) -> None:
        """When the holder's session expires he is told, and the next one gets the lock."""
        lost = self.one.lost()
        waiting = self.lock().acquire()
        self.stage.server.settle()
        self.stage.expire(self.holder)
        self.run_work(waiting)
        self.stage.server.advance(1)
        self.assert_lost(lost, "The session is expired.")

    def test_predicted(self) -> None:
        """A holder cut off from all servers is told before anybody else can get the lock."""
        order: list[str] = []
        lost = self.one.lost()
        self.one.lost().addCallback(lambda _: order.append("lost"))
        waiting = self.lock().acquire().addCallback(lambda _: order.append("next"))
        self.stage.server.settle()
        self.network.hold()
        self.run_work(waiting)
        self.assertEqual(order, ["lost", "next"])
        self.assert_lost(lost, "The session is lost.")
        self.network.release()

    def test_kept_after_all(self) -> None:
        """A lock that was lost by the clock is given back when the server kept the session."""
        lost = self.one.lost()
        # The server hears nothing of the client, but lives on less time than the client thinks.
        self.network.refuse_connections()
        self.network.drop_connections()
        self.stage.server.server.heard_of(self.holder.client_id[0])
        for _ in range(7):
            self.stage.server.advance(1)
            self.stage.server.server.heard_of(self.holder.client_id[0])
        self.assertEqual(self.holder.state, c.LOST_STATE)
        self.assert_lost(lost, "The session is lost.")
        self.assertEqual(len(self.nodes()), 1)
        self.network.accept_connections()
        self.run_work(self.holder.sync())
        self.assertTrue(self.holder.connected)
        self.assert_free()

    def test_deleted(self) -> None:
        """When somebody deletes his node the holder is told."""
        lost = self.one.lost()
        [name] = self.nodes()
        self.run_work(self.client.delete(f"/locks/one/{name}"))
        self.assert_lost(lost, f"There is no node /locks/one/{name}.")
        self.run_work(self.one.acquire())
        self.assertTrue(self.one.acquired)

    def test_changed(self) -> None:
        """Whatever else is done to his node does not matter to the holder."""
        lost = self.one.lost()
        [name] = self.nodes()
        for data in (b"1", b"2"):
            self.run_work(self.client.set(f"/locks/one/{name}", data))
        self.network.drop_connections()
        self.run_work(self.holder.sync())
        self.assertNoResult(lost)
        self.run_work(self.client.delete(f"/locks/one/{name}"))
        self.stage.server.settle()
        self.successResultOf(lost)

    def test_deleted_while_away(self) -> None:
        """A holder who was away while his node was deleted is told when he is back."""
        lost = self.one.lost()
        [name] = self.nodes()
        self.network.refuse_connections()
        self.network.drop_connections()
        self.run_work(self.client.delete(f"/locks/one/{name}"))
        self.network.accept_connections()
        self.stage.server.advance(1)
        self.assert_lost(lost, f"There is no node /locks/one/{name}.")

    def test_closed(self) -> None:
        """Closing the client loses its locks, and frees them."""
        lost = self.one.lost()
        self.run_work(self.holder.close())
        self.assert_lost(lost, "The session is closed.")
        self.assert_free()

    def test_many_told(self) -> None:
        """Each who asked is told, whatever the others do about it."""
        asked = [self.one.lost() for _ in range(3)]
        asked[0].addCallback(lambda _: 1 / 0)
        asked[1].cancel()
        self.stage.expire(self.holder)
        self.stage.server.advance(1)
        self.failureResultOf(asked[0], ZeroDivisionError)
        self.failureResultOf(asked[1], CancelledError)
        self.assertEqual(self.successResultOf(asked[2]), "The session is expired.")

    def test_released(self) -> None:
        """Who has released it loses nothing any more."""
        lost = self.one.lost()
        self.run_work(self.one.release())
        self.run_work(self.holder.close())
        self.assertNoResult(lost)

    def test_managed(self) -> None:
        """On a managed client a lost lock is acquired again in the next session."""
        client = self.stage.client(ManagedClient)
        self.run_work(self.one.release())
        lock = self.held(client)
        for _ in range(3):
            lost = lock.lost()
            self.stage.expire(client)
            self.assertEqual(self.run_work(lost), "The session is expired.")
            self.run_work(lock.acquire())
            self.assertEqual(len(self.nodes()), 1)
        self.run_work(lock.release())
        self.assert_free()

    def test_block(self) -> None:
        """A block that ends after the lock was lost tells so, unless it raises itself."""

        async def block(error: Exception | None) -> None:
            async with self.lock(self.holder):
                self.stage.expire(self.holder)
                await sleep(self.client, 1)
                if error is not None:
                    raise error

        self.run_work(self.one.release())
        self.assertRaises(LockLost, self.run_work, block(None))
        self.holder = self.stage.client()
        self.assertRaises(ValueError, self.run_work, block(ValueError()))


class TroubleTests(LockTestCase):
    """What happens to a lock at every single moment of its life."""

    def life(self, number: int, deed: Callable[..., Any], kind: Any, contended: bool) -> Moment:
        """Take and give back a lock; something happens at one moment of that."""
        moment = Moment(number, deed)
        holder = self.held() if contended else None
        lock = self.lock(self.stage.client(kind, moment))
        waiting = lock.acquire()
        self.stage.server.settle()
        if holder is not None:
            self.assertNoResult(waiting)
            self.run_work(holder.release())
        self.run_work(waiting)
        self.assertTrue(lock.acquired)
        self.assertEqual(len(self.nodes()), 1)
        self.run_work(lock.release())
        self.assertEqual(self.nodes(), [])
        return moment

    def test_cut(self) -> None:
        """Whenever the connection is cut, the lock is had and given back, and nothing is left."""
        for kind in (ZookeeperClient, ManagedClient):
            for contended in (False, True):
                count = len(list(moments(self.life, cut, kind, contended)))
                self.assertGreater(count, 6 if contended else 4)

    def test_cut_of_the_holder(self) -> None:
        """A cut connection, whenever, does not cost its holder the lock."""

        def holding(number: int) -> Moment:
            moment = Moment(number, cut)
            lock = self.held(self.stage.client(ZookeeperClient, moment))
            lost = lock.lost()
            self.stage.server.advance(20)
            self.assertNoResult(lost)
            self.assertTrue(lock.acquired)
            self.run_work(lock.release())
            return moment

        self.assertGreater(len(list(moments(holding))), 20)

    def test_cancelled(self) -> None:
        """Whenever waiting is cancelled, neither node nor watch is left."""

        def cancelling(number: int, also: Callable[[Line], bool]) -> Moment:
            waiting: list[Deferred[Lock]] = []

            def cancel(line: Line) -> bool:
                waiting[0].cancel()
                return also(line)

            moment = Moment(number, cancel)
            client = self.stage.client(ZookeeperClient, moment)
            lock = self.lock(client)
            waiting.append(lock.acquire())
            self.stage.server.advance(1)
            if moment.came:
                self.failureResultOf(waiting[0], CancelledError)
                self.assertFalse(lock.acquired)
                self.assertEqual(len(client._channel.watches), 0)
                self.assertEqual(len(self.nodes()), 1)
                # The same object can be used again.
                waiting.append(lock.acquire())
            waiting[-1].cancel()
            waiting[-1].addErrback(lambda _: None)
            return moment

        holder = self.held()
        for also in (lambda _: False, cut):
            self.assertGreater(len(list(moments(cancelling, also))), 5)
        self.run_work(holder.release())
        self.assert_free()

    def test_expired(self) -> None:
        """Whenever a waiting session expires that is told, and holds up nobody."""

        def expiring(number: int) -> Moment:
            client: list[ZookeeperClient] = []
            moment = Moment(number, lambda line: expire(self.stage, lambda: client[0], line))
            client.append(self.stage.client(ZookeeperClient, moment))
            lock = self.lock(client[0])
            waiting = lock.acquire()
            self.stage.server.advance(1)
            if moment.came:
                self.failureResultOf(waiting, SessionExpiredException)
                self.assertFalse(lock.acquired)
            self.assertEqual(len(self.nodes()), 1 if moment.came else 2)
            waiting.addErrback(lambda _: None).cancel()
            return moment

        holder = self.held()
        self.assertGreater(len(list(moments(expiring))), 5)
        self.run_work(holder.release())
        self.assert_free()

    def test_expired_managed(self) -> None:
        """Whenever a managed client's session expires, it stands in line again."""

        def expiring(number: int, contended: bool) -> Moment:
            client: list[ManagedClient] = []
            moment = Moment(number, lambda line: expire(self.stage, lambda: client[0], line))
            client.append(self.stage.client(ManagedClient, moment))
            holder = self.held() if contended else None
            lock = self.lock(client[0])
            waiting = lock.acquire()
            self.stage.server.advance(1)
            if holder is not None:
                self.assertNoResult(waiting)
                self.run_work(holder.release())
            self.run_work(waiting)
            self.stage.server.advance(1)
            self.assertEqual(len(self.nodes()), int(lock.acquired))
            if lock.acquired:
                self.run_work(lock.release())
            return moment

        for contended in (False, True):
            self.assertGreater(len(list(moments(expiring, contended))), 4)
        self.assert_free()

    def test_stale_node(self) -> None:
        """A node of an older session, which is about to vanish, is not taken for ours."""
        stale = self.stage.client()
        client = self.stage.client(ManagedClient, Moment(1, cut))
        lock = Lock("/locks/one", client, random=Random(7))
        self.run_work(ensure_path(stale, "/locks/one"))
        prefix = f"/locks/one/lock-{Random(7).getrandbits(64):016x}-"
        path = self.run_work(stale.create(prefix, flags=c.EPHEMERAL | c.SEQUENCE))
        waiting = lock.acquire()
        self.stage.server.advance(1)
        self.assertNoResult(waiting)
        self.assertEqual(len(self.nodes()), 2)
        renewed = client.subscribe_new_session()
        ours = f"/locks/one/{self.nodes()[1]}"
        self.stage.expire(client)
        # Now there is one with the very name of ours, too.
        self.run_work(stale.create(ours, flags=c.EPHEMERAL))
        self.run_work(renewed)
        self.run_work(stale.delete(path))
        self.stage.server.advance(1)
        self.assertNoResult(waiting)
        self.run_work(stale.close())
        self.run_work(waiting)

    def test_closed(self) -> None:
        """Whenever the client is closed, waiting ends, and nothing is left."""

        def closing(number: int) -> Moment:
            client: list[ZookeeperClient] = []

            def close(line: Line) -> bool:
                client[0].close()
                return False

            moment = Moment(number, close)
            client.append(self.stage.client(ZookeeperClient, moment))
            waiting = self.lock(client[0]).acquire()
            self.stage.server.advance(1)
            if moment.came:
                self.failureResultOf(waiting, ClosingException)
                self.assertEqual(len(self.nodes()), 1)
            waiting.addErrback(lambda _: None).cancel()
            return moment

        holder = self.held()
        self.assertGreater(len(list(moments(closing))), 5)
        self.run_work(holder.release())
        self.assert_free()

    def test_node_deleted_while_waiting(self) -> None:
        """Who loses his place while he waits stands in line again."""
        holder = self.held()
        lock = self.lock(self.stage.client())
        waiting = lock.acquire()
        _, name = self.nodes()
        self.run_work(self.client.delete(f"/locks/one/{name}"))
        self.run_work(holder.release())
        self.run_work(waiting)
        self.assertTrue(lock.acquired)
        self.assertEqual(len(self.nodes()), 1)

    def test_line_deleted(self) -> None:
        """A line that somebody deletes is made again."""
        lock = self.held()
        lost = lock.lost()
        [name] = self.nodes()
        self.run_work(self.client.delete(f"/locks/one/{name}"))
        self.run_work(self.client.delete("/locks/one"))
        self.run_work(lost)
        self.run_work(lock.acquire())
        self.assertTrue(lock.acquired)
