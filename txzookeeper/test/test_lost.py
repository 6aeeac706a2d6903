"""A client that is cut off knows by its own clock how long its session is sure to live."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from txzookeeper import constants as c
from txzookeeper.client import ZookeeperClient
from txzookeeper.deadline import Deadline
from txzookeeper.errors import ClosingException, ConnectionLossException, NotConnectedException
from txzookeeper.lifetime import monotonic
from txzookeeper.lock import Lock
from txzookeeper.test.test_client import ClientTestCase
from txzookeeper.testing.memory import MemoryServer


class DeadlineTests(SynchronousTestCase):
    """The clock's work."""

    def setUp(self) -> None:
        """Make a deadline with two clocks: one wakes us, the other one counts."""
        self.clock, self.counted = Clock(), Clock()
        self.told: list[float] = []
        self.deadline = Deadline(
            self.clock, self.counted.seconds, lambda: self.told.append(self.counted.seconds())
        )

    def test_runs_out(self) -> None:
        """It tells once, at its time."""
        self.deadline.start(5.0)
        for clock in (self.counted, self.clock):
            clock.advance(5)
        self.clock.advance(100)
        self.assertEqual(self.told, [5.0])

    def test_woken_too_early(self) -> None:
        """A clock that somebody has put forward wakes it, and it goes on waiting."""
        self.deadline.start(5.0)
        self.clock.advance(3600)
        self.assertEqual(self.told, [])
        self.counted.advance(5)
        self.clock.advance(5)
        self.assertEqual(self.told, [5.0])

    def test_stopped(self) -> None:
        """Stopped, it tells nothing and leaves nothing behind."""
        self.deadline.start(5.0)
        self.deadline.start(6.0)
        self.deadline.stop()
        self.assertEqual((self.clock.getDelayedCalls(), self.told), ([], []))

    def test_in_the_past(self) -> None:
        """What is over already is told in the next turn."""
        self.deadline.start(-1.0)
        self.assertEqual(self.told, [])
        self.clock.advance(0)
        self.assertEqual(self.told, [0.0])

    def test_which_clock(self) -> None:
        """A reactor's own seconds can be set by people; a clock's are what the test says."""
        from twisted.internet import reactor

        self.assertIsNot(monotonic(reactor), reactor.seconds)
        self.assertEqual(monotonic(self.clock), self.clock.seconds)


class LostTests(ClientTestCase):
    """Sessions that nobody confirms."""

    def setUp(self) -> None:
        """Follow the states of a session of 6 seconds, each with its moment."""
        super().setUp()
        self.states: list[tuple[float, int]] = []
        self.unsubscribe = self.client.subscribe_session(
            lambda event: self.states.append((self.server.clock.seconds(), event.connection_state))
        )

    def test_cut_off(self) -> None:
        """A client that is cut off takes its session for lost before the server ends it."""
        run, clock = self.server.run, self.server.clock
        run(self.client.create("/e", flags=c.EPHEMERAL))
        self.server.advance(0.25)
        run(self.client.sync())
        before = self.client.session_left
        self.server.hold()
        begun = clock.seconds()
        self.server.advance(before)
        self.assertEqual([state for _, state in self.states], [c.CONNECTING_STATE, c.LOST_STATE])
        self.assertAlmostEqual(self.states[1][0], begun + before, 2)
        self.assertIn("/e", self.server.server.tree.nodes)
        self.assertLessEqual(self.client.session_left, 0)
        self.server.advance(2)
        self.assertNotIn("/e", self.server.server.tree.nodes)
        self.server.release()
        self.server.advance(2)
        self.assertEqual(self.client.state, c.EXPIRED_SESSION_STATE)

    def test_kept_after_all(self) -> None:
        """A session that the server kept goes on, with its calls, after it was held to be lost."""
        waiting = self.returned_after(7)
        self.assertEqual(
            [state for _, state in self.states],
            [c.CONNECTING_STATE, c.LOST_STATE, c.CONNECTED_STATE],
        )
        self.server.run(waiting)
        self.assertGreater(self.client.session_left, 4)

    def returned_after(self, seconds: float) -> Deferred[Any]:
        """Let the connection be away while the server, too, knows nothing of time."""
        self.server.refuse_connections()
        self.server.drop_connections()
        waiting = self.client.exists("/")
        known = self.server.server.tree.sessions[self.client.client_id[0]]
        known.deadline += 100_000
        self.server.advance(seconds)
        self.assertNoResult(waiting)
        self.server.accept_connections()
        self.server.advance(2)
        return waiting

    def test_late_welcome(self) -> None:
        """A welcome older than the session's time-out is none: the session may be over."""
        way = _CutAtFirst(self.server)
        client = ZookeeperClient(
            "memory:2181", 1000, 4000, reactor=self.server.clock, endpoint=lambda *_: way
        )
        self.clients.append(client)
        left: list[float] = []
        client.subscribe_session(lambda _: left.append(client.session_left))
        connecting = client.connect()
        self.server.advance(3)
        self.server.release()
        self.server.run(connecting)
        self.assertEqual([round(each, 3) for each in left], [1.0])

    def test_left(self) -> None:
        """What is left of a session is what the latest answered request gave it."""
        self.server.advance(10)
        self.server.run(self.client.exists("/"))
        self.assertAlmostEqual(self.client.session_left, 6.0, 2)
        self.server.advance(0.5)
        self.assertAlmostEqual(self.client.session_left, 5.5, 2)
        self.server.run(self.client.close())
        self.assertEqual(self.client.session_left, 0.0)
        self.assertEqual(self.make().session_left, 0.0)

    def test_back_in_time(self) -> None:
        """A reconnection within the session is no loss."""
        self.server.drop_connections()
        self.server.advance(30)
        states = [state for _, state in self.states]
        self.assertEqual(states, [c.CONNECTING_STATE, c.CONNECTED_STATE])

    def test_stopped(self) -> None:
        """The holder of a lock whose process was stopped knows it before anybody tells him."""
        lock = self.server.run(Lock("/lock", self.client).acquire())
        self.assertTrue(lock.acquired)
        self.server.clock.rightNow += 6.1
        self.assertFalse(lock.acquired)

    def test_subscribers(self) -> None:
        """Each subscriber is told, whatever the one before it raises, until it unsubscribes."""
        told: list[int] = []

        def fail(event: object) -> None:
            raise ZeroDivisionError

        self.client.subscribe_session(fail)
        self.client.subscribe_session(lambda event: told.append(event.connection_state))
        self.server.drop_connections()
        self.unsubscribe()
        self.unsubscribe()
        self.server.advance(1)
        self.server.run(self.client.close())
        self.assertEqual(told, [c.CONNECTING_STATE, c.CONNECTED_STATE, c.CLOSED_STATE])
        self.assertEqual(len(self.states), 1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 3)


class FailFastTests(ClientTestCase):
    """Calls that do not wait for a connection."""

    def test_connected(self) -> None:
        """While there is a connection they are as good as any."""
        fast = self.client.fail_fast
        self.assertEqual(self.server.run(fast.create("/a")), "/a")
        self.assertEqual(self.server.run(fast.transaction().delete("/a").commit()), [None])

    def test_away(self) -> None:
        """Without a connection they fail at once, and the client's own wait."""
        self.server.refuse_connections()
        self.server.drop_connections()
        error = self.failureResultOf(self.client.fail_fast.get("/a"), ConnectionLossException)
        self.assertIn("There is no connection", str(error.value))
        waiting = self.client.exists("/a")
        self.assertNoResult(waiting)
        self.server.accept_connections()
        self.assertIs(self.server.run(waiting), None)

    def test_over(self) -> None:
        """When the session is over they say so, as the client's own do."""
        self.server.run(self.client.close())
        self.failureResultOf(self.client.fail_fast.get("/a"), NotConnectedException)


class HandOverTests(ClientTestCase):
    """Sessions that outlive their client."""

    def test_handed_over(self) -> None:
        """Another client goes on with the session and its nodes; the first one is closed."""
        run = self.server.run
        run(self.client.create("/e", flags=c.EPHEMERAL))
        client_id = run(self.client.hand_over())
        self.assertEqual(self.client.state, c.CLOSED_STATE)
        self.server.advance(5)
        heir = self.make()
        run(heir.connect(client_id=client_id))
        self.assertEqual(heir.client_id, client_id)
        self.server.advance(20)
        self.assertEqual(run(heir.get_ephemerals()), ["/e"])

    def test_nobody_takes_it(self) -> None:
        """A session that nobody takes over ends after its time-out."""
        run, other = self.server.run, self.connected()
        run(self.client.create("/e", flags=c.EPHEMERAL))
        run(self.client.hand_over())
        self.server.advance(8)
        self.assertEqual(run(other.exists("/e")), None)

    def test_away(self) -> None:
        """Without a connection the session can be handed over too."""
        self.server.refuse_connections()
        self.server.drop_connections()
        client_id = self.server.run(self.client.hand_over())
        self.server.accept_connections()
        heir = self.make()
        self.server.run(heir.connect(client_id=client_id))
        self.assertEqual(heir.client_id, client_id)

    def test_outstanding(self) -> None:
        """What is outstanding is told that the client closes."""
        reading = self.client.get("/")
        leaving = self.client.hand_over()
        self.failureResultOf(reading, ClosingException)
        self.server.run(leaving)

    def test_nothing_to_hand_over(self) -> None:
        """Without a session there is nothing to hand over."""
        self.failureResultOf(self.make().hand_over(), ClosingException)
        self.server.run(self.client.close())
        self.failureResultOf(self.client.hand_over(), ClosingException)


class StatisticsTests(ClientTestCase):
    """The counters."""

    def test_counted(self) -> None:
        """Requests, answers, refusals, events, connections and their latency are counted."""
        run, numbers = self.server.run, self.client.statistics
        run(self.client.create("/a"))
        _, watch = self.client.get_and_watch("/a")
        run(self.client.set("/a", b"1"))
        run(watch)
        self.run_failing(self.client.get("/nowhere"), Exception)
        self.assertEqual((numbers.requests, numbers.replies), (4, 4))
        self.assertEqual((numbers.refusals, numbers.events, numbers.lost), (1, 1, 0))
        self.assertEqual((numbers.connections, numbers.sessions), (1, 1))
        self.assertGreater(numbers.bytes_sent, 100)
        self.assertGreater(numbers.bytes_received, 100)

    def test_lost_answers(self) -> None:
        """An answer that was lost with the connection is counted, and so is the next connection."""
        numbers = self.client.statistics
        reading = self.client.get("/")
        self.server.drop_connections()
        self.failureResultOf(reading, ConnectionLossException)
        self.server.run(self.client.sync())
        self.assertEqual((numbers.lost, numbers.connections, numbers.sessions), (1, 2, 1))

    def test_latency(self) -> None:
        """An answer's latency runs from the turn in which its request left."""
        self.server.hold()
        reading = self.client.get("/")
        self.server.advance(1.5)
        self.server.release()
        self.server.run(reading)
        numbers = self.client.statistics
        self.assertEqual((numbers.latency, numbers.longest_latency), (1.5, 1.5))
        self.assertEqual(numbers.as_dict()["latency"], 1.5)


@implementer(IStreamClientEndpoint)
class _CutAtFirst:
    """A way to the server that is cut as soon as the first connection is there."""

    def __init__(self, server: MemoryServer) -> None:
        self._server = server
        self._cut = False

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        connecting = self._server.endpoint("", 0).connect(protocolFactory)
        if not self._cut:
            self._cut = True
            connecting.addCallback(self._hold)
        return connecting

    def _hold(self, protocol: IProtocol) -> IProtocol:
        self._server.hold()
        return protocol
