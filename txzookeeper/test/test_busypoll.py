"""A reactor is kept awake for single answers where that makes them quicker, and only there."""

from __future__ import annotations

from random import Random
from socket import socketpair
from typing import Any, cast

from twisted.internet.task import Clock
from twisted.internet.tcp import Connection
from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import constants as c
from txzookeeper.busypoll import LONGEST, RUN, TURNS, BusyPoll
from txzookeeper.call import Call as RealCall
from txzookeeper.call import nothing
from txzookeeper.errors import ClosingException, ConnectionException
from txzookeeper.jute import encode
from txzookeeper.protocol import ZookeeperProtocol
from txzookeeper.records import ConnectRequest, ConnectResponse, ReplyHeader
from txzookeeper.statistics import Statistics


class Call:
    """One that was sent at this time."""

    def __init__(self, sent_at: float = 0.0) -> None:
        self.sent_at = sent_at


class BusyPollTests(SynchronousTestCase):
    """On a clock that goes on a little each time somebody looks at it."""

    def setUp(self) -> None:
        """No time has passed."""
        self.reactor = Clock()
        self.time = 0.0
        self.poll = BusyPoll(self.reactor, self.look)

    def look(self) -> float:
        """Give the time."""
        self.time += LONGEST / 10
        return self.time

    def make_call(self, awake: float, asleep: float) -> bool:
        """Make a call, which takes so long in either way; say whether it was awaited awake."""
        call: Any = Call(self.time)
        self.poll.sent(call)
        way = bool(self.reactor.getDelayedCalls())
        self.poll.answered(call, awake if way else asleep)
        self.reactor.advance(0)
        return way

    def runs(self, count: int, awake: float, asleep: float) -> float:
        """Make calls for so many runs; say how many runs' worth of them was awake."""
        return sum(self.make_call(awake, asleep) for _ in range(count * RUN)) / RUN

    def stay_awake(self) -> None:
        """Find out that this is quicker."""
        self.runs(2, LONGEST / 5, LONGEST / 3)

    def test_awake(self) -> None:
        """The reactor is awake until the answer is there, and no longer."""
        self.stay_awake()
        call: Any = Call()
        self.poll.sent(call)
        self.assertTrue(self.reactor.getDelayedCalls())
        self.poll.answered(call, LONGEST / 2)
        self.reactor.advance(0)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_late(self) -> None:
        """It sleeps, after all, when the answer takes its time."""
        self.stay_awake()
        began = self.time
        call: Any = Call(began)
        self.poll.sent(call)
        self.reactor.advance(0)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertAlmostEqual(self.time - began, LONGEST)

    def test_next_call(self) -> None:
        """A call that is sent when the last one is answered is looked after by the same look."""
        self.stay_awake()
        first: Any = Call()
        second: Any = Call()
        self.poll.sent(first)
        self.poll.answered(first, LONGEST / 2)
        self.poll.sent(second)
        self.assertEqual(len(self.reactor.getDelayedCalls()), 1)

    def test_asleep_at_first(self) -> None:
        """Few calls are not worth finding out."""
        self.assertEqual(self.runs(1, LONGEST / 5, LONGEST / 3), 0)

    def test_quicker_awake(self) -> None:
        """Where staying awake is quicker, sleep is only tried now and then."""
        self.assertGreater(self.runs(40, LONGEST / 5, LONGEST / 3), 36)

    def test_quicker_asleep(self) -> None:
        """Where it is not, as processors are scarce, staying awake is only tried now and then."""
        awake = self.runs(40, LONGEST / 3, LONGEST / 5)
        self.assertTrue(0 < awake < 3, awake)

    def test_hardly_quicker(self) -> None:
        """What is only a little quicker is not worth the processor's time."""
        self.assertLessEqual(self.runs(40, LONGEST * 0.95 / 3, LONGEST / 3), 3)

    def test_slow_server(self) -> None:
        """Nor is it where no answer comes so soon, though some are quicker by chance."""
        chance = Random(1)
        for _ in range(40 * RUN):
            latency = LONGEST * chance.uniform(4, 16)
            self.assertFalse(self.make_call(latency, latency))

    def test_warming_up(self) -> None:
        """A server that is slow at first is found to be near soon after it is not."""
        self.runs(3, 1.0, 1.0)
        self.assertGreater(self.runs(20, LONGEST / 5, LONGEST / 3), 10)

    def test_costly_trial(self) -> None:
        """A trial ends before it takes more time than a run of the better way.

        A program that spins on a busy machine has used up its time when the answer is there, and
        may have to wait for milliseconds until it has its turn again.
        """
        self.assertLess(self.runs(48, 20 * LONGEST, LONGEST / 5), 0.2)

    def test_early_end(self) -> None:
        """A trial of sleep that ends early, as it must, is not taken for a quick one."""
        self.stay_awake()
        self.assertGreater(self.runs(160, LONGEST / 6, LONGEST / 5), 145)

    def test_rare_stalls(self) -> None:
        """Nor does it help that most answers are quick, if some take so much longer."""
        count = self.runs(2, LONGEST / 5, LONGEST / 3)
        for number in range(60 * RUN):
            count += self.make_call(LONGEST * (20 if number % 20 == 0 else 0.2), LONGEST / 3) / RUN
        self.assertLess(count, 8)

    def test_things_change(self) -> None:
        """What was better is left when it is so no more."""
        self.runs(20, LONGEST / 5, LONGEST / 3)
        self.assertLessEqual(self.runs(32, LONGEST / 2, LONGEST / 3), 3)
        self.assertGreaterEqual(self.runs(80, LONGEST / 5, LONGEST / 3), 29)

    def test_outliers(self) -> None:
        """One answer that takes a second, as a disk was busy, is not held against it for long."""
        self.stay_awake()
        self.make_call(1.0, 1.0)
        self.assertGreater(self.runs(120, LONGEST / 5, LONGEST / 3), 60)

    def test_several(self) -> None:
        """Calls that were under way together say nothing of what is better."""
        first: Any = Call()
        last: Any = Call()
        for _ in range(10 * RUN):
            self.poll.sent(first)
            self.poll.answered(last, 1.0)
        self.assertEqual(self.runs(1, LONGEST / 5, LONGEST / 3), 0)
        self.assertEqual(self.runs(1, LONGEST / 5, LONGEST / 3), 1)

    def test_closed(self) -> None:
        """Nothing is left when the connection is over, and that may be said twice."""
        self.stay_awake()
        call: Any = Call()
        self.poll.sent(call)
        self.poll.close()
        self.poll.close()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_standing_clock(self) -> None:
        """It sleeps in the end even if the time stands still, as a test's clock does."""
        turns: list[float] = []

        def look() -> float:
            turns.append(0.0)
            if len(turns) > 2 * TURNS:
                raise AssertionError("It looks for ever.")
            return 0.0

        poll = BusyPoll(self.reactor, look)
        call: Any = Call()
        for _ in range(RUN):
            poll.sent(call)
            poll.answered(call, LONGEST / 3)
        for number in range(1, 3):
            poll.sent(call)
            self.reactor.advance(0)
            self.assertEqual(self.reactor.getDelayedCalls(), [])
            self.assertEqual(len(turns), number * (TURNS - 1))


class Wire(Clock):
    """A reactor with time and sockets, none of which is ever ready."""

    def addReader(self, reader: object) -> None:
        """Do nothing."""

    addWriter = removeReader = removeWriter = addReader


class ConnectionTests(SynchronousTestCase):
    """On a real socket, in a reactor that is told when its turns are."""

    def setUp(self) -> None:
        """Connect, and be welcome."""
        self.reactor: Any = Wire()
        self.clock = Clock()
        ours, theirs = socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        ours.setblocking(False)
        self.protocol = ZookeeperProtocol(
            self.clock,
            self.clock.seconds,
            ConnectRequest(0, 0, 1000, 0, bytes(16)),
            lambda event: None,
            Statistics(),
        )
        transport = Connection(ours, self.protocol, cast(Any, self.reactor))
        self.protocol.makeConnection(transport)
        self.receive(encode(ConnectResponse(0, 1000, 7, bytes(16))))

    def receive(self, body: bytes) -> None:
        """Let a packet come in."""
        self.protocol.dataReceived(len(body).to_bytes(4, "big") + body)

    def send(self) -> RealCall[None]:
        """Make a call; the reactor is awake, as it is tried after a run of others."""
        for _ in range(RUN):
            self.clock.advance(LONGEST / 10)
            first = self.call()
            self.receive(encode(ReplyHeader(first.xid, 1, 0)))
        call = self.call()
        self.assertTrue(self.reactor.getDelayedCalls())
        return call

    def call(self) -> RealCall[None]:
        """Make a call."""
        call: RealCall[None] = RealCall(c.DELETE_OP, "/a", b"", nothing)
        self.protocol.send(call)
        return call

    def assert_asleep(self) -> None:
        """Look that nothing keeps the reactor awake."""
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_answered(self) -> None:
        """A call keeps the reactor awake for as long as it is under way."""
        call = self.send()
        self.receive(encode(ReplyHeader(call.xid, 1, 0)))
        self.assertIsNone(self.successResultOf(call.deferred))
        self.reactor.advance(0)
        self.assert_asleep()

    def test_closed(self) -> None:
        """One that fails, as the session is closed, does so no more."""
        call = self.send()
        self.protocol.close(ClosingException, 1)
        self.failureResultOf(call.deferred, ClosingException)
        self.assert_asleep()

    def test_left(self) -> None:
        """Nor does one that fails, as the session is handed over."""
        call = self.send()
        self.protocol.leave(ClosingException, 1)
        self.failureResultOf(call.deferred, ClosingException)
        self.reactor.advance(0)
        self.assert_asleep()

    def test_aborted(self) -> None:
        """Nor does one whose connection breaks."""
        call = self.send()
        self.protocol.abort(ConnectionException())
        self.reactor.advance(0)
        self.failureResultOf(call.deferred)
        self.assert_asleep()
