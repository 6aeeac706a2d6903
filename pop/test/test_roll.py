"""What is done on several machines, one batch after the other."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from pop.errors import NoAnswer
from pop.roll import Begin, Done, Failed, Impossible, Roll, due, step
from pop.rolling import roll

MACHINES = ("m1", "m2", "m3", "m4", "m5")


class DueTests(SynchronousTestCase):
    """Whose turn it is."""

    def test_batch(self) -> None:
        """So many at a time, in order."""
        self.assertEqual(("m1", "m2"), due(Roll(2, MACHINES)))

    def test_all(self) -> None:
        """A batch may be larger than what is left."""
        self.assertEqual(MACHINES, due(Roll(9, MACHINES)))

    def test_whole_batches(self) -> None:
        """Nobody begins before the last of a batch is done."""
        self.assertEqual((), due(Roll(3, MACHINES[1:], frozenset({"m1"}))))

    def test_stopped(self) -> None:
        """After a failure, nobody begins."""
        self.assertEqual((), due(Roll(3, MACHINES, stopped="m1: no")))

    def test_out_elsewhere(self) -> None:
        """A machine out of service takes the place of one that would be."""
        self.assertEqual((), due(Roll(1, ("m1", "m2"), out=frozenset({"m3"}))))
        self.assertEqual(("m1",), due(Roll(2, ("m1", "m2"), out=frozenset({"m3"}))))

    def test_out_first(self) -> None:
        """Those that are out of service come first: nothing is lost by them."""
        self.assertEqual(("m2",), due(Roll(1, ("m1", "m2"), out=frozenset({"m2"}))))
        self.assertEqual(("m2", "m1"), due(Roll(2, ("m1", "m2"), out=frozenset({"m2"}))))

    def test_all_out(self) -> None:
        """Where nothing is in service, batch follows batch all the same: it may be in vain."""
        self.assertEqual(("m1", "m2"), due(Roll(2, MACHINES, out=frozenset(MACHINES))))

    @given(
        st.integers(1, 6),
        st.sets(st.sampled_from(MACHINES)),
        st.sets(st.sampled_from(MACHINES)),
    )
    def test_never_more(self, batch: int, waiting: set[str], out: set[str]) -> None:
        """Whatever is out of service: by those that serve, never more than a batch are."""
        roll = Roll(batch, tuple(sorted(waiting)), out=frozenset(out))
        begun = set(due(roll))
        self.assertLessEqual(len(begun), batch)
        self.assertLessEqual(begun, waiting)
        if begun - out:
            self.assertLessEqual(len(begun | out), batch)

    def test_blocking(self) -> None:
        """It can be told whom a roll waits for."""
        self.assertEqual(("m1",), Roll(1, ("m2",), frozenset({"m1"})).blocking)
        self.assertEqual(("m3",), Roll(1, ("m2",), out=frozenset({"m3"})).blocking)
        self.assertEqual((), Roll(1, ("m2",)).blocking)
        self.assertEqual((), Roll(1, (), frozenset({"m1"})).blocking)


class StepTests(SynchronousTestCase):
    """From batch to batch."""

    def test_to_the_end(self) -> None:
        """Each machine has one turn."""
        state, begun = step(Roll(2, MACHINES), Begin())
        turns = [begun]
        while begun:
            for machine in begun:
                state, begun = step(state, Done(machine))
            turns.append(begun)
        self.assertEqual([("m1", "m2"), ("m3", "m4"), ("m5",), ()], turns)
        self.assertEqual(Roll(2), state)

    def test_first_failure(self) -> None:
        """The first failure is the reason, and nobody begins any more."""
        state, _ = step(Roll(2, MACHINES), Begin())
        state, begun = step(state, Failed("m2", "it broke"))
        state, begun = step(state, Failed("m1", "it broke, too"))
        self.assertEqual((Roll(2, MACHINES[2:], stopped="m2: it broke"), ()), (state, begun))

    def test_impossible(self) -> None:
        """Who was not under way cannot be done."""
        state, _ = step(Roll(1, MACHINES), Begin())
        for event in (Begin(), Done("m2"), Failed("m2", "no")):
            self.assertRaises(Impossible, step, state, event)


class RollTests(SynchronousTestCase):
    """The same, with something to be done."""

    def setUp(self) -> None:
        self.acting: dict[str, Deferred[str | None]] = {}

    def act(self, machine: str) -> Deferred[str | None]:
        """Does it when the test says so."""
        self.acting[machine] = Deferred()
        return self.acting[machine]

    def begin(self, batch: int) -> "Deferred[Roll]":
        """Begin to roll."""
        return Deferred.fromCoroutine(roll(MACHINES, batch, self.act))

    def test_batches(self) -> None:
        """One batch after the other."""
        rolling = self.begin(3)
        self.assertEqual(["m1", "m2", "m3"], list(self.acting))
        for machine in ("m1", "m3"):
            self.acting[machine].callback(None)
        self.assertEqual(3, len(self.acting))
        for machine in ("m2", "m4", "m5"):
            self.acting[machine].callback("")
        self.assertEqual(Roll(3), self.successResultOf(rolling))

    def test_at_once(self) -> None:
        """What takes no time is done as well."""

        async def act(machine: str) -> str | None:
            return None

        self.assertEqual(Roll(1), self.successResultOf(Deferred.fromCoroutine(roll("abc", 1, act))))

    def test_nothing(self) -> None:
        """No machines, no roll."""
        self.assertEqual(
            Roll(1), self.successResultOf(Deferred.fromCoroutine(roll((), 1, self.act)))
        )

    def test_stops(self) -> None:
        """It stops at the first failure, once those under way have ended."""
        rolling = self.begin(2)
        self.acting["m1"].callback("exit status 3")
        self.assertNoResult(rolling)
        self.acting["m2"].callback(None)
        state = self.successResultOf(rolling)
        self.assertEqual(("m1: exit status 3", MACHINES[2:]), (state.stopped, state.waiting))

    def test_trouble(self) -> None:
        """Trouble that is to be expected is a failure like others."""
        rolling = self.begin(1)
        self.acting["m1"].errback(NoAnswer(seconds=3.0))
        self.assertIn("m1: ", self.successResultOf(rolling).stopped)

    def test_defect(self) -> None:
        """An error of another kind is not kept quiet, and ends the others."""
        rolling = self.begin(2)
        self.acting["m1"].errback(ZeroDivisionError())
        self.failureResultOf(rolling, ZeroDivisionError)
        self.assertTrue(self.acting["m2"].called)

    def test_cancelled(self) -> None:
        """Who gives up gives up what is under way."""
        cancelled: list[str] = []

        def act(machine: str) -> Deferred[str | None]:
            return Deferred(lambda _: cancelled.append(machine))

        rolling = Deferred.fromCoroutine(roll(MACHINES, 2, act))
        rolling.cancel()
        self.failureResultOf(rolling, CancelledError)
        self.assertEqual(["m1", "m2"], cancelled)
