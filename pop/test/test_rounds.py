"""Rounds: one after the other, never two at a time, and none for nothing."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pop.rounds import Rounds


class RoundsTests(SynchronousTestCase):
    """Rounds that last until a test ends them.

    @ivar under_way: what the present round, or the last one, waits for.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.begun = 0
        self.cancelled = False
        self.rounds = Rounds(self.clock, self.go)
        self.rounds.begin()

    async def go(self) -> None:
        """A round."""
        self.begun += 1
        self.under_way: Deferred[None] = Deferred()
        try:
            await self.under_way
        except CancelledError:
            self.cancelled = True
            raise

    async def go_at_once(self) -> None:
        """One that waits for nothing."""
        self.begun += 1

    def ask(self, times: int = 1) -> None:
        """Ask for a round so many times, in one turn of the reactor."""
        for _ in range(times):
            self.rounds.ask()

    def test_later(self) -> None:
        """A round does not begin within the call that asks for it, but in the next turn."""
        self.ask()
        self.assertEqual(0, self.begun)
        self.clock.advance(0)
        self.assertEqual(1, self.begun)

    def test_once_for_many(self) -> None:
        """However many ask in one turn, there is one round, and none after it.

        Not even if it is over at once.
        """
        self.rounds = Rounds(self.clock, self.go_at_once)
        self.rounds.begin()
        self.ask(5)
        self.clock.advance(0)
        self.clock.advance(1)
        self.assertEqual(1, self.begun)

    def test_one_at_a_time(self) -> None:
        """What is asked for during a round waits for its end; then there is one more for all."""
        self.ask()
        self.clock.advance(0)
        for _ in range(3):
            self.ask()
            self.clock.advance(1)
        self.assertEqual(1, self.begun)
        self.under_way.callback(None)
        self.assertEqual(2, self.begun)
        self.under_way.callback(None)
        self.clock.advance(1)
        self.assertEqual(2, self.begun)

    def test_failed(self) -> None:
        """A round that fails is logged, and the next one begins as if it had not."""
        self.ask()
        self.clock.advance(0)
        self.ask()
        self.under_way.errback(ZeroDivisionError())
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))
        self.clock.advance(0)
        self.assertEqual(2, self.begun)

    def test_stopped(self) -> None:
        """Stopped, the present round is given up without a word, and no other begins."""
        self.ask()
        self.clock.advance(0)
        self.ask()
        self.rounds.stop()
        self.clock.advance(1)
        self.ask()
        self.clock.advance(1)
        self.assertEqual((1, True), (self.begun, self.cancelled))
        self.assertEqual([], self.flushLoggedErrors())

    def test_before_it_begins(self) -> None:
        """What was asked for before it began is not done; what is asked for afterwards is."""
        self.rounds = Rounds(self.clock, self.go)
        self.ask()
        self.clock.advance(0)
        self.assertEqual(0, self.begun)
        self.rounds.begin()
        self.ask()
        self.clock.advance(0)
        self.assertEqual(1, self.begun)
