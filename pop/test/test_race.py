"""Tests for L{pop.race}: the first way that leads there."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pop.race import Race


class RaceTests(SynchronousTestCase):
    """Three ways, each with a second's head start."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.cancelled: list[int] = []
        self.ways: list[Deferred[str]] = [Deferred(self.note(n)) for n in range(3)]
        self.begun: list[int] = []
        self.result = Race(self.clock, 1.0, [self.begin(n) for n in range(3)]).run()

    def note(self, number: int):  # type: ignore[no-untyped-def]
        """Note that one is cancelled."""
        return lambda _: self.cancelled.append(number)

    def begin(self, number: int):  # type: ignore[no-untyped-def]
        """Note that one is begun."""

        def begin() -> Deferred[str]:
            self.begun.append(number)
            return self.ways[number]

        return begin

    def over(self) -> None:
        """Nothing goes on."""
        self.assertEqual([], self.clock.getDelayedCalls())
        for number in self.begun:
            self.assertTrue(self.ways[number].called)

    def test_first(self) -> None:
        """If the first leads there soon, no other is begun."""
        self.ways[0].callback("there")
        self.assertEqual("there", self.successResultOf(self.result))
        self.assertEqual([0], self.begun)
        self.over()

    def test_slow(self) -> None:
        """One that takes long goes on beside the next, and is cancelled if that is faster."""
        self.clock.advance(1)
        self.assertEqual([0, 1], self.begun)
        self.ways[1].callback("there")
        self.assertEqual("there", self.successResultOf(self.result))
        self.assertEqual([0], self.cancelled)
        self.over()

    def test_slow_and_good(self) -> None:
        """A slow one may still be the one."""
        self.clock.advance(1)
        self.ways[1].errback(ValueError("no"))
        self.ways[0].callback("there")
        self.assertEqual("there", self.successResultOf(self.result))
        self.assertEqual([2], self.cancelled)
        self.over()

    def test_failed(self) -> None:
        """When one fails the next is begun at once; when all have, the last failure is told."""
        for number, way in enumerate(self.ways):
            self.assertEqual(number, self.begun[-1])
            way.errback(ValueError(number))
        self.assertEqual((2,), self.failureResultOf(self.result, ValueError).value.args)
        self.over()

    def test_cancelled(self) -> None:
        """Who cancels it cancels all that go on, and none is begun any more."""
        self.clock.advance(1)
        self.result.cancel()
        self.failureResultOf(self.result, CancelledError)
        self.assertEqual(([0, 1], [0, 1]), (self.begun, self.cancelled))
        self.over()
