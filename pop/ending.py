"""The end of a process's life, and what follows: another one, after a while, or none."""

from dataclasses import replace

from pop.backoff import NO_FAILURES, Backoff
from pop.beginning import restarted, spawn
from pop.events import AskToStop, Kill, Recalled, Wake
from pop.phase import Life, Phase, Step
from pop.policy import ALWAYS, NEVER, ON_FAILURE
from pop.program import Launch


def recalled(event: Recalled, now: float) -> Life:
    """It had finished before this agent began, and stays so."""
    failures = NO_FAILURES if event.success else NO_FAILURES.one_more(now, event.launch.restarts)
    finished = Life(wanted=event.launch, failures=failures)
    return _waiting(finished, Phase.FINISHED, event.how, now)


def stop(life: Life, then: Launch | None, why: str, now: float) -> Step:
    """Ask it to stop, and wait for as long as its grace period.

    @param then: what to run after it.
    """
    assert life.running is not None  # it runs
    stopping = replace(
        life, phase=Phase.STOPPING, why=why, wanted=then, state=None, since=now, until=None
    )
    return stopping, (AskToStop(life.running.stop_signal), Wake(life.running.grace_period))


def stopped(life: Life, now: float) -> Step:
    """It ended as it was asked to."""
    if life.wanted is None:
        return Life(why=life.why, since=now, restarts=life.restarts), ()
    return spawn(replace(life, failures=NO_FAILURES), life.wanted, life.why, now)


def give_up(life: Life, why: str, now: float, backoff: Backoff) -> Step:
    """It runs, but to no good."""
    failing = replace(counted(life, now, backoff), failing=True)
    return stop(failing, life.wanted, why, now)


def late(life: Life, now: float, backoff: Backoff) -> Step:
    """It should have been ready by now."""
    assert life.running is not None  # it is starting
    doubt = f": {life.doubt}" if life.doubt else ""
    why = f"not ready within {life.running.start_timeout:g} seconds{doubt}"
    return give_up(life, why, now, backoff)


def killed(life: Life) -> Step:
    """It did not end while its grace period lasted."""
    killed = "killed at the end of its grace period"
    return replace(life, why=f"{life.why}; {killed}" if life.why else killed), (Kill(),)


def with_last_words(how: str, life: Life) -> str:
    """How it ended, and what it said of itself last: often it knows why, and nobody else does."""
    return f'{how}; it last said "{life.said}"' if life.said else how


def counted(life: Life, now: float, backoff: Backoff) -> Life:
    """With one more failure; a good run is forgiven what was before."""
    assert life.running is not None  # it runs
    good = life.up is not None and now - life.up >= backoff.good_run
    before = NO_FAILURES if good else life.failures
    return replace(life, failures=before.one_more(now, life.running.restarts))


def again(life: Life, how: str, success: bool, now: float, chance: float, backoff: Backoff) -> Step:
    """It ended unasked: start it again, at once the first time, if that is to be done at all."""
    launch = life.wanted
    assert launch is not None  # it ran, and should
    policy = launch.restarts
    life = replace(life, failures=NO_FAILURES) if success and policy.when != ALWAYS else life
    if policy.when == NEVER or (policy.when == ON_FAILURE and success):
        return _waiting(life, Phase.FINISHED, how, now), ()
    if life.perhaps_elsewhere:
        ended = _waiting(life, Phase.STOPPED, f"{how}, while no agent ran", now)
        return replace(ended, wanted=None), ()
    if life.failures.too_many:
        return failed(life, _in_a_row(how, life), now, backoff.until_trial(chance))
    delay = backoff.delay(life.failures.in_a_row, chance)
    if not delay:
        return spawn(restarted(life), launch, how, now)
    return _waiting(life, Phase.BACKING_OFF, how, now, now + delay), (Wake(delay),)


def failed(life: Life, why: str, now: float, trial: float) -> Step:
    """It is not started again by itself, but for a trial.

    @param trial: seconds until then.
    """
    return _waiting(life, Phase.FAILED, why, now, now + trial), (Wake(trial),)


def _waiting(life: Life, phase: Phase, why: str, now: float, until: float | None = None) -> Life:
    return Life(
        phase=phase,
        why=why,
        wanted=life.wanted,
        since=now,
        until=until,
        failures=life.failures,
        restarts=life.restarts,
    )


def _in_a_row(how: str, life: Life) -> str:
    failures = life.failures.in_a_row
    return how if failures == 1 else f"{how}; {failures} failures in a row"
