"""The life of an instance: C{step(life, event)} says what it becomes and what is to be done.

Pure. Whoever drives it does the deeds, keeps the one timer that L{Wake} asks for (a new phase ends
the old one, and so does a new L{Wake}), and reports what happened as events. An event that cannot
happen in a phase raises L{Impossible}.
"""

from dataclasses import replace

from pop.backoff import NO_FAILURES, USUAL, Backoff
from pop.beginning import adopted, begun, retry, spawn
from pop.ending import (
    again,
    counted,
    failed,
    give_up,
    killed,
    late,
    recalled,
    stop,
    stopped,
    with_last_words,
)
from pop.events import (
    Adopted,
    Elapsed,
    Event,
    Exited,
    Failed,
    Notified,
    Passed,
    Recalled,
    Refused,
    Spawned,
    Unhealthy,
    Unwanted,
    Wake,
    Wanted,
)
from pop.phase import RESTS, RUNS, Life, Phase, Step
from pop.readiness import judged, notified

__all__ = ["RESTS", "RUNS", "Impossible", "Life", "Phase", "step"]


class Impossible(Exception):
    """An event that cannot happen in this phase: a defect of the driver."""


def step(
    life: Life, event: Event, *, now: float, chance: float = 0.5, backoff: Backoff = USUAL
) -> Step:
    """What an instance becomes by an event, and the deeds that are due.

    One that is ready again after failures is looked at when its run is a good one: until then it
    does not count as being in service, and nothing else may happen that would tell.

    @param now: seconds, never running backwards.
    @param chance: from 0 to 1, spreads the waits of many instances.
    """
    after, deeds = _step(life, event, now, chance, backoff)
    if after.phase is Phase.READY is not life.phase and after.failures.in_a_row:
        deeds = (*deeds, Wake(backoff.good_run))
    return after, deeds


def _step(life: Life, event: Event, now: float, chance: float, backoff: Backoff) -> Step:
    match life.phase, event:
        case phase, Wanted() if phase in RESTS:
            return spawn(replace(life, failures=NO_FAILURES), event.launch, event.why, now)
        case phase, Wanted() if phase in RUNS:
            return stop(life, event.launch, event.why, now)
        case Phase.STOPPING, Wanted():
            return replace(life, wanted=event.launch, why=event.why, failing=False), ()
        case phase, Unwanted() if phase in RESTS:
            return Life(why=event.why, since=now, restarts=life.restarts), ()
        case phase, Unwanted() if phase in RUNS:
            return stop(life, None, event.why, now)
        case Phase.STOPPING, Unwanted():
            return replace(life, wanted=None, why=event.why, failing=False), ()
        case Phase.STOPPED, Adopted():
            return begun(adopted(event, now), now)
        case Phase.STOPPED, Recalled():
            return recalled(event, now), ()
        case Phase.STARTING, Spawned() if life.pid is None:
            return begun(replace(life, pid=event.pid), now)
        case Phase.STARTING, Refused() if life.pid is None:
            return failed(life, event.why, now, backoff.until_trial(chance))
        case phase, Notified() if phase in RUNS:
            return judged(notified(life, event), "it said so", now), ()
        case phase, Passed() if phase in RUNS:
            life = replace(life, passed=True, doubt="")
            return judged(life, "its readiness check passes", now), ()
        case phase, Failed() if phase in RUNS:
            return judged(replace(life, passed=False, doubt=event.why), event.why, now), ()
        case Phase.STARTING, Unhealthy():
            return replace(life, doubt=event.why), ()  # it has until its start timeout
        case ((Phase.READY | Phase.NOT_READY), Unhealthy()):
            return give_up(life, event.why, now, backoff)
        case Phase.STOPPING, Notified() | Passed() | Failed() | Unhealthy():
            return life, ()
        case phase, Exited() if phase in RUNS:
            life = counted(life, now, backoff)
            how = event.how if event.success else with_last_words(event.how, life)
            return again(life, how, event.success, now, chance, backoff)
        case Phase.STOPPING, Exited() if life.failing:
            how = with_last_words(life.why, life)
            return again(life, how, False, now, chance, backoff)
        case Phase.STOPPING, Exited():
            return stopped(life, now)
        case Phase.STARTING, Elapsed():
            return late(life, now, backoff)
        case Phase.READY, Elapsed() if life.failures.in_a_row:
            return replace(life, failures=NO_FAILURES), ()
        case Phase.STOPPING, Elapsed():
            return killed(life)
        case ((Phase.BACKING_OFF | Phase.FAILED), Elapsed()) if life.wanted:
            return retry(life, now)
    raise Impossible(f"{event} in phase {life.phase}")
