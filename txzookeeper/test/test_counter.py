"""A number that many add to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from twisted.internet.defer import CancelledError

from txzookeeper.client import ZookeeperClient
from txzookeeper.counter import Counter
from txzookeeper.errors import (
    ConnectionLossException,
    NoAuthException,
    NoNodeException,
    SessionExpiredException,
)
from txzookeeper.managed import ManagedClient
from txzookeeper.permissions import ZOO_READ_ACL_UNSAFE
from txzookeeper.test.stage import Moment, Moments, StageTestCase, cut, expire, moments
from txzookeeper.testing.line import Line


class CounterTests(StageTestCase):
    """Counting."""

    def setUp(self) -> None:
        """Have a counter."""
        super().setUp()
        self.counter = Counter("/c", self.client)

    def test_from_nothing(self) -> None:
        """Where there is no node, or no data, the number is 0, and reading makes none."""
        self.assertEqual(self.run_work(self.counter.value()), 0)
        self.assertIsNone(self.run_work(self.client.exists("/c")))
        self.run_work(self.client.create("/c"))
        self.assertEqual(self.run_work(self.counter.value()), 0)
        self.assertEqual(self.run_work(self.counter.add(2)), 2)

    def test_add(self) -> None:
        """What is added is there, as decimal text; parents are made."""
        counter = Counter("/deep/down/c", self.client)
        self.assertEqual(self.run_work(counter.add()), 1)
        self.assertEqual(self.run_work(counter.add(41)), 42)
        self.assertEqual(self.run_work(counter.add(-50)), -8)
        self.assertEqual(self.run_work(counter.value()), -8)
        self.assertEqual(self.run_work(self.client.get("/deep/down/c"))[0], b"-8")

    def test_no_number(self) -> None:
        """Data that are no number are left alone."""
        self.run_work(self.client.create("/c", b"many"))
        for waiting in (self.counter.value(), self.counter.add()):
            error = self.assertRaises(ValueError, self.run_work, waiting)
            self.assertEqual(str(error), "The counter /c has no number in it: b'many'")
        self.assertEqual(self.run_work(self.client.get("/c"))[0], b"many")

    def test_together(self) -> None:
        """Nothing is lost when many add at a time, through one object or through several."""
        clients = [self.client, self.stage.client(), self.stage.client(ManagedClient)]
        counters = [Counter("/c", client) for client in clients for _ in range(2)]
        adding = [counter.add(number) for counter in counters for number in range(1, 6)]
        results = [self.run_work(each) for each in adding]
        self.assertEqual(self.run_work(self.counter.value()), 90)
        self.assertEqual(max(results), 90)
        self.assertEqual(len(set(results)), 30)

    def test_little_left(self) -> None:
        """Each counter leaves one ephemeral node for its session, however much it adds."""
        for _ in range(5):
            self.run_work(self.counter.add())
        [name] = self.run_work(self.client.get_children("/c"))
        stat = self.run_work(self.client.exists(f"/c/{name}"))
        assert stat is not None
        self.assertEqual(stat.ephemeral_owner, self.client.client_id[0])

    def test_node_deleted(self) -> None:
        """A counter that somebody deletes begins again."""
        other = self.stage.client()
        self.run_work(self.counter.add(5))
        [name] = self.run_work(other.get_children("/c"))
        self.run_work(other.delete(f"/c/{name}"))
        self.assertEqual(self.run_work(self.counter.add()), 6)
        [name] = self.run_work(other.get_children("/c"))
        self.run_work(other.transaction().delete(f"/c/{name}").delete("/c").commit())
        self.assertEqual(self.run_work(self.counter.add()), 1)

    def test_refused(self) -> None:
        """What the ACL does not allow is told."""
        self.run_work(self.client.create("/c", b"1", ZOO_READ_ACL_UNSAFE))
        self.assertRaises(NoAuthException, self.run_work, self.counter.add())

    def test_cancelled(self) -> None:
        """Who cancels, whenever, harms no other addition."""
        for passed in range(4):
            one, two = self.counter.add(100), self.counter.add(1)
            for _ in range(passed):
                self.stage.server.clock.advance(0)
            one.cancel()
            one.addErrback(lambda failure: failure.trap(CancelledError))
            self.run_work(two)
        value = self.run_work(self.counter.value())
        self.assertEqual(value % 100, 4)

    def adds(self, number: int, deed: Callable[..., Any], kind: Any, adds: int) -> Moment:
        """Add a few times; something happens at the given moment."""
        moment = Moment(number, deed)
        counter = Counter("/c", self.stage.client(kind, moment), random=Random(number))
        before = self.run_work(self.counter.value())
        for count in range(1, adds + 1):
            self.assertEqual(self.run_work(counter.add()), before + count)
        self.assertEqual(self.run_work(self.counter.value()), before + adds)
        return moment

    def test_cut(self) -> None:
        """Whenever the connection is cut, each addition is made, and made once."""
        self.run_work(self.counter.add())
        for kind in (ZookeeperClient, ManagedClient):
            self.assertGreater(len(list(moments(self.adds, cut, kind, 3))), 11)

    def test_cut_and_cut(self) -> None:
        """Two cuts, whenever they come, are survived as well."""
        self.run_work(self.counter.add())
        for first in range(1, 9):
            for second in range(first + 1, first + 9):
                client = self.stage.client(ZookeeperClient, Moment(first, cut), Moment(second, cut))
                counter = Counter("/c", client)
                before = self.run_work(self.counter.value())
                self.run_work(counter.add())
                self.run_work(counter.add())
                self.assertEqual(self.run_work(self.counter.value()), before + 2)

    def test_expired(self) -> None:
        """If the session ends with the answer, that nobody knows what was done is told."""
        outcomes = []

        def adding(number: int, kind: Any) -> Moment:
            clients: list[ZookeeperClient] = []
            moment = Moment(number, partial(expire, self.stage, lambda: clients[0]))
            clients.append(self.stage.client(kind, moment))
            before = self.run_work(self.counter.value())
            counter, known = Counter("/c", clients[0]), 0
            for _ in range(3):
                try:
                    self.run_work(counter.add())
                    known += 1
                except (ConnectionLossException, SessionExpiredException):
                    break
            done = self.run_work(self.counter.value()) - before
            outcomes.append((known, done))
            self.assertIn(done, (known, min(known + 1, 3)))
            return moment

        self.run_work(self.counter.add())
        for kind in (ZookeeperClient, ManagedClient):
            list(moments(adding, kind))
        self.assertLessEqual({(0, 0), (0, 1), (2, 2), (2, 3), (3, 3)}, set(outcomes))

    def test_proof_deleted(self) -> None:
        """If somebody deletes the proof with the answer, that nobody knows is told as well."""
        outcomes = []

        def adding(number: int) -> Moment:
            before = self.run_work(self.counter.value())

            def remove(line: Line) -> bool:
                deleting = self.client.delete(receipts[0])
                deleting.addErrback(lambda failure: failure.trap(NoNodeException))
                return cut(line)

            moment = Moment(number, remove)
            client = self.stage.client()
            counter = Counter("/c", client)
            self.run_work(counter.add())
            receipts = self.run_work(client.get_ephemerals())
            self.stage.lines[client].meddler = Moments(moment)
            try:
                self.run_work(counter.add())
                known = 2
            except ConnectionLossException:
                known = 1
            added = self.run_work(self.counter.value()) - before
            outcomes.append((known, added))
            self.run_work(client.close())
            return moment

        list(moments(adding))
        self.assertEqual(set(outcomes), {(2, 2), (1, 1), (1, 2)})

    def test_sessions(self) -> None:
        """On a managed client counting goes on in the next session."""
        client = self.stage.client(ManagedClient)
        counter = Counter("/c", client)
        for count in range(1, 4):
            self.assertEqual(self.run_work(counter.add()), count)
            renewed = client.subscribe_new_session()
            self.stage.expire(client)
            self.run_work(renewed)
        self.assertEqual(len(self.run_work(self.client.get_children("/c"))), 1)
