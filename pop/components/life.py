"""The life of a component: C{step(life, event)} says what it becomes and what is to be done.

Pure. Whoever drives it does the deeds in their order and reports, while the life is in one of the
phases of L{BUSY}, how the callback ended. An event that cannot happen in a phase raises
L{Impossible}.
"""

from enum import Enum, IntEnum
from functools import lru_cache
from typing import Final, NamedTuple


class Phase(IntEnum):
    """Where a component is in its life; the numbers are those of C{pelix.ipopo.instance}.

    One is its own: a component is C{INVALIDATING} for as long as its callback takes, which may be
    asynchronous here.
    """

    INVALID = 0
    VALID = 1
    KILLED = 2
    VALIDATING = 3
    ERRONEOUS = 4
    INVALIDATING = 5


BUSY: Final = frozenset((Phase.VALIDATING, Phase.INVALIDATING))
"""A callback is under way, and nothing else is done until it has ended."""


class Wish(Enum):
    """What is asked of a component: to be valid when it can, to hold, or to be gone."""

    RUN = "run"
    HOLD = "hold"
    DIE = "die"


class Event(Enum):
    """What happened to a component."""

    SATISFIED = "all its requirements are met"
    UNSATISFIED = "a requirement is not met"
    ENDED = "the callback ended well"
    RAISED = "the callback failed"
    ELAPSED = "its time to try again has come"
    RETRY = "it was asked to try again"
    HOLD = "it was asked to become invalid"
    KILL = "it was asked to be gone"


class Deed(Enum):
    """What is to be done next."""

    VALIDATE = "call what the component does when it becomes valid"
    PROVIDE = "register what it provides, and say that it is valid"
    WITHDRAW = "unregister what it provides"
    INVALIDATE = "call what it does when it is no longer valid"
    RELEASE = "say that it is invalid, and let go what went away"
    WAIT = "try again after a while"
    FORGET = "let go of everything, and say that it is gone"


class Life(NamedTuple):
    """Where one component is.

    @ivar satisfied: whether all its requirements are met.
    @ivar failed: the callback that made it valid failed; what follows is its invalidation.
    @ivar failures: how often in a row it failed to become valid.
    """

    phase: Phase = Phase.INVALID
    wish: Wish = Wish.RUN
    satisfied: bool = False
    failed: bool = False
    failures: int = 0


Step = tuple[Life, tuple[Deed, ...]]


class Impossible(Exception):
    """An event that cannot happen in this phase: a defect of the driver."""


_WITHDRAW: Final = (Deed.WITHDRAW, Deed.INVALIDATE)


@lru_cache(maxsize=4096)  # few lives differ, and thousands of components take the same steps
def step(life: Life, event: Event) -> Step:
    """What a component becomes by an event, and the deeds that are due."""
    match life.phase, event:
        case Phase.KILLED, Event.KILL:
            return life, ()
        case phase, (Event.SATISFIED | Event.UNSATISFIED) if phase is not Phase.KILLED:
            return _met(life._replace(satisfied=event is Event.SATISFIED))
        case phase, (Event.HOLD | Event.KILL) if phase is not Phase.KILLED:
            return _asked(life, Wish.HOLD if event is Event.HOLD else Wish.DIE)
        case phase, Event.RETRY if phase is not Phase.KILLED:
            return _tried(life if life.wish is Wish.DIE else life._replace(wish=Wish.RUN))
        case phase, Event.ELAPSED if phase is not Phase.KILLED and phase not in BUSY:
            return _tried(life)  # it may come late
        case Phase.VALIDATING, Event.ENDED:
            return _validated(life._replace(failures=0))
        case Phase.VALIDATING, Event.RAISED:
            failed = life._replace(failed=True, failures=life.failures + 1)
            return failed._replace(phase=Phase.INVALIDATING), (Deed.INVALIDATE,)
        case Phase.INVALIDATING, (Event.ENDED | Event.RAISED):
            return _invalidated(life)
    raise Impossible(f"{event} in phase {life.phase.name}")


def _met(life: Life) -> Step:
    """What it requires came or went."""
    if life.phase is Phase.INVALID:
        return _tried(life)
    if life.phase is Phase.VALID and not life.satisfied:
        return life._replace(phase=Phase.INVALIDATING), _WITHDRAW
    if life.phase is Phase.ERRONEOUS and not life.satisfied:
        return life._replace(phase=Phase.INVALID, failures=0), ()
    return life, ()


def _asked(life: Life, wish: Wish) -> Step:
    """To hold or to be gone; the latter is for good."""
    life = life._replace(wish=wish if life.wish is not Wish.DIE else Wish.DIE)
    if life.phase is Phase.VALID:
        return life._replace(phase=Phase.INVALIDATING), _WITHDRAW
    if life.phase in BUSY:
        return life, ()
    return _rest(life)


def _tried(life: Life) -> Step:
    """It becomes valid, if it is neither so nor on its way, and nothing is in the way."""
    ready = life.wish is Wish.RUN and life.satisfied
    if ready and life.phase in (Phase.INVALID, Phase.ERRONEOUS):
        return life._replace(phase=Phase.VALIDATING), (Deed.VALIDATE,)
    return life, ()


def _validated(life: Life) -> Step:
    if life.wish is Wish.RUN and life.satisfied:
        return life._replace(phase=Phase.VALID), (Deed.PROVIDE,)
    return life._replace(phase=Phase.INVALIDATING), (Deed.INVALIDATE,)


def _invalidated(life: Life) -> Step:
    """Its callback is through. Only then may go what it used."""
    if life.failed and life.wish is Wish.RUN and life.satisfied:
        erroneous = life._replace(phase=Phase.ERRONEOUS, failed=False)
        return erroneous, (Deed.RELEASE, Deed.WAIT)
    life, deeds = _rest(life._replace(failed=False))
    return life, (Deed.RELEASE, *deeds)


def _rest(life: Life) -> Step:
    """Invalid, or gone."""
    if life.wish is Wish.DIE:
        return life._replace(phase=Phase.KILLED), (Deed.FORGET,)
    # What is not satisfied says so again once it is: the driver looks after each release.
    return life._replace(phase=Phase.INVALID, satisfied=False), ()
