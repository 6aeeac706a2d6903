"""One check, carried out again and again, in virtual time."""

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pop.errors import CheckFailed
from pop.policy import Checks
from pop.series import GROWTH, SPREAD, Series


class SeriesTests(SynchronousTestCase):
    """A probe whose outcome the test decides.

    @ivar begun: when each probe began.
    @ivar judged: the verdicts.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.begun: list[float] = []
        self.asked: list[tuple[str, float]] = []
        self.cancelled = 0
        self.outcome: Deferred[None] = Deferred()
        self.judged: list[str | None] = []
        self.chance = 0.0
        self.ends: Series | None = None

    def judge(self, verdict: str | None) -> None:
        """It is judged."""
        self.judged.append(verdict)
        if self.ends:
            self.ends.stop()

    async def probe(self, description: str, timeout: float) -> None:
        """Take as long as the test likes."""
        self.begun.append(self.clock.seconds())
        self.asked.append((description, timeout))
        try:
            await self.outcome
        except CancelledError:
            self.cancelled += 1
            raise

    def series(self, first: float = 10.0, **given: Any) -> Series:
        """One that has started, of a check each ten seconds."""
        checks = Checks(**{"interval": 10.0, "timeout": 3.0, "failures": 2, **given})
        series = Series(
            self.clock, self.probe, "tcp:1", checks, self.judge, first, lambda: self.chance
        )
        self.addCleanup(series.stop)
        series.start()
        return series

    def ended(self, fault: str | Exception | None = None) -> None:
        """The probe under way is over."""
        outcome, self.outcome = self.outcome, Deferred()
        error = CheckFailed(reason=fault) if isinstance(fault, str) else fault
        outcome.errback(error) if error else outcome.callback(None)

    def after(self, *faults: str | None) -> list[str | None]:
        """What is judged by so many probes, one at each interval."""
        before = len(self.judged)
        for fault in faults:
            self.clock.advance(10.0)
            self.ended(fault)
        return self.judged[before:]

    def test_asked(self) -> None:
        """It asks for what it was told to, within the time there is."""
        self.series()
        self.after(None)
        self.assertEqual([("tcp:1", 3.0)], self.asked)

    def test_interval(self) -> None:
        """The interval is from beginning to beginning, however long a probe takes; no two are under
        way at a time, and one that is late is followed at once."""
        self.series()
        self.clock.advance(10.0)
        self.clock.advance(4.0)
        self.ended()
        self.clock.advance(6.0)
        self.assertEqual([10.0, 20.0], self.begun)
        self.clock.advance(25.0)
        self.assertEqual([10.0, 20.0], self.begun)
        self.ended()
        [call] = self.clock.getDelayedCalls()
        self.assertEqual(45.0, call.getTime())

    def test_growth(self) -> None:
        """What starts is looked at soon, then at growing intervals, until it passes or these are
        the usual ones."""
        self.series(first=1.0)
        wait = 1.0
        for begun in range(8):
            self.clock.advance(wait - 0.01)
            self.assertEqual(begun, len(self.begun))
            self.clock.advance(0.02)
            self.assertEqual(begun + 1, len(self.begun))
            self.ended("refuses")
            wait = min(10.0, wait * GROWTH)
        self.assertEqual(10.0, wait)

    def test_growth_ends(self) -> None:
        """Once it passes, it is looked at as often as it should be."""
        self.series(first=1.0)
        self.clock.advance(1.0)
        self.ended()
        self.clock.advance(9.0)
        self.assertEqual([1.0], self.begun)
        self.clock.advance(1.0)
        self.assertEqual([1.0, 11.0], self.begun)

    def test_spread(self) -> None:
        """Chance may leave out a part of a wait, and adds nothing to it."""
        self.chance = 1.0
        self.series()
        self.clock.advance(10.0 * (1 - SPREAD))
        self.assertEqual([10.0 * (1 - SPREAD)], self.begun)

    def test_verdicts(self) -> None:
        """So many in a row count as it takes, and what is known already is not told again."""
        self.series(successes=2)
        self.assertEqual([], self.after(None, "no"))
        self.assertEqual([None], self.after(None, None, None))
        self.assertEqual([], self.after("no", None, "no"))
        self.assertEqual(["no"], self.after("no", "no", "no"))
        self.assertEqual([], self.after(None, "no"))
        self.assertEqual([None], self.after(None, None))

    def test_another_fault(self) -> None:
        """That something else is wrong now is told, but not at each change of words."""
        self.series()
        self.assertEqual(["a"], self.after("b", "a"))
        self.assertEqual(["c"], self.after("b", "c"))

    def test_broken(self) -> None:
        """A probe that breaks is a fault like others, and logged as a defect; it goes on."""
        self.series(failures=1)
        self.clock.advance(10.0)
        self.ended(ValueError("a defect."))
        self.assertEqual(["a defect"], self.judged)
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))
        self.assertEqual([None], self.after(None))

    def test_stopped(self) -> None:
        """Stopped, it ends what is under way, judges nothing any more and leaves nothing on the
        clock; whether it waits, probes, or has not begun."""
        series = self.series(failures=1)
        self.after(None)
        self.clock.advance(10.0)
        series.stop()
        calls = self.clock.getDelayedCalls()
        self.assertEqual((1, [None], []), (self.cancelled, self.judged, calls))
        series.start()
        self.assertEqual([], self.clock.getDelayedCalls())
        self.series().stop()
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_stopped_by_verdict(self) -> None:
        """Whoever is told a verdict may stop it then and there."""
        series = self.series(failures=1)
        self.ends = series
        self.clock.advance(10.0)
        self.ended("no")
        self.assertEqual([], self.clock.getDelayedCalls())
