"""The life of an instance: C{step(life, event)} says what it becomes and what is to be done.

Pure. Whoever drives it does the deeds, keeps the one timer that L{Wake} asks for (a new phase ends
the old timer), and reports what happened as events. An event that cannot happen in a phase
raises L{Impossible}.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pop.program import Launch


class Phase(StrEnum):
    """Where an instance is in its life, in the words that people are shown."""

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    BACKING_OFF = "backing off"
    STOPPING = "stopping"
    FAILED = "failed"


@dataclass(frozen=True)
class Backoff:
    """How long to wait before the next start; all times in seconds.

    @ivar first: the wait after the second failure in a row; after the first there is none.
    @ivar longest: no wait is longer.
    @ivar good_run: one that ran so long starts afresh.
    @ivar trial: when to try again what could not be started at all.
    """

    first: float = 0.5
    longest: float = 60.0
    good_run: float = 10.0
    trial: float = 60.0

    def delay(self, failures: int, chance: float) -> float:
        """The wait after so many failures in a row, spread over its upper half by chance."""
        if failures <= 1:
            return 0.0
        full = min(self.longest, self.first * 2.0 ** min(failures - 2, 62))
        return full * (0.5 + chance / 2)


@dataclass(frozen=True)
class Life:
    """Where one instance is.

    @ivar wanted: what should run once the present phase allows; L{None} for nothing.
    @ivar running: what the process under way was started with.
    @ivar state: what it says of itself while ready.
    @ivar since: when the phase began, in the driver's seconds.
    @ivar began: when the process under way was started.
    @ivar failures: how many in a row ended too soon.
    @ivar restarts: how often it was started again after it had ended by itself.
    """

    phase: Phase = Phase.STOPPED
    why: str = ""
    wanted: Launch | None = None
    running: Launch | None = None
    pid: int | None = None
    state: Mapping[str, Any] | None = None
    since: float = 0.0
    began: float = 0.0
    failures: int = 0
    restarts: int = 0


# What happened


@dataclass(frozen=True)
class Wanted:
    """It should run, and so."""

    launch: Launch
    why: str = ""


@dataclass(frozen=True)
class Unwanted:
    """It should not run."""

    why: str = ""


@dataclass(frozen=True)
class Spawned:
    """The process runs."""

    pid: int


@dataclass(frozen=True)
class Refused:
    """The process cannot be started at all."""

    why: str


@dataclass(frozen=True)
class Notified:
    """The program said something of itself."""

    ready: bool = False
    state: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Exited:
    """The process ended, and nothing that it started is left."""

    how: str


@dataclass(frozen=True)
class Elapsed:
    """The time that L{Wake} asked for is over."""


Event = Wanted | Unwanted | Spawned | Refused | Notified | Exited | Elapsed


# What is to be done


@dataclass(frozen=True)
class Spawn:
    """Start the process."""

    launch: Launch


@dataclass(frozen=True)
class AskToStop:
    """Send the stop signal."""

    signal: str


@dataclass(frozen=True)
class Kill:
    """End the process and all that it started, now."""


@dataclass(frozen=True)
class Wake:
    """Report L{Elapsed} after so many seconds, unless the phase changes before."""

    after: float


Deed = Spawn | AskToStop | Kill | Wake
Step = tuple[Life, tuple[Deed, ...]]


class Impossible(Exception):
    """An event that cannot happen in this phase: a defect of the driver."""


def step(
    life: Life, event: Event, *, now: float, chance: float = 0.5, backoff: Backoff = Backoff()
) -> Step:
    """What an instance becomes by an event, and the deeds that are due.

    @param now: seconds, never running backwards.
    @param chance: from 0 to 1, spreads the waits of many instances.
    """
    match life.phase, event:
        case ((Phase.STOPPED | Phase.BACKING_OFF | Phase.FAILED), Wanted()):
            return _spawn(replace(life, failures=0), event.launch, event.why, now)
        case ((Phase.STARTING | Phase.READY), Wanted()):
            return _stop(life, event.launch, event.why, now)
        case Phase.STOPPING, Wanted():
            return replace(life, wanted=event.launch, why=event.why), ()
        case ((Phase.STARTING | Phase.READY), Unwanted()):
            return _stop(life, None, event.why, now)
        case ((Phase.STOPPED | Phase.BACKING_OFF | Phase.FAILED), Unwanted()):
            return _rest(life, event.why, now), ()
        case Phase.STOPPING, Unwanted():
            return replace(life, wanted=None, why=event.why), ()
        case Phase.STARTING, Spawned():
            life = replace(life, pid=event.pid)
            return (life if _notifies(life) else _ready(life, None, now)), ()
        case Phase.STARTING, Refused():
            return _failed(life, event.why, now, backoff)
        case ((Phase.STARTING | Phase.READY | Phase.STOPPING), Notified()):
            return _notified(life, event, now), ()
        case ((Phase.STARTING | Phase.READY), Exited()):
            return _again(life, event.how, now, chance, backoff)
        case Phase.STOPPING, Exited() if life.wanted:
            return _spawn(life, life.wanted, life.why, now)
        case Phase.STOPPING, Exited():
            return _rest(life, life.why, now), ()
        case Phase.STOPPING, Elapsed():
            return replace(life, why=_killed(life.why)), (Kill(),)
        case Phase.BACKING_OFF, Elapsed() if life.wanted:
            again = replace(life, restarts=life.restarts + 1)
            return _spawn(again, life.wanted, life.why, now)
        case Phase.FAILED, Elapsed() if life.wanted:
            return _spawn(life, life.wanted, life.why, now)
    raise Impossible(f"{event} in phase {life.phase}")


def _spawn(life: Life, launch: Launch, why: str, now: float) -> Step:
    starting = replace(
        life,
        phase=Phase.STARTING,
        why=why,
        wanted=launch,
        running=launch,
        pid=None,
        state=None,
        since=now,
        began=now,
    )
    return starting, (Spawn(launch),)


def _stop(life: Life, then: Launch | None, why: str, now: float) -> Step:
    assert life.running is not None  # it is starting or ready
    stopping = replace(
        life, phase=Phase.STOPPING, why=why, wanted=then, state=None, since=now, failures=0
    )
    return stopping, (AskToStop(life.running.stop_signal), Wake(life.running.grace_period))


def _rest(life: Life, why: str, now: float) -> Life:
    return Life(why=why, since=now, restarts=life.restarts)


def _notifies(life: Life) -> bool:
    return life.running is not None and life.running.program.notifies


def _ready(life: Life, state: Mapping[str, Any] | None, now: float) -> Life:
    assert life.running is not None  # it is starting
    said = dict(life.running.program.state) if state is None else state
    return replace(life, phase=Phase.READY, state=said, since=now)


def _notified(life: Life, event: Notified, now: float) -> Life:
    if life.phase is Phase.STARTING and event.ready:
        return _ready(life, event.state if event.state is not None else life.state, now)
    if life.phase is Phase.STOPPING or event.state is None:
        return life
    # Kept while it starts as well: state and readiness may come in two datagrams.
    return replace(life, state=event.state)


def _again(life: Life, how: str, now: float, chance: float, backoff: Backoff) -> Step:
    """It ended by itself: start it again, at once the first time."""
    assert life.wanted is not None  # it is starting or ready
    failures = 1 if now - life.began >= backoff.good_run else life.failures + 1
    ended = replace(life, failures=failures, why=how, pid=None, state=None)
    delay = backoff.delay(failures, chance)
    if not delay:
        return _spawn(replace(ended, restarts=life.restarts + 1), life.wanted, how, now)
    return _wait(ended, Phase.BACKING_OFF, now), (Wake(delay),)


def _failed(life: Life, why: str, now: float, backoff: Backoff) -> Step:
    return _wait(replace(life, why=why), Phase.FAILED, now), (Wake(backoff.trial),)


def _wait(life: Life, phase: Phase, now: float) -> Life:
    return replace(life, phase=phase, running=None, pid=None, state=None, since=now)


def _killed(why: str) -> str:
    killed = "killed at the end of its grace period"
    return f"{why}; {killed}" if why else killed
