"""The life of an instance: C{step(life, event)} says what it becomes and what is to be done.

Pure. Whoever drives it does the deeds, keeps the one timer that L{Wake} asks for (a new phase ends
the old one, and so does a new L{Wake}), and reports what happened as events. An event that cannot
happen in a phase raises L{Impossible}.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from pop.backoff import NO_FAILURES, USUAL, Backoff, Failures
from pop.events import (
    Adopted,
    AskToStop,
    Deed,
    Elapsed,
    Event,
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
from pop.policy import ALWAYS, NEVER, ON_FAILURE
from pop.program import Launch

__all__ = [
    "RESTS",
    "RUNS",
    "Adopted",
    "AskToStop",
    "Backoff",
    "Deed",
    "Elapsed",
    "Event",
    "Exited",
    "Failed",
    "Failures",
    "Impossible",
    "Kill",
    "Life",
    "Notified",
    "Passed",
    "Phase",
    "Recalled",
    "Refused",
    "Spawn",
    "Spawned",
    "Unhealthy",
    "Unwanted",
    "Wake",
    "Wanted",
    "step",
]


class Phase(StrEnum):
    """Where an instance is in its life, in the words that people are shown."""

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    NOT_READY = "not ready"
    BACKING_OFF = "backing off"
    STOPPING = "stopping"
    FINISHED = "finished"
    FAILED = "failed"


RUNS: Final = frozenset((Phase.STARTING, Phase.READY, Phase.NOT_READY))
"""A process runs, and should."""
RESTS: Final = frozenset((Phase.STOPPED, Phase.BACKING_OFF, Phase.FINISHED, Phase.FAILED))
"""No process runs."""


@dataclass(frozen=True)
class Life:
    """Where one instance is. All times are the driver's seconds.

    @ivar wanted: what should run once the present phase allows; L{None} for nothing.
    @ivar running: what the process under way was started with.
    @ivar state: what the process says of itself.
    @ivar said: its last status line, for people.
    @ivar told: whether it said that it is ready; L{False}, that it is on its way out.
    @ivar passed: whether its readiness check passes.
    @ivar doubt: what a check last found wrong.
    @ivar since: when the phase began.
    @ivar began: when the process under way was started.
    @ivar up: when that was first ready.
    @ivar until: when it will be started again.
    @ivar failing: it is being stopped for a failure, not because it was asked to.
    @ivar restarts: how often it was started again after it had ended by itself.
    """

    phase: Phase = Phase.STOPPED
    why: str = ""
    wanted: Launch | None = None
    running: Launch | None = None
    pid: int | None = None
    state: Mapping[str, Any] | None = None
    said: str = ""
    told: bool | None = None
    passed: bool = False
    doubt: str = ""
    since: float = 0.0
    began: float = 0.0
    up: float | None = None
    until: float | None = None
    failing: bool = False
    failures: Failures = NO_FAILURES
    restarts: int = 0

    @property
    def reason(self) -> str:
        """Why it is in its phase, and what keeps it there."""
        if self.phase is Phase.STARTING and self.doubt:
            return f"{self.why}; {self.doubt}" if self.why else self.doubt
        if self.phase is Phase.NOT_READY and self.doubt and self.told is not False:
            return self.doubt
        return self.why


Step = tuple[Life, tuple[Deed, ...]]


class Impossible(Exception):
    """An event that cannot happen in this phase: a defect of the driver."""


def step(
    life: Life, event: Event, *, now: float, chance: float = 0.5, backoff: Backoff = USUAL
) -> Step:
    """What an instance becomes by an event, and the deeds that are due.

    @param now: seconds, never running backwards.
    @param chance: from 0 to 1, spreads the waits of many instances.
    """
    match life.phase, event:
        case phase, Wanted() if phase in RESTS:
            return _spawn(replace(life, failures=NO_FAILURES), event.launch, event.why, now)
        case phase, Wanted() if phase in RUNS:
            return _stop(life, event.launch, event.why, now)
        case Phase.STOPPING, Wanted():
            return replace(life, wanted=event.launch, why=event.why, failing=False), ()
        case phase, Unwanted() if phase in RESTS:
            return Life(why=event.why, since=now, restarts=life.restarts), ()
        case phase, Unwanted() if phase in RUNS:
            return _stop(life, None, event.why, now)
        case Phase.STOPPING, Unwanted():
            return replace(life, wanted=None, why=event.why, failing=False), ()
        case Phase.STOPPED, Adopted():
            return _begun(_adopted(event, now), now)
        case Phase.STOPPED, Recalled():
            return _recalled(event, now), ()
        case Phase.STARTING, Spawned() if life.pid is None:
            return _begun(replace(life, pid=event.pid), now)
        case Phase.STARTING, Refused() if life.pid is None:
            return _failed(life, event.why, now, backoff.until_trial(chance))
        case phase, Notified() if phase in RUNS:
            return _judged(_notified(life, event), "it said so", now), ()
        case phase, Passed() if phase in RUNS:
            life = replace(life, passed=True, doubt="")
            return _judged(life, "its readiness check passes", now), ()
        case phase, Failed() if phase in RUNS:
            return _judged(replace(life, passed=False, doubt=event.why), event.why, now), ()
        case Phase.STARTING, Unhealthy():
            return replace(life, doubt=event.why), ()  # it has until its start timeout
        case ((Phase.READY | Phase.NOT_READY), Unhealthy()):
            return _give_up(life, event.why, now, backoff)
        case Phase.STOPPING, Notified() | Passed() | Failed() | Unhealthy():
            return life, ()
        case phase, Exited() if phase in RUNS:
            failed = _counted(life, now, backoff)
            return _again(failed, event.how, event.success, now, chance, backoff)
        case Phase.STOPPING, Exited() if life.failing:
            return _again(life, life.why, False, now, chance, backoff)
        case Phase.STOPPING, Exited():
            return _stopped(life, now)
        case Phase.STARTING, Elapsed():
            return _give_up(life, _late(life), now, backoff)
        case Phase.STOPPING, Elapsed():
            return replace(life, why=_killed(life.why)), (Kill(),)
        case ((Phase.BACKING_OFF | Phase.FAILED), Elapsed()) if life.wanted:
            return _try(life, now)
    raise Impossible(f"{event} in phase {life.phase}")


# Starting, and being ready


def _spawn(life: Life, launch: Launch, why: str, now: float) -> Step:
    starting = Life(
        phase=Phase.STARTING,
        why=why,
        wanted=launch,
        running=launch,
        since=now,
        began=now,
        failures=life.failures,
        restarts=life.restarts,
    )
    return starting, (Spawn(launch),)


def _try(life: Life, now: float) -> Step:
    """Once more; a restart, unless it was refused before it could begin."""
    assert life.wanted is not None  # that is what it waits for
    ended = life.failures.in_a_row > 0
    return _spawn(_restarted(life) if ended else life, life.wanted, life.why, now)


def _restarted(life: Life) -> Life:
    return replace(life, restarts=life.restarts + 1)


def _adopted(event: Adopted, now: float) -> Life:
    """What it told the predecessor is not known but by what came of it: if in doubt, its check
    decides alone, since a program that was ready does not say so again."""
    return Life(
        phase=Phase.STARTING,
        why="taken over from the agent before",
        wanted=event.launch,
        running=event.launch,
        pid=event.pid,
        state=event.state,
        told=True if event.ready or event.launch.checks.readiness else None,
        passed=event.ready,
        since=now,
        began=now - event.age,
        up=now - event.age if event.ready else None,
    )


def _recalled(event: Recalled, now: float) -> Life:
    failures = NO_FAILURES if event.success else NO_FAILURES.one_more(now, event.launch.restarts)
    finished = Life(wanted=event.launch, failures=failures)
    return _waiting(finished, Phase.FINISHED, event.how, now)


def _begun(life: Life, now: float) -> Step:
    """The process runs: it is ready at once if nothing more is asked of it."""
    life = _judged(life, life.why, now)
    if life.phase is Phase.READY or life.running is None:
        return life, ()
    return life, (Wake(life.running.start_timeout),)


def _notified(life: Life, event: Notified) -> Life:
    told = False if event.stopping else event.ready or life.told
    said = life.said if event.status is None else event.status
    # The state is kept while it starts: state and readiness may come in two datagrams.
    state = life.state if event.state is None else event.state
    return replace(life, told=told, said=said, state=state)


def _judged(life: Life, why: str, now: float) -> Life:
    """It is ready, or not any more, by what is known of it now."""
    ready = _is_ready(life)
    if life.phase is Phase.STARTING and ready:
        up = now if life.up is None else life.up
        return replace(life, phase=Phase.READY, state=_first_state(life), since=now, up=up)
    if life.phase is Phase.READY and not ready:
        why = "it says that it is stopping" if life.told is False else why
        return replace(life, phase=Phase.NOT_READY, why=why, since=now)
    if life.phase is Phase.NOT_READY and ready:
        return replace(life, phase=Phase.READY, why=f"ready again: {why}", since=now)
    return life


def _is_ready(life: Life) -> bool:
    assert life.running is not None  # it runs
    told = life.told if life.running.program.notifies else life.told is not False
    return bool(told) and (life.passed or life.running.checks.readiness is None)


def _first_state(life: Life) -> Mapping[str, Any] | None:
    """What it said, or else its type."""
    if life.state is not None or life.running is None:
        return life.state
    return dict(life.running.program.state)


# Stopping, ending, and what follows


def _stop(life: Life, then: Launch | None, why: str, now: float) -> Step:
    assert life.running is not None  # it runs
    stopping = replace(
        life, phase=Phase.STOPPING, why=why, wanted=then, state=None, since=now, until=None
    )
    return stopping, (AskToStop(life.running.stop_signal), Wake(life.running.grace_period))


def _stopped(life: Life, now: float) -> Step:
    """It ended as it was asked to."""
    if life.wanted is None:
        return Life(why=life.why, since=now, restarts=life.restarts), ()
    return _spawn(replace(life, failures=NO_FAILURES), life.wanted, life.why, now)


def _give_up(life: Life, why: str, now: float, backoff: Backoff) -> Step:
    """It runs, but to no good."""
    failed = replace(_counted(life, now, backoff), failing=True)
    return _stop(failed, life.wanted, why, now)


def _counted(life: Life, now: float, backoff: Backoff) -> Life:
    """With one more failure; a good run is forgiven what was before."""
    assert life.running is not None  # it runs
    good = life.up is not None and now - life.up >= backoff.good_run
    before = NO_FAILURES if good else life.failures
    return replace(life, failures=before.one_more(now, life.running.restarts))


def _again(
    life: Life, how: str, success: bool, now: float, chance: float, backoff: Backoff
) -> Step:
    """It ended unasked: start it again, at once the first time, if that is to be done at all."""
    launch = life.wanted
    assert launch is not None  # it ran, and should
    policy = launch.restarts
    life = replace(life, failures=NO_FAILURES) if success and policy.when != ALWAYS else life
    if policy.when == NEVER or (policy.when == ON_FAILURE and success):
        return _waiting(life, Phase.FINISHED, how, now), ()
    if life.failures.too_many:
        return _failed(life, _in_a_row(how, life), now, backoff.until_trial(chance))
    delay = backoff.delay(life.failures.in_a_row, chance)
    if not delay:
        return _spawn(_restarted(life), launch, how, now)
    return _waiting(life, Phase.BACKING_OFF, how, now, now + delay), (Wake(delay),)


def _failed(life: Life, why: str, now: float, trial: float) -> Step:
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


def _late(life: Life) -> str:
    assert life.running is not None  # it is starting
    doubt = f": {life.doubt}" if life.doubt else ""
    return f"not ready within {life.running.start_timeout:g} seconds{doubt}"


def _killed(why: str) -> str:
    killed = "killed at the end of its grace period"
    return f"{why}; {killed}" if why else killed
