"""What follows when an instance fails."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from pop.backoff import Backoff, Failures
from pop.events import (
    AskToStop,
    Deed,
    Elapsed,
    Exited,
    Kill,
    Recalled,
    Spawn,
    Unhealthy,
    Unwanted,
    Wake,
    Wanted,
)
from pop.life import Life, Phase, step
from pop.policy import ALWAYS, NEVER, ON_FAILURE, Restarts
from pop.program import Launch, Program

PLAIN = Launch(
    Program(("plain",)), grace_period=5.0, restarts=Restarts(ALWAYS, max_failures=4, window=60.0)
)
OTHER = Launch(Program(("other",)))
READY = Life(
    Phase.READY, "deployed", PLAIN, PLAIN, pid=7, state={}, since=10.0, began=10.0, up=10.0
)
STARTING = replace(READY, phase=Phase.STARTING, state=None, up=None)
USUAL = Backoff(first=0.5, longest=60.0, good_run=10.0, trial=30.0)
CRASH = "exited with status 1"


def exits(
    life: Life, *, after: float, chance: float = 1.0, success: bool = False
) -> tuple[Life, tuple[Deed, ...]]:
    """The end of a process that ran for so many seconds."""
    now, how = life.began + after, "exited with status 0" if success else CRASH
    return step(life, Exited(how, success), now=now, chance=chance, backoff=USUAL)


def failed(life: Life, times: int) -> Life:
    """With so many failures in a row, all just now."""
    return replace(life, failures=Failures(times, (life.began,) * times))


class DelayTests(SynchronousTestCase):
    """How long it waits before it starts again."""

    def test_growth(self) -> None:
        """The first restart is at once, each wait twice the one before."""
        self.assertEqual(
            [0.0, 0.0, 0.5, 1.0, 2.0, 4.0, 8.0],
            [USUAL.delay(failures, 1.0) for failures in range(7)],
        )

    def test_cap(self) -> None:
        """No wait is longer than the longest, however often it failed."""
        self.assertEqual([60.0, 60.0], [USUAL.delay(n, 1.0) for n in (9, 10**6)])

    def test_jitter(self) -> None:
        """Chance spreads a wait over its upper half, and that for a trial as well."""
        self.assertEqual([4.0, 6.0, 8.0], [USUAL.delay(6, chance) for chance in (0.0, 0.5, 1.0)])
        self.assertEqual([15.0, 30.0], [USUAL.until_trial(chance) for chance in (0.0, 1.0)])


class CrashTests(SynchronousTestCase):
    """It ends by itself, again and again."""

    def test_at_once(self) -> None:
        """What ends for the first time is started again at once."""
        life, deeds = exits(READY, after=1.0)
        self.assertEqual((Spawn(PLAIN),), deeds)
        self.assertEqual(
            (Phase.STARTING, Failures(1, (11.0,)), 1, None, CRASH),
            (life.phase, life.failures, life.restarts, life.pid, life.why),
        )

    def test_waits(self) -> None:
        """What ends again too soon waits, and runs nothing meanwhile."""
        waiting = Life(
            Phase.BACKING_OFF,
            CRASH,
            PLAIN,
            since=11.0,
            until=11.5,
            failures=Failures(2, (10.0, 11.0)),
        )
        self.assertEqual((waiting, (Wake(0.5),)), exits(failed(READY, 1), after=1.0))

    def test_before_ready(self) -> None:
        """What ends before it is ready counts as much, however long it took."""
        _, deeds = exits(failed(STARTING, 1), after=50.0)
        self.assertEqual((Wake(0.5),), deeds)

    def test_good_run(self) -> None:
        """One that was ready long enough is forgiven what was before."""
        life, deeds = exits(failed(READY, 3), after=10.0)
        self.assertEqual(((Spawn(PLAIN),), Failures(1, (20.0,))), (deeds, life.failures))

    def test_not_good_enough(self) -> None:
        """One that ran a little less is not."""
        life, _ = exits(failed(READY, 2), after=9.9)
        self.assertEqual((Phase.BACKING_OFF, 3), (life.phase, life.failures.in_a_row))

    def test_operator_forgives(self) -> None:
        """A new wish begins with no failures."""
        waiting, _ = exits(failed(READY, 1), after=1.0)
        for life in (failed(READY, 3), waiting):
            became, _ = step(life, Wanted(OTHER), now=30.0)
            if became.phase is Phase.STOPPING:
                became, _ = step(became, Exited("ended"), now=30.0)
            self.assertEqual((Phase.STARTING, Failures()), (became.phase, became.failures))

    def test_restarts_are_kept(self) -> None:
        """The number of restarts outlives a stop, so that people see it."""
        life, _ = step(replace(READY, restarts=5), Unwanted("held"), now=30.0)
        life, _ = step(life, Exited("ended by signal 2"), now=30.0)
        self.assertEqual((Phase.STOPPED, 5), (life.phase, life.restarts))


class TooManyTests(SynchronousTestCase):
    """What fails too often within its window has failed."""

    def test_failed(self) -> None:
        """The last failure that it may have is one too many; a trial follows after a while."""
        life, deeds = exits(failed(READY, 3), after=1.0)
        self.assertEqual((Wake(30.0),), deeds)
        self.assertEqual(
            (Phase.FAILED, f"{CRASH}; 4 failures in a row", 41.0, PLAIN, None),
            (life.phase, life.why, life.until, life.wanted, life.running),
        )

    def test_window(self) -> None:
        """Failures that are further apart only make it wait."""
        old = replace(READY, failures=Failures(3, (-60.0, -55.0, 10.0)))
        life, _ = exits(old, after=1.0)
        self.assertEqual((Phase.BACKING_OFF, (10.0, 11.0)), (life.phase, life.failures.times))

    def test_trial(self) -> None:
        """A trial that fails is the only one until the next; one that goes well heals it."""
        life, _ = exits(failed(READY, 3), after=1.0)
        life, deeds = step(life, Elapsed(), now=100.0)
        self.assertEqual(((Spawn(PLAIN),), 1), (deeds, life.restarts))
        trial = replace(READY, began=100.0, up=100.0, failures=life.failures)
        self.assertEqual(Phase.FAILED, exits(trial, after=1.0)[0].phase)
        healed, deeds = exits(trial, after=10.0)
        self.assertEqual(((Spawn(PLAIN),), Failures(1, (110.0,))), (deeds, healed.failures))

    def test_restart_heals(self) -> None:
        """A restart that is asked for begins afresh."""
        life, _ = exits(failed(READY, 3), after=1.0)
        life, deeds = step(life, Wanted(OTHER, "restart asked"), now=12.0)
        self.assertEqual(((Spawn(OTHER),), Failures()), (deeds, life.failures))


class PolicyTests(SynchronousTestCase):
    """Whether it is started again at all."""

    def ended(self, when: str, success: bool) -> tuple[Life, tuple[Deed, ...]]:
        """The end of a process whose service has that policy."""
        launch = replace(PLAIN, restarts=Restarts(when))
        return exits(replace(READY, running=launch, wanted=launch), after=1.0, success=success)

    def test_started_again(self) -> None:
        """Always: however it ended. On failure: if it failed."""
        for when, success in ((ALWAYS, True), (ALWAYS, False), (ON_FAILURE, False)):
            self.assertEqual(Phase.STARTING, self.ended(when, success)[0].phase)

    def test_left(self) -> None:
        """On failure: not if it succeeded. Never: however it ended. Nothing is due then."""
        for when, success in ((ON_FAILURE, True), (NEVER, True), (NEVER, False)):
            life, deeds = self.ended(when, success)
            self.assertEqual((Phase.FINISHED, (), None), (life.phase, deeds, life.running))

    def test_how_it_finished(self) -> None:
        """One that failed and is left is told from one that did what it should."""
        for success, failures in ((True, 0), (False, 1)):
            life, _ = self.ended(NEVER, success)
            self.assertEqual(failures, life.failures.in_a_row)
            self.assertEqual(f"exited with status {1 - success}", life.why)

    def test_recalled(self) -> None:
        """What has finished under a predecessor is as if it had under this agent."""
        for success in (True, False):
            before, _ = self.ended(NEVER, success)
            assert before.wanted is not None
            event = Recalled(before.wanted, before.why, success)
            after, deeds = step(Life(), event, now=before.since)
            self.assertEqual((before, ()), (after, deeds))


class UnhealthyTests(SynchronousTestCase):
    """What runs to no good is stopped, and that is a failure."""

    def stopping(self, life: Life, now: float = 12.0) -> Life:
        """One that was found to be ill."""
        life, deeds = step(life, Unhealthy("no answer"), now=now)
        self.assertEqual((AskToStop("TERM"), Wake(5.0)), deeds)
        self.assertEqual((Phase.STOPPING, "no answer"), (life.phase, life.why))
        return life

    def test_started_again(self) -> None:
        """It is stopped, and started again at once when nothing of it is left."""
        life, deeds = step(self.stopping(READY), Exited("ended by signal 15"), now=13.0)
        self.assertEqual(
            ((Spawn(PLAIN),), "no answer", 1, Failures(1, (12.0,))),
            (deeds, life.why, life.restarts, life.failures),
        )

    def test_again_and_again(self) -> None:
        """It waits and fails as what crashes does."""
        life, _ = step(self.stopping(failed(READY, 1)), Exited("ended"), now=13.0, chance=1.0)
        self.assertEqual((Phase.BACKING_OFF, 13.5), (life.phase, life.until))
        life, _ = step(self.stopping(failed(READY, 3)), Exited("ended"), now=13.0)
        self.assertEqual(Phase.FAILED, life.phase)

    def test_slow_to_stop(self) -> None:
        """The time that it takes to stop makes no good run of it."""
        life, _ = step(self.stopping(failed(READY, 1), now=19.9), Exited("ended"), now=24.0)
        self.assertEqual(2, life.failures.in_a_row)

    def test_killed(self) -> None:
        """What does not stop is killed, and the status says both."""
        life, deeds = step(self.stopping(READY), Elapsed(), now=17.0)
        self.assertEqual(
            ((Kill(),), "no answer; killed at the end of its grace period"), (deeds, life.why)
        )

    def test_stop_wins(self) -> None:
        """Unwanted meanwhile, it is not started again; wanted otherwise, so at once."""
        life, _ = step(self.stopping(failed(READY, 3)), Unwanted("held"), now=13.0)
        rests = step(life, Exited("ended"), now=14.0)
        self.assertEqual((Life(why="held", since=14.0), ()), rests)
        life, _ = step(self.stopping(failed(READY, 3)), Wanted(OTHER, "changed"), now=13.0)
        life, deeds = step(life, Exited("ended"), now=14.0)
        self.assertEqual(((Spawn(OTHER),), Failures()), (deeds, life.failures))

    def test_left(self) -> None:
        """What is never started again is finished, with the reason."""
        never = replace(PLAIN, restarts=Restarts(NEVER))
        life = self.stopping(replace(READY, running=never, wanted=never))
        life, deeds = step(life, Exited("ended"), now=14.0)
        self.assertEqual((Phase.FINISHED, "no answer", ()), (life.phase, life.why, deeds))

    def test_too_late(self) -> None:
        """What has not become ready in its time is stopped as well, with what was amiss."""
        life, deeds = step(STARTING, Elapsed(), now=70.0)
        self.assertEqual((AskToStop("TERM"), Wake(5.0)), deeds)
        self.assertEqual(
            ("not ready within 60 seconds", True, 1),
            (life.why, life.failing, life.failures.in_a_row),
        )
        life, _ = step(STARTING, Unhealthy("no answer"), now=20.0)
        self.assertEqual(Phase.STARTING, life.phase)
        life, _ = step(life, Elapsed(), now=70.0)
        self.assertEqual("not ready within 60 seconds: no answer", life.why)
