"""An instance's life, step by step."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from pop.life import (
    AskToStop,
    Backoff,
    Deed,
    Elapsed,
    Exited,
    Impossible,
    Kill,
    Life,
    Notified,
    Phase,
    Refused,
    Spawn,
    Spawned,
    Unwanted,
    Wake,
    Wanted,
    step,
)
from pop.program import Launch, Program

PLAIN = Launch(Program(("plain",), state={"port": 80}), stop_signal="INT", grace_period=5.0)
TALKER = Launch(Program(("talker",), notifies=True))
OTHER = Launch(Program(("other",)))

STOPPED = Life()
STARTING = Life(Phase.STARTING, "deployed", PLAIN, PLAIN, since=10.0, began=10.0)
TALKING = replace(STARTING, wanted=TALKER, running=TALKER, pid=7)
READY = replace(STARTING, phase=Phase.READY, pid=7, state={"port": 80})
STOPPING = replace(READY, phase=Phase.STOPPING, why="held", wanted=None, state=None, since=20.0)
REPLACING = replace(STOPPING, wanted=OTHER, why="settings changed")
BACKING_OFF = Life(Phase.BACKING_OFF, "exited with status 1", PLAIN, since=20.0, failures=3)
FAILED = Life(Phase.FAILED, "there is no program", PLAIN, since=20.0)
LIVES = (STOPPED, STARTING, READY, STOPPING, BACKING_OFF, FAILED)
EVENTS = (
    Wanted(OTHER),
    Unwanted("held"),
    Spawned(7),
    Refused("no"),
    Notified(True),
    Exited("exited"),
    Elapsed(),
)
POSSIBLE = {
    Phase.STOPPED: {Wanted, Unwanted},
    Phase.STARTING: {Wanted, Unwanted, Spawned, Refused, Notified, Exited},
    Phase.READY: {Wanted, Unwanted, Notified, Exited},
    Phase.STOPPING: {Wanted, Unwanted, Notified, Exited, Elapsed},
    Phase.BACKING_OFF: {Wanted, Unwanted, Elapsed},
    Phase.FAILED: {Wanted, Unwanted, Elapsed},
}
FAST = Backoff(first=0.5, longest=60.0, good_run=10.0, trial=30.0)


class TableTests(SynchronousTestCase):
    """Every phase with every event."""

    def test_impossible(self) -> None:
        """Exactly the pairs that cannot happen are refused."""
        for life in LIVES:
            for event in EVENTS:
                with self.subTest(phase=life.phase, event=event):
                    if type(event) in POSSIBLE[life.phase]:
                        step(life, event, now=30.0)
                    else:
                        self.assertRaises(Impossible, step, life, event, now=30.0)

    def test_impossible_is_explained(self) -> None:
        """The complaint names the event and the phase."""
        error = self.assertRaises(Impossible, step, STOPPED, Exited("x"), now=0.0)
        self.assertEqual("Exited(how='x') in phase stopped", str(error))

    def test_wanted_at_rest(self) -> None:
        """What rests, waits or failed is started at once, with a clean slate."""
        for life in (STOPPED, BACKING_OFF, FAILED):
            self.assertEqual(
                (
                    Life(Phase.STARTING, "deployed", OTHER, OTHER, since=30.0, began=30.0),
                    (Spawn(OTHER),),
                ),
                step(life, Wanted(OTHER, "deployed"), now=30.0),
            )

    def test_wanted_otherwise(self) -> None:
        """What runs is stopped first; its own signal and grace period count, not the new ones."""
        for life in (STARTING, READY):
            self.assertEqual(
                (
                    replace(
                        life,
                        phase=Phase.STOPPING,
                        wanted=OTHER,
                        why="settings changed",
                        state=None,
                        since=30.0,
                    ),
                    (AskToStop("INT"), Wake(5.0)),
                ),
                step(life, Wanted(OTHER, "settings changed"), now=30.0),
            )

    def test_wanted_while_stopping(self) -> None:
        """The latest wish is what will run, and its reason is the one that is shown."""
        self.assertEqual(
            (replace(STOPPING, wanted=OTHER, why="released"), ()),
            step(STOPPING, Wanted(OTHER, "released"), now=30.0),
        )

    def test_unwanted_while_running(self) -> None:
        """What runs is asked to stop, and nothing is to follow."""
        for life in (STARTING, READY):
            self.assertEqual(
                (
                    replace(
                        life, phase=Phase.STOPPING, wanted=None, why="held", state=None, since=30.0
                    ),
                    (AskToStop("INT"), Wake(5.0)),
                ),
                step(life, Unwanted("held"), now=30.0),
            )

    def test_unwanted_at_rest(self) -> None:
        """What does not run rests from then on, and no try follows."""
        for life in (STOPPED, BACKING_OFF, FAILED):
            self.assertEqual(
                (Life(why="held", since=30.0), ()), step(life, Unwanted("held"), now=30.0)
            )

    def test_unwanted_while_replaced(self) -> None:
        """A stop wins over the start that was to follow."""
        self.assertEqual(
            (replace(REPLACING, wanted=None, why="held"), ()),
            step(REPLACING, Unwanted("held"), now=30.0),
        )

    def test_spawned(self) -> None:
        """What does not notify is ready when it runs, with its type's state."""
        self.assertEqual(
            (replace(STARTING, phase=Phase.READY, pid=7, state={"port": 80}, since=30.0), ()),
            step(STARTING, Spawned(7), now=30.0),
        )

    def test_spawned_and_silent(self) -> None:
        """What notifies has a pid when it runs, but is not ready yet."""
        self.assertEqual((TALKING, ()), step(replace(TALKING, pid=None), Spawned(7), now=30.0))

    def test_refused(self) -> None:
        """What cannot be started at all failed, and is tried again after a while."""
        self.assertEqual(
            (
                replace(STARTING, phase=Phase.FAILED, why="no", running=None, since=30.0),
                (Wake(30.0),),
            ),
            step(STARTING, Refused("no"), now=30.0, backoff=FAST),
        )

    def test_notified_ready(self) -> None:
        """It is ready when it says so, with the state that it says."""
        self.assertEqual(
            (replace(TALKING, phase=Phase.READY, state={"port": 1}, since=30.0), ()),
            step(TALKING, Notified(True, {"port": 1}), now=30.0),
        )

    def test_notified_ready_without_state(self) -> None:
        """The state of what is ready and said nothing of it is its type's."""
        life, _ = step(TALKING, Notified(True), now=30.0)
        self.assertEqual((Phase.READY, {}), (life.phase, life.state))

    def test_state_before_readiness(self) -> None:
        """A state that came before is what it has when it is ready."""
        life, _ = step(TALKING, Notified(False, {"port": 1}), now=30.0)
        self.assertEqual(Phase.STARTING, life.phase)
        life, _ = step(life, Notified(True), now=31.0)
        self.assertEqual((Phase.READY, {"port": 1}), (life.phase, life.state))

    def test_notified_again(self) -> None:
        """The latest state counts; it is no new beginning."""
        life = replace(READY, running=TALKER)
        self.assertEqual(
            (replace(life, state={"port": 2}), ()),
            step(life, Notified(True, {"port": 2}), now=30.0),
        )

    def test_notified_nothing(self) -> None:
        """A notice of neither readiness nor state changes nothing."""
        for life in (TALKING, READY, STOPPING):
            self.assertEqual((life, ()), step(life, Notified(), now=30.0))

    def test_notified_while_stopping(self) -> None:
        """What is stopping is not ready any more, whatever it says."""
        self.assertEqual((STOPPING, ()), step(STOPPING, Notified(True, {"port": 1}), now=30.0))

    def test_exited_as_asked(self) -> None:
        """What ended as it was asked to rests, with the reason it was given."""
        self.assertEqual(
            (Life(why="held", since=30.0), ()), step(STOPPING, Exited("signal 2"), now=30.0)
        )

    def test_exited_to_be_replaced(self) -> None:
        """The successor starts as soon as nothing is left of what ran."""
        self.assertEqual(
            (
                Life(Phase.STARTING, "settings changed", OTHER, OTHER, since=30.0, began=30.0),
                (Spawn(OTHER),),
            ),
            step(REPLACING, Exited("signal 2"), now=30.0),
        )

    def test_grace_is_over(self) -> None:
        """What has not stopped within its grace period is killed, and the status says so."""
        self.assertEqual(
            (replace(STOPPING, why="held; killed at the end of its grace period"), (Kill(),)),
            step(STOPPING, Elapsed(), now=30.0),
        )

    def test_waited(self) -> None:
        """After its wait it is started again, which counts as a restart."""
        life, deeds = step(BACKING_OFF, Elapsed(), now=30.0)
        self.assertEqual((Spawn(PLAIN),), deeds)
        self.assertEqual((Phase.STARTING, 1, 3), (life.phase, life.restarts, life.failures))

    def test_tried_again(self) -> None:
        """What could not be started is tried again; it never ended, so that is no restart."""
        life, deeds = step(FAILED, Elapsed(), now=30.0)
        self.assertEqual((Spawn(PLAIN),), deeds)
        self.assertEqual((Phase.STARTING, 0), (life.phase, life.restarts))


class BackoffTests(SynchronousTestCase):
    """How long it waits before it starts again."""

    def exits(self, life: Life, *, after: float, chance: float = 1.0) -> tuple[Life, Deed]:
        """The end of a process that ran for so many seconds."""
        now = life.began + after
        became, [deed] = step(life, Exited("exited with status 1"), now=now, chance=chance)
        return became, deed

    def test_at_once(self) -> None:
        """What ends for the first time is started again at once."""
        life, deed = self.exits(READY, after=1.0)
        self.assertEqual(Spawn(PLAIN), deed)
        self.assertEqual(
            (Phase.STARTING, 1, 1, None, "exited with status 1"),
            (life.phase, life.failures, life.restarts, life.pid, life.why),
        )

    def test_waits(self) -> None:
        """What ends again too soon waits, and runs nothing meanwhile."""
        self.assertEqual(
            (
                Life(
                    Phase.BACKING_OFF,
                    "exited with status 1",
                    PLAIN,
                    since=11.0,
                    began=10.0,
                    failures=2,
                ),
                Wake(0.5),
            ),
            self.exits(replace(READY, failures=1), after=1.0),
        )

    def test_before_ready(self) -> None:
        """What ends before it is ready counts as much."""
        _, deed = self.exits(replace(TALKING, failures=1), after=1.0)
        self.assertEqual(Wake(0.5), deed)

    def test_growth(self) -> None:
        """Each wait is twice the one before."""
        self.assertEqual(
            [0.0, 0.0, 0.5, 1.0, 2.0, 4.0, 8.0],
            [FAST.delay(failures, 1.0) for failures in range(7)],
        )

    def test_cap(self) -> None:
        """No wait is longer than the longest, however often it failed."""
        self.assertEqual([60.0, 60.0], [FAST.delay(n, 1.0) for n in (9, 10**6)])

    def test_jitter(self) -> None:
        """Chance spreads a wait over its upper half."""
        self.assertEqual([4.0, 6.0, 8.0], [FAST.delay(6, chance) for chance in (0.0, 0.5, 1.0)])

    def test_good_run(self) -> None:
        """One that ran long enough is forgiven what was before."""
        life, deed = self.exits(replace(READY, failures=9), after=10.0)
        self.assertEqual((Spawn(PLAIN), 1), (deed, life.failures))

    def test_not_good_enough(self) -> None:
        """One that ran a little less is not."""
        life, _ = self.exits(replace(READY, failures=9), after=9.9)
        self.assertEqual((Phase.BACKING_OFF, 10), (life.phase, life.failures))

    def test_operator_forgives(self) -> None:
        """A new wish begins with no failures."""
        for life in (replace(READY, failures=9), BACKING_OFF):
            became, _ = step(life, Wanted(OTHER), now=30.0)
            self.assertEqual(0, became.failures)

    def test_restarts_are_kept(self) -> None:
        """The number of restarts outlives a stop, so that people see it."""
        life, _ = step(replace(STOPPING, restarts=5), Exited("signal 2"), now=30.0)
        self.assertEqual(5, life.restarts)
