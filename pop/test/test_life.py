"""An instance's life, step by step."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from pop.backoff import Backoff, Failures
from pop.events import (
    Adopted,
    AskToStop,
    Elapsed,
    Exited,
    Failed,
    Kill,
    Notified,
    Passed,
    Recalled,
    Refused,
    Spawn,
    Spawned,
    Unhealthy,
    Unwanted,
    Wake,
    Wanted,
)
from pop.life import Impossible, Life, Phase, step
from pop.policy import ALWAYS, ON_FAILURE, Checks, Restarts
from pop.program import Launch, Program

PLAIN = Launch(Program(("plain",), state={"port": 80}), stop_signal="INT", grace_period=5.0)
TALKER = Launch(Program(("talker",), notifies=True))
OTHER = Launch(Program(("other",)))
CHECKED = replace(PLAIN, checks=Checks(readiness="tcp:80"))

STOPPED = Life()
STARTING = Life(Phase.STARTING, "deployed", PLAIN, PLAIN, since=10.0, began=10.0)
TALKING = replace(STARTING, wanted=TALKER, running=TALKER, pid=7)
READY = replace(STARTING, phase=Phase.READY, pid=7, state={"port": 80}, up=10.0)
NOT_READY = replace(READY, phase=Phase.NOT_READY, running=CHECKED, wanted=CHECKED)
STOPPING = replace(READY, phase=Phase.STOPPING, why="held", wanted=None, state=None, since=20.0)
REPLACING = replace(STOPPING, wanted=OTHER, why="settings changed")
BACKING_OFF = Life(
    Phase.BACKING_OFF, "exited with status 1", PLAIN, since=20.0, failures=Failures(3)
)
FINISHED = replace(BACKING_OFF, phase=Phase.FINISHED)
FAILED = Life(Phase.FAILED, "there is no program", PLAIN, since=20.0)
LIVES = (STOPPED, STARTING, READY, NOT_READY, STOPPING, BACKING_OFF, FINISHED, FAILED)
EVENTS = (
    Wanted(OTHER),
    Unwanted("held"),
    Adopted(PLAIN, 7),
    Recalled(PLAIN, "exited", True),
    Spawned(7),
    Refused("no"),
    Notified(True),
    Passed(),
    Failed("no answer"),
    Unhealthy("no answer"),
    Exited("exited"),
    Elapsed(),
)
HEARD = {Notified, Passed, Failed, Unhealthy, Exited}
POSSIBLE = {
    Phase.STOPPED: {Wanted, Unwanted, Adopted, Recalled},
    Phase.STARTING: {Wanted, Unwanted, Spawned, Refused, Elapsed, *HEARD},
    Phase.READY: {Wanted, Unwanted, *HEARD},
    Phase.NOT_READY: {Wanted, Unwanted, *HEARD},
    Phase.STOPPING: {Wanted, Unwanted, Elapsed, *HEARD},
    Phase.BACKING_OFF: {Wanted, Unwanted, Elapsed},
    Phase.FINISHED: {Wanted, Unwanted},
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
        self.assertEqual("Exited(how='x', success=False) in phase stopped", str(error))

    def test_wanted_at_rest(self) -> None:
        """What rests, waits or failed is started at once, with a clean slate."""
        for life in (STOPPED, BACKING_OFF, FINISHED, FAILED):
            self.assertEqual(
                (
                    Life(Phase.STARTING, "deployed", OTHER, OTHER, since=30.0, began=30.0),
                    (Spawn(OTHER),),
                ),
                step(life, Wanted(OTHER, "deployed"), now=30.0),
            )

    def test_wanted_otherwise(self) -> None:
        """What runs is stopped first; its own signal and grace period count, not the new ones."""
        for life in (STARTING, READY, NOT_READY):
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
        for life in (STARTING, READY, NOT_READY):
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
        for life in (STOPPED, BACKING_OFF, FINISHED, FAILED):
            self.assertEqual(
                (Life(why="held", since=30.0), ()), step(life, Unwanted("held"), now=30.0)
            )

    def test_ready_after_failures(self) -> None:
        """What failed before is forgiven when it has been ready for long enough, not at its end."""
        begun = replace(STARTING, pid=None, failures=Failures(2, (1.0, 2.0)))
        life, deeds = step(begun, Spawned(7), now=10.0, backoff=FAST)
        self.assertEqual((replace(READY, failures=begun.failures), (Wake(10.0),)), (life, deeds))
        self.assertEqual((READY, ()), step(life, Elapsed(), now=20.0))

    def test_ready_once_more(self) -> None:
        """That time begins anew when it was not ready meanwhile."""
        failed = replace(NOT_READY, failures=Failures(1, (1.0,)))
        life, deeds = step(failed, Passed(), now=30.0, backoff=FAST)
        self.assertEqual((Phase.READY, (Wake(10.0),)), (life.phase, deeds))
        self.assertEqual((replace(life, doubt=""), ()), step(life, Passed(), now=31.0))

    def test_unwanted_while_replaced(self) -> None:
        """A stop wins over the start that was to follow."""
        self.assertEqual(
            (replace(REPLACING, wanted=None, why="held"), ()),
            step(REPLACING, Unwanted("held"), now=30.0),
        )

    def test_spawned(self) -> None:
        """What does not notify is ready when it runs, with its type's state."""
        self.assertEqual(
            (replace(READY, since=30.0, up=30.0), ()),
            step(STARTING, Spawned(7), now=30.0),
        )

    def test_spawned_and_silent(self) -> None:
        """What notifies has a pid when it runs, but is not ready yet, and not for ever."""
        self.assertEqual(
            (TALKING, (Wake(60.0),)), step(replace(TALKING, pid=None), Spawned(7), now=30.0)
        )

    def test_refused(self) -> None:
        """What cannot be started at all failed, and is tried again after a while."""
        self.assertEqual(
            (
                Life(Phase.FAILED, "no", PLAIN, since=30.0, until=60.0),
                (Wake(30.0),),
            ),
            step(STARTING, Refused("no"), now=30.0, chance=1.0, backoff=FAST),
        )

    def test_notified_ready(self) -> None:
        """It is ready when it says so, with the state that it says."""
        self.assertEqual(
            (
                replace(
                    TALKING, phase=Phase.READY, state={"port": 1}, since=30.0, told=True, up=30.0
                ),
                (),
            ),
            step(TALKING, Notified(ready=True, state={"port": 1}), now=30.0),
        )

    def test_notified_ready_without_state(self) -> None:
        """The state of what is ready and said nothing of it is its type's."""
        life, _ = step(TALKING, Notified(True), now=30.0)
        self.assertEqual((Phase.READY, {}), (life.phase, life.state))

    def test_state_before_readiness(self) -> None:
        """A state that came before is what it has when it is ready."""
        life, _ = step(TALKING, Notified(ready=False, state={"port": 1}), now=30.0)
        self.assertEqual(Phase.STARTING, life.phase)
        life, _ = step(life, Notified(True), now=31.0)
        self.assertEqual((Phase.READY, {"port": 1}), (life.phase, life.state))

    def test_notified_again(self) -> None:
        """The latest state counts; it is no new beginning."""
        life = replace(READY, running=TALKER, told=True)
        self.assertEqual(
            (replace(life, state={"port": 2}), ()),
            step(life, Notified(ready=True, state={"port": 2}), now=30.0),
        )

    def test_notified_nothing(self) -> None:
        """A notice of neither readiness nor state changes nothing."""
        for life in (TALKING, READY, NOT_READY, STOPPING):
            self.assertEqual((life, ()), step(life, Notified(), now=30.0))

    def test_notified_while_stopping(self) -> None:
        """What is stopping is not ready any more, whatever it says."""
        self.assertEqual(
            (STOPPING, ()), step(STOPPING, Notified(ready=True, state={"port": 1}), now=30.0)
        )

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

    def test_last_words(self) -> None:
        """What fails is shown with its last status line, which may know why; it is not taken for
        that of the next process."""
        said = replace(TALKING, said="no disk")
        life, _ = step(said, Exited("exited with status 1"), now=30.0)
        self.assertEqual('exited with status 1; it last said "no disk"', life.reason)
        self.assertEqual("", life.said)
        late, _ = step(said, Elapsed(), now=30.0)
        life, _ = step(late, Exited("ended by signal 15"), now=31.0)
        self.assertEqual('not ready within 60 seconds; it last said "no disk"', life.reason)

    def test_ended_meanwhile(self) -> None:
        """What must not run in two places, and was found ended, is not started again by itself; it
        is still known how it ended, and that this was a failure."""
        for policy in (ALWAYS, ON_FAILURE):
            launch = replace(PLAIN, stop_after=9.0, restarts=Restarts(policy))
            life, _ = step(STOPPED, Adopted(launch, 7, True, gone=True), now=30.0)
            life, deeds = step(life, Exited("exited with status 3"), now=31.0)
            self.assertEqual(
                (Phase.STOPPED, None, "exited with status 3, while no agent ran", ()),
                (life.phase, life.wanted, life.reason, deeds),
            )
            self.assertEqual(1, life.failures.in_a_row)

    def test_no_last_words(self) -> None:
        """What ended in order, or was asked to, needs no explanation."""
        said = replace(TALKING, said="bye")
        life, _ = step(said, Exited("exited with status 0", success=True), now=30.0)
        self.assertEqual("exited with status 0", life.reason)
        stopping, _ = step(said, Unwanted("held"), now=30.0)
        life, _ = step(stopping, Exited("exited with status 1"), now=31.0)
        self.assertEqual("held", life.reason)

    def test_waited(self) -> None:
        """After its wait it is started again, which counts as a restart."""
        life, deeds = step(BACKING_OFF, Elapsed(), now=30.0)
        self.assertEqual((Spawn(PLAIN),), deeds)
        self.assertEqual((Phase.STARTING, 1), (life.phase, life.restarts))
        self.assertEqual(BACKING_OFF.failures, life.failures)

    def test_tried_again(self) -> None:
        """What could not be started is tried again; it never ended, so that is no restart."""
        life, deeds = step(FAILED, Elapsed(), now=30.0)
        self.assertEqual((Spawn(PLAIN),), deeds)
        self.assertEqual((Phase.STARTING, 0), (life.phase, life.restarts))
