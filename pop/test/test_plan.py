"""From what is wanted and what is observed to the steps that are due."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from pop.plan import Drop, Held, Hold, Start, Unrunnable, plan
from pop.program import Launch, Program

LAUNCH = Launch(Program(("serve",), {"A": "1"}))
OTHER = replace(LAUNCH, program=Program(("serve", "--more")))
AGAIN = replace(LAUNCH, generation=1)
HELD = Held("held by the operator")
NO_TYPE = Unrunnable("There is no service type.")


class PlanTests(SynchronousTestCase):
    """One comparison each."""

    def test_nothing(self) -> None:
        """Where nothing is wanted and nothing there, nothing is due."""
        self.assertEqual((), plan({}, {}))

    def test_deployed(self) -> None:
        """What is wanted and not there is started."""
        self.assertEqual((Start("web", LAUNCH, "deployed"),), plan({"web": LAUNCH}, {}))

    def test_converged(self) -> None:
        """What was told already is not told again, also if it is an equal value only."""
        same = Launch(Program(("serve",), {"A": "1"}))
        self.assertEqual((), plan({"web": same, "db": HELD}, {"web": LAUNCH, "db": HELD}))

    def test_changed(self) -> None:
        """What runs otherwise than wanted is started anew."""
        self.assertEqual(
            (Start("web", OTHER, "settings changed"),), plan({"web": OTHER}, {"web": LAUNCH})
        )

    def test_stop_signal_changed(self) -> None:
        """How it is to be stopped is a part of how it should run."""
        want = replace(LAUNCH, stop_signal="INT")
        self.assertEqual(
            (Start("web", want, "settings changed"),), plan({"web": want}, {"web": LAUNCH})
        )

    def test_restart(self) -> None:
        """Another generation is a restart that was asked for."""
        self.assertEqual(
            (Start("web", AGAIN, "restart asked"),), plan({"web": AGAIN}, {"web": LAUNCH})
        )

    def test_undeployed(self) -> None:
        """What is there and not wanted goes away."""
        self.assertEqual((Drop("web", "undeployed"),), plan({}, {"web": LAUNCH}))

    def test_fewer_slots(self) -> None:
        """A slot that is needed no more goes away, and why is its service's reason."""
        running = {"web": LAUNCH, "web/2": LAUNCH}
        for first, due in ((LAUNCH, ()), (HELD, (Hold("web", HELD),))):
            why = "settings changed" if first is LAUNCH else "held by the operator"
            self.assertEqual((Drop("web/2", why), *due), plan({"web": first}, running))
        self.assertEqual((Drop("web"), Drop("web/2")), plan({}, running))

    def test_undeployed_while_held(self) -> None:
        """What is held, or cannot run, goes away as well."""
        self.assertEqual((Drop("a"), Drop("b")), plan({}, {"a": HELD, "b": NO_TYPE}))

    def test_going(self) -> None:
        """What is on its way out already is not told again."""
        self.assertEqual((), plan({}, {"web": None}))

    def test_back_again(self) -> None:
        """What is wanted again while it goes away is started once more."""
        self.assertEqual((Start("web", LAUNCH, "deployed"),), plan({"web": LAUNCH}, {"web": None}))

    def test_held(self) -> None:
        """What is to be held is, whether it ran or is new here."""
        self.assertEqual(
            (Hold("db", HELD), Hold("web", HELD)),
            plan({"web": HELD, "db": HELD}, {"web": LAUNCH}),
        )

    def test_released(self) -> None:
        """What was held is started when it is released."""
        self.assertEqual((Start("web", LAUNCH, "released"),), plan({"web": LAUNCH}, {"web": HELD}))

    def test_unrunnable(self) -> None:
        """What there is no way to run stays, and says why."""
        self.assertEqual((Hold("web", NO_TYPE),), plan({"web": NO_TYPE}, {}))

    def test_other_reason(self) -> None:
        """A new reason for not running replaces the old one."""
        other = Unrunnable("It needs a setting.")
        self.assertEqual((Hold("web", other),), plan({"web": other}, {"web": NO_TYPE}))

    def test_runnable_after_all(self) -> None:
        """What can be run at last is started."""
        self.assertEqual(
            (Start("web", LAUNCH, "deployed"),), plan({"web": LAUNCH}, {"web": NO_TYPE})
        )

    def test_order(self) -> None:
        """What ends comes before what begins, and each sort by name."""
        self.assertEqual(
            (
                *(Drop("d"), Drop("e")),
                *(Hold("b", HELD), Hold("f", HELD)),
                *(Start("a", LAUNCH, "deployed"), Start("c", OTHER, "settings changed")),
            ),
            plan(
                {"f": HELD, "c": OTHER, "b": HELD, "a": LAUNCH, "g": LAUNCH},
                {"e": LAUNCH, "d": HELD, "c": LAUNCH, "b": LAUNCH, "g": LAUNCH},
            ),
        )


class Told:
    """Keeps what it is told to do."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def start(self, name: str, launch: Launch, why: str) -> None:
        self.calls.append(("start", name, launch, why))

    def hold(self, name: str, want: Held | Unrunnable, why: str) -> None:
        self.calls.append(("hold", name, want))

    def drop(self, name: str, why: str) -> None:
        self.calls.append(("drop", name, why))


class StepTests(SynchronousTestCase):
    """Steps, carried out."""

    def test_run(self) -> None:
        """Each step has its doer do just what it says."""
        told = Told()
        for due in (Drop("a", "removed"), Hold("b", HELD), Start("c", LAUNCH, "deployed")):
            due.run(told)
        self.assertEqual(
            [("drop", "a", "removed"), ("hold", "b", HELD), ("start", "c", LAUNCH, "deployed")],
            told.calls,
        )
