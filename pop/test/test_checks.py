"""When an instance is looked at, and what is told of it; in virtual time."""

from itertools import pairwise
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pop.checks import Checker
from pop.events import Event, Failed, Passed, Unhealthy
from pop.policy import Checks
from pop.program import Launch, Program
from pop.testing import HANGS, FakeProbes

READY = "tcp:80"
LIVE = "http://web/health"
TICK = 1 / 16
"""Seconds that can be added up without rounding."""
LAUNCH = Launch(Program(("true",)))


class Tests(SynchronousTestCase):
    """Probes that do as they are told, and what comes out."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.probes = FakeProbes(self.clock)
        self.told: list[Event] = []
        self.chance = 0.0

    def checker(self, **checks: Any) -> Checker:
        """Look after a process."""

        def probe(description: str, timeout: float) -> Any:
            return self.probes.probe("web", LAUNCH, description, timeout)

        checker = Checker(
            self.clock, probe, Checks(**checks), self.told.append, lambda: self.chance
        )
        self.addCleanup(checker.stop)
        return checker

    def go(self, seconds: float) -> list[Event]:
        """Let time go by, in small steps; what was told meanwhile."""
        already = len(self.told)
        for _ in range(round(seconds / TICK)):
            self.clock.advance(TICK)
        return self.told[already:]

    def times(self, description: str = READY) -> list[float]:
        """When something was checked."""
        return [round(at, 2) for at, what in self.probes.asked if what == description]


class ReadinessTests(Tests):
    """Whether it is ready."""

    def test_soon(self) -> None:
        """What starts is looked at soon and often, then more seldom, up to the interval."""
        self.probes.faults[READY] = "refuses connections"
        self.checker(readiness=READY, interval=1.0).start()
        self.go(7)
        steps = [round(b - a, 1) for a, b in pairwise(self.times())]
        self.assertLess(self.times()[0], 0.2)
        self.assertEqual(sorted(steps), steps)
        self.assertEqual([1.0, 1.0, 1.0], steps[-3:])
        self.assertGreater(len(steps), 8)

    def test_passed(self) -> None:
        """It is ready when it passes, once, and looked at at its interval from then on."""
        self.probes.faults[READY] = "refuses connections"
        self.checker(readiness=READY, interval=5.0, failures=10).start()
        self.assertEqual([], self.go(1))
        del self.probes.faults[READY]
        self.assertEqual([Passed()], self.go(1))
        count = len(self.times())
        self.assertEqual([], self.go(10))
        self.assertEqual(2, len(self.times()) - count)

    def test_fast_interval(self) -> None:
        """An interval that is shorter than soon is kept."""
        self.checker(readiness=READY, interval=TICK).start()
        self.go(8 * TICK)
        self.assertEqual(8, len(self.times()))

    def test_successes(self) -> None:
        """It may take several in a row."""
        self.checker(readiness=READY, successes=3, interval=1.0).start()
        while len(self.times()) < 3:
            self.assertEqual([], self.told)
            self.go(TICK)
        self.assertEqual([Passed()], self.told)

    def test_failed(self) -> None:
        """It is ready no more when it fails often enough in a row, and what was wrong is told."""
        self.checker(readiness=READY, failures=3, interval=1.0).start()
        self.assertEqual([Passed()], self.go(2))
        self.probes.faults[READY] = "refuses connections"
        self.assertEqual([], self.go(2))
        expected = Failed("its readiness check fails: tcp:80 refuses connections")
        self.assertEqual([expected], self.go(20))
        del self.probes.faults[READY]
        self.assertEqual([Passed()], self.go(10))

    def test_now_and_then(self) -> None:
        """A single failure is no reason to say anything."""
        self.checker(readiness=READY, failures=2, interval=1.0).start()
        self.go(1)
        for _ in range(5):
            self.probes.faults[READY] = "refuses connections"
            self.go(1)
            del self.probes.faults[READY]
            self.go(1)
        self.assertEqual([Passed()], self.told)

    def test_another_fault(self) -> None:
        """The same fault is told once; when something else is wrong, that is told."""
        self.probes.faults[READY] = "refuses connections"
        self.checker(readiness=READY, failures=3, interval=1.0).start()
        self.go(20)
        self.probes.faults[READY] = "did something else"
        self.go(3)
        self.assertEqual(
            [
                Failed("its readiness check fails: tcp:80 refuses connections"),
                Failed("its readiness check fails: tcp:80 did something else"),
            ],
            self.told,
        )

    def test_spread(self) -> None:
        """Chance makes waits somewhat shorter."""
        self.chance = 1.0
        self.checker(readiness=READY, interval=10.0).start()
        self.go(40)
        steps = [round(b - a, 1) for a, b in pairwise(self.times()[-3:])]
        self.assertEqual([9.0, 9.0], steps)

    def test_none(self) -> None:
        """Without checks nothing is done."""
        checker = self.checker()
        checker.start()
        checker.ready()
        self.assertEqual([], self.clock.getDelayedCalls())


class LivenessTests(Tests):
    """Whether it lives."""

    def test_once_ready(self) -> None:
        """It must live from when it was ready: what takes long to start is let alone."""
        self.probes.faults[LIVE] = "answered 503"
        checker = self.checker(liveness=LIVE, interval=1.0)
        checker.start()
        self.go(10)
        self.assertEqual([], self.times(LIVE))
        checker.ready()
        checker.ready()
        self.go(2)
        self.assertEqual([11.0, 12.0], [round(at) for at in self.times(LIVE)])

    def test_unhealthy(self) -> None:
        """It is to be restarted when it fails often enough in a row; then no more is asked."""
        checker = self.checker(readiness=READY, liveness=LIVE, interval=1.0, failures=3)
        checker.start()
        checker.ready()
        self.assertEqual([Passed()], self.go(10))
        self.probes.faults[LIVE] = "answered 503"
        expected = Unhealthy("its liveness check fails: http://web/health answered 503")
        self.assertEqual([expected], self.go(5))
        asked = len(self.probes.asked)
        self.assertEqual([], self.go(10))
        self.assertEqual(asked, len(self.probes.asked))

    def test_one_at_a_time(self) -> None:
        """One that takes longer than the interval is waited for."""
        self.probes.faults[LIVE] = HANGS
        checker = self.checker(liveness=LIVE, interval=1.0, timeout=3.0, failures=3)
        checker.ready()
        self.go(10.5)
        self.assertEqual([1, 4, 7], [round(at) for at in self.times(LIVE)])
        self.assertEqual(1, len(self.told))

    def test_interval(self) -> None:
        """The interval is from beginning to beginning."""
        self.probes.faults[LIVE] = HANGS
        checker = self.checker(liveness=LIVE, interval=2.0, timeout=1.0, failures=100)
        checker.ready()
        self.go(7)
        self.assertEqual([2, 4, 6], [round(at) for at in self.times(LIVE)])


class WatchdogTests(Tests):
    """Whether it says that it lives."""

    def test_fed(self) -> None:
        """As long as it says so, all is well."""
        checker = self.checker(watchdog=2.0)
        checker.ready()
        for _ in range(10):
            self.go(1.5)
            checker.watchdog_fed()
        self.assertEqual([], self.told)

    def test_hungry(self) -> None:
        """If it has not said so for too long, it is to be restarted, and that is told once."""
        checker = self.checker(watchdog=2.0)
        checker.start()
        checker.ready()
        self.assertEqual([], self.go(1.9))
        self.assertEqual([Unhealthy("it has not said WATCHDOG=1 for 2 s")], self.go(10))
        checker.watchdog_fed()
        self.assertEqual([], self.go(10))

    def test_not_before(self) -> None:
        """Before it was ready it need not say anything, and may."""
        checker = self.checker(watchdog=2.0)
        checker.start()
        checker.watchdog_fed()
        self.assertEqual([], self.go(10))

    def test_standstill(self) -> None:
        """An agent that stood still itself hears first what was said meanwhile."""
        checker = self.checker(watchdog=2.0)
        checker.ready()
        self.clock.callLater(3.0, checker.watchdog_fed)
        self.clock.advance(60)
        self.assertEqual([], self.told)
        self.assertEqual(1, len(self.go(3)))


class EndTests(Tests):
    """When the process ends, or should."""

    def test_stopped(self) -> None:
        """Nothing goes on, whatever was under way, and nothing is told."""
        for fault in ("answered 503", HANGS, ""):
            for description in (READY, LIVE):
                self.probes.faults[description] = fault
            checker = self.checker(readiness=READY, liveness=LIVE, watchdog=9.0, interval=1.0)
            checker.start()
            checker.ready()
            self.go(2.3)
            already = len(self.told)
            checker.stop()
            checker.stop()
            checker.watchdog_fed()
            checker.ready()
            self.assertEqual([], self.clock.getDelayedCalls())
            self.assertEqual(already, len(self.told))

    def test_stopped_by_what_is_told(self) -> None:
        """Whoever is told may stop it at once."""
        checker = self.checker(readiness=READY)
        checker._told = lambda event: checker.stop()
        checker.start()
        self.go(1)
        self.assertEqual((1, []), (len(self.probes.asked), self.clock.getDelayedCalls()))

    def test_defect(self) -> None:
        """A check that cannot be carried out has failed, and the log says why."""
        self.probes = Broken()  # type: ignore[assignment]
        self.checker(readiness=READY, failures=2).start()
        self.assertEqual([Failed("its readiness check fails: all wrong")], self.go(1))
        self.assertNotEqual([], self.flushLoggedErrors(ZeroDivisionError))


class Broken:
    """Probes with a defect."""

    async def probe(self, *_: object) -> None:
        """Do not do it."""
        raise ZeroDivisionError("all wrong")
