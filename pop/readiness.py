"""Readiness: whether an instance is ready, by all that is known of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from pop.events import Notified
from pop.phase import Life, Phase

SETTLES: Final = 1.0
"""Seconds for which a process must run before it is believed that it does not end at once."""


def notified(life: Life, event: Notified) -> Life:
    """With what the program said of itself."""
    told = False if event.stopping else event.ready or life.told
    said = life.said if event.status is None else event.status
    # The state is kept while it starts: state and readiness may come in two datagrams.
    state = life.state if event.state is None else event.state
    return replace(life, told=told, said=said, state=state)


def judged(life: Life, why: str, now: float) -> Life:
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


def settles(life: Life, now: float) -> float:
    """Seconds until the readiness of one that is ready can be relied upon; 0 if it can be.

    It can at once, if it said so or a check passed. What counts as ready as soon as it runs may
    end a moment later, as what is not made for its settings does. Who sets the clock back meanwhile
    makes nobody wait until it is as late again.
    """
    assert life.running is not None  # it runs
    assumed, _ = life.running.at_first()
    settled = life.began + SETTLES
    return settled - now if assumed and life.began <= now < settled else 0.0


def _is_ready(life: Life) -> bool:
    assert life.running is not None  # it runs
    told = life.told if life.running.program.notifies else life.told is not False
    return bool(told) and (life.passed or life.running.checks.readiness is None)


def _first_state(life: Life) -> Mapping[str, Any] | None:
    """What it said, or else its type."""
    if life.state is not None or life.running is None:
        return life.state
    return dict(life.running.program.state)
