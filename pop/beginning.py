"""The beginning of a process's life: it is started, or taken over."""

from dataclasses import replace

from pop.events import Adopted, Spawn, Wake
from pop.phase import Life, Phase, Step
from pop.program import Launch
from pop.readiness import judged


def spawn(life: Life, launch: Launch, why: str, now: float) -> Step:
    """Start a process; of the life before, only what is counted goes on."""
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


def retry(life: Life, now: float) -> Step:
    """Once more; a restart, unless it was refused before it could begin."""
    assert life.wanted is not None  # that is what it waits for
    ended = life.failures.in_a_row > 0
    return spawn(restarted(life) if ended else life, life.wanted, life.why, now)


def restarted(life: Life) -> Life:
    """With one more restart after an end that nobody asked for."""
    return replace(life, restarts=life.restarts + 1)


def adopted(event: Adopted, now: float) -> Life:
    """Go on with a predecessor's process.

    What it told the predecessor is not known but by what came of it: if in doubt, its check
    decides alone, since a program that was ready does not say so again.
    """
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
        perhaps_elsewhere=event.gone and event.launch.stop_after is not None,
    )


def begun(life: Life, now: float) -> Step:
    """The process runs: it is ready at once if nothing more is asked of it."""
    life = judged(life, life.why, now)
    if life.phase is Phase.READY or life.running is None:
        return life, ()
    return life, (Wake(life.running.start_timeout),)
