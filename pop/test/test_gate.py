"""Which changes wait for this machine's turn."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from pop.backoff import NO_FAILURES
from pop.gate import awaiting, batch_of, outcome, rolling, settling, withheld
from pop.life import Life, Phase
from pop.plan import Held, Unrunnable, Want
from pop.policy import Checks
from pop.program import Launch, Program
from pop.readiness import SETTLES

OLD = Launch(Program(("old",)))
NEW = Launch(Program(("new",)), roll_batch=2)
TALKER = Launch(Program(("new",), notifies=True))
CHECKED = Launch(Program(("new",)), checks=Checks(readiness="tcp:80"))


class BatchTests(SynchronousTestCase):
    """On how many machines at a time a change may be made."""

    def test_settings(self) -> None:
        """As the new settings say."""
        self.assertEqual(2, batch_of(OLD, NEW))
        self.assertEqual(0, batch_of(NEW, OLD))

    def test_restart(self) -> None:
        """A restart, as whoever asked for it says."""
        again = replace(OLD, generation=1, restart_batch=3)
        self.assertEqual(3, batch_of(OLD, again))
        self.assertEqual(0, batch_of(OLD, replace(again, restart_batch=0)))

    def test_both(self) -> None:
        """The smaller of both; if either is to be done at once, it is."""
        both = replace(NEW, generation=1, restart_batch=1)
        self.assertEqual(1, batch_of(OLD, both))
        self.assertEqual(0, batch_of(OLD, replace(both, restart_batch=0)))
        self.assertEqual(0, batch_of(OLD, replace(both, roll_batch=0)))

    def test_no_reason(self) -> None:
        """How it rolls is no reason to restart."""
        self.assertEqual(OLD, replace(OLD, roll_batch=7, restart_batch=7))


class GateTests(SynchronousTestCase):
    """What is let through."""

    def test_waits(self) -> None:
        """What would restart what runs waits; what runs so, or not yet, does not."""
        wants: dict[str, Want] = {"a": NEW, "b": NEW, "c": NEW, "d": Held("x"), "e": NEW}
        observed: dict[str, Want | None] = {"a": OLD, "b": NEW, "d": OLD, "e": Held("x")}
        self.assertEqual({"a": 2}, awaiting(wants, observed))

    def test_at_once(self) -> None:
        """A service of which one process changes at once changes at once."""
        wants = {"a": NEW, "a/2": replace(NEW, generation=1)}
        self.assertEqual({}, awaiting(wants, {"a": OLD, "a/2": NEW}))

    def test_withheld(self) -> None:
        """All of a service stays as it is: what is new does not start, what is old stays."""
        wants = {"a": NEW, "a/2": NEW, "b": NEW}
        observed = {"a": OLD, "a/3": OLD, "a/4": None}
        self.assertEqual({"a": OLD, "a/3": OLD, "b": NEW}, withheld(wants, observed, {"a"}))

    def test_rolling(self) -> None:
        """Some services roll in any case."""
        wants: dict[str, Want] = {"a": OLD, "b": NEW, "d": Held("x")}
        wants["c"] = replace(OLD, restart_batch=1)
        self.assertEqual({"b", "c"}, rolling(wants))


class OutcomeTests(SynchronousTestCase):
    """How a change went."""

    def outcome(self, life: Life, told: Launch = NEW, now: float = SETTLES) -> str | None:
        """That of one process, which began at 0."""
        return outcome({"a": NEW}, {"a": (told, life)}, now)

    def test_under_way(self) -> None:
        """It is not known while the one before stops, or the new one starts."""
        failed = NO_FAILURES.one_more(0, NEW.restarts)
        self.assertIsNone(self.outcome(Life(Phase.READY, running=OLD), OLD))
        self.assertIsNone(self.outcome(Life(Phase.STOPPING, running=OLD, failures=failed)))
        self.assertIsNone(self.outcome(Life(Phase.STARTING, running=NEW)))
        self.assertIsNone(outcome({"a": NEW}, {}, 9))

    def test_well(self) -> None:
        """It is ready, or has done what it should; what is not to run need not."""
        self.assertEqual("", self.outcome(Life(Phase.READY, running=NEW)))
        self.assertEqual("", self.outcome(Life(Phase.FINISHED, wanted=NEW)))
        self.assertEqual("", outcome({"a": Unrunnable("x"), "b": Held("y")}, {}, 9))
        self.assertEqual("", outcome({}, {}, 9))

    def test_failed(self) -> None:
        """It ended once, or was given up; that it is started again makes no difference."""
        failed = NO_FAILURES.one_more(0, NEW.restarts)
        for life in (
            Life(Phase.FAILED, "no"),
            Life(Phase.STARTING, "no", running=NEW, failures=failed),
            Life(Phase.BACKING_OFF, "no", failures=failed),
            Life(Phase.FINISHED, "no", failures=failed),
            Life(Phase.STOPPING, "no", running=NEW, failing=True),
            Life(Phase.NOT_READY, "no", running=NEW),
        ):
            self.assertEqual("no", self.outcome(life))

    def test_several(self) -> None:
        """The first failure counts; else all must be well."""
        well, waits = Life(Phase.READY, running=NEW), Life(Phase.STARTING, running=NEW)
        wants = {"a": NEW, "a/2": NEW}
        self.assertIsNone(outcome(wants, {"a": (NEW, well), "a/2": (NEW, waits)}, 9))
        bad = Life(Phase.FAILED, "no")
        self.assertEqual("no", outcome(wants, {"a": (NEW, waits), "a/2": (NEW, bad)}, 9))

    def test_settling(self) -> None:
        """What counts as ready as soon as it runs must have run for a while; a failure is known
        at once."""
        life = Life(Phase.READY, running=NEW, began=5.0, since=5.0)
        self.assertIsNone(self.outcome(life, now=5.0))
        self.assertIsNone(self.outcome(life, now=4.9 + SETTLES))
        self.assertEqual("", self.outcome(life, now=5.0 + SETTLES))
        failed = replace(life, why="no", failures=NO_FAILURES.one_more(5, NEW.restarts))
        self.assertEqual("no", self.outcome(failed, now=5.0))

    def test_set_back(self) -> None:
        """A clock that is set back makes nobody wait until it is as late again."""
        life = Life(Phase.READY, running=NEW, began=3600.0, since=3600.0)
        self.assertEqual("", self.outcome(life, now=5.0))
        self.assertEqual(0, settling([(NEW, life)], 5.0))
        talks = replace(life, running=TALKER)
        self.assertEqual("", outcome({"a": TALKER}, {"a": (TALKER, talks)}, 5.0))

    def test_settled(self) -> None:
        """What says that it is ready, or is asked, is so at once; so is what has finished."""
        for launch in (TALKER, CHECKED):
            life = Life(Phase.READY, running=launch, began=5.0, since=5.0)
            self.assertEqual("", outcome({"a": launch}, {"a": (launch, life)}, 5.0))
            self.assertEqual(0, settling([(launch, life)], 5.0))
        self.assertEqual("", self.outcome(Life(Phase.FINISHED, wanted=NEW, since=5.0), now=5.0))

    def test_seconds_to_settle(self) -> None:
        """The last to settle is waited for; what is not ready is heard of anyway."""
        first = Life(Phase.READY, running=NEW, began=5.0)
        last = replace(first, began=5.5)
        starts = replace(first, phase=Phase.STARTING, began=9.0)
        fates = [(NEW, first), (NEW, last), (NEW, starts), (None, Life())]
        self.assertEqual(SETTLES - 0.5, settling(fates, 6.0))
        self.assertEqual(0, settling([(NEW, starts), (None, Life())], 6.0))
        self.assertEqual(0, settling([], 6.0))
