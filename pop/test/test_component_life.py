"""The life of a component, without any."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pop.components.life import BUSY, Deed, Event, Impossible, Life, Phase, Wish, step


def live(*events: Event) -> tuple[Life, list[Deed]]:
    """What becomes of a new component, and all that was done for it."""
    life = Life()
    done: list[Deed] = []
    for event in events:
        life, deeds = step(life, event)
        done += deeds
    return life, done


class LifeTests(SynchronousTestCase):
    """What a component becomes, event by event."""

    def test_valid(self) -> None:
        """With its requirements met it is made valid; only then what it provides is registered."""
        self.assertEqual(
            (Life(Phase.VALIDATING, satisfied=True), [Deed.VALIDATE]), live(Event.SATISFIED)
        )
        life, deeds = live(Event.SATISFIED, Event.ENDED)
        self.assertEqual(Life(Phase.VALID, satisfied=True), life)
        self.assertEqual([Deed.VALIDATE, Deed.PROVIDE], deeds)

    def test_losing(self) -> None:
        """What it provides goes first, then its callback is called, then what it used is let go."""
        life, deeds = live(Event.SATISFIED, Event.ENDED, Event.UNSATISFIED, Event.ENDED)
        self.assertEqual(Life(), life)
        self.assertEqual([Deed.WITHDRAW, Deed.INVALIDATE, Deed.RELEASE], deeds[2:])

    def test_again(self) -> None:
        """What it requires may come and go for ever."""
        round_ = (Event.SATISFIED, Event.ENDED, Event.UNSATISFIED, Event.ENDED)
        life, deeds = live(*round_ * 3, Event.SATISFIED, Event.ENDED)
        self.assertEqual(Phase.VALID, life.phase)
        self.assertEqual(4, deeds.count(Deed.VALIDATE))

    def test_lost_while_validating(self) -> None:
        """What goes while its callback runs makes it invalid after that, never in between, and it
        is registered not even for a moment."""
        life, deeds = live(Event.SATISFIED, Event.UNSATISFIED, Event.ENDED, Event.ENDED)
        self.assertEqual(Phase.INVALID, life.phase)
        self.assertEqual([Deed.VALIDATE, Deed.INVALIDATE, Deed.RELEASE], deeds)

    def test_failing(self) -> None:
        """One that fails to become valid is invalidated, and tries again after a while."""
        life, deeds = live(Event.SATISFIED, Event.RAISED, Event.ENDED)
        self.assertEqual(Life(Phase.ERRONEOUS, satisfied=True, failures=1), life)
        self.assertEqual([Deed.VALIDATE, Deed.INVALIDATE, Deed.RELEASE, Deed.WAIT], deeds)
        life, due = step(life, Event.ELAPSED)
        self.assertEqual((Deed.VALIDATE,), due)
        self.assertEqual(0, step(life, Event.ENDED)[0].failures)

    def test_failing_and_losing(self) -> None:
        """When what it requires bounces, a failure is forgotten."""
        life, deeds = live(
            Event.SATISFIED, Event.RAISED, Event.ENDED, Event.UNSATISFIED, Event.SATISFIED
        )
        self.assertEqual(Life(Phase.VALIDATING, satisfied=True), life)
        self.assertEqual(2, deeds.count(Deed.VALIDATE))

    def test_hold(self) -> None:
        """One that was asked to hold stays invalid, whatever comes, until it is asked to try."""
        life, _ = live(Event.SATISFIED, Event.ENDED, Event.HOLD, Event.ENDED, Event.SATISFIED)
        self.assertEqual(Life(Phase.INVALID, Wish.HOLD, satisfied=True), life)
        life, due = step(life, Event.RETRY)
        self.assertEqual((Phase.VALIDATING, (Deed.VALIDATE,)), (life.phase, due))

    def test_kill(self) -> None:
        """A valid one is invalidated first; then everything is let go."""
        life, deeds = live(Event.SATISFIED, Event.ENDED, Event.KILL, Event.ENDED)
        self.assertEqual(Phase.KILLED, life.phase)
        self.assertEqual([Deed.WITHDRAW, Deed.INVALIDATE, Deed.RELEASE, Deed.FORGET], deeds[2:])
        self.assertEqual([Deed.FORGET], live(Event.KILL)[1])

    def test_kill_while_validating(self) -> None:
        """One that is killed while its callback runs is gone after that, be it asked twice."""
        life, deeds = live(
            Event.SATISFIED, Event.KILL, Event.HOLD, Event.RETRY, Event.RAISED, Event.ENDED
        )
        self.assertEqual(Phase.KILLED, life.phase)
        self.assertEqual([Deed.INVALIDATE, Deed.RELEASE, Deed.FORGET], deeds[1:])

    def test_impossible(self) -> None:
        """What cannot happen is refused."""
        for events in ((Event.ENDED,), (Event.RAISED,), (Event.KILL, Event.SATISFIED)):
            self.assertRaises(Impossible, live, *events)

    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.sampled_from(list(Event)), max_size=40))
    def test_any_order(self, events: list[Event]) -> None:
        """Whatever happens: it provides something exactly while it is valid, its two callbacks
        alternate, and one callback is under way exactly in the two phases that say so."""
        life, provides, calls = Life(), False, []
        for event in events:
            try:
                life, deeds = step(life, event)
            except Impossible:
                continue
            for deed in deeds:
                provides = deed is Deed.PROVIDE or (provides and deed is not Deed.WITHDRAW)
                if deed in (Deed.VALIDATE, Deed.INVALIDATE):
                    calls.append(deed)
            self.assertEqual(life.phase is Phase.VALID, provides)
            under_way = bool(deeds) and deeds[-1] in (Deed.VALIDATE, Deed.INVALIDATE)
            self.assertTrue(life.phase in BUSY or not under_way)
        self.assertEqual(
            [Deed.VALIDATE, Deed.INVALIDATE] * (len(calls) // 2), calls[: len(calls) // 2 * 2]
        )

    def test_every_pair(self) -> None:
        """Every event in every phase leads somewhere, or is refused as impossible."""
        for phase, wish, event in product(Phase, Wish, Event):
            try:
                life, _ = step(Life(phase, wish, satisfied=True), event)
            except Impossible:
                continue
            self.assertIsInstance(life.phase, Phase)
