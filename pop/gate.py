"""The gate: which changes must wait for this machine's turn, and how those that went through fare.

Pure. A change that would restart what runs waits if the service says that it rolls: all of the
service's processes here stay as they are until then, and are changed together.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace

from pop.life import RESTS, Life, Phase
from pop.plan import Want
from pop.program import Launch
from pop.readiness import settles
from pop.slots import service_of


def batch_of(now: Launch, want: Launch) -> int:
    """On how many machines at a time a change may be made; 0 for all at once.

    What is asked at once is done at once, whatever else changes by it.
    """
    batches = [want.restart_batch] if now.generation != want.generation else []
    if replace(now, generation=want.generation) != want:
        batches.append(want.roll_batch)
    return min(batches, default=0)


def awaiting(wants: Mapping[str, Want], observed: Mapping[str, Want | None]) -> dict[str, int]:
    """The services that must wait for their turn, with the batches that they go in."""
    found: dict[str, int] = {}
    free: set[str] = set()
    for slot, want in wants.items():
        now, service = observed.get(slot), service_of(slot)
        if isinstance(want, Launch) and isinstance(now, Launch) and want != now:
            batch = batch_of(now, want)
            found[service] = min(batch, found.get(service, batch))
            if not batch:
                free.add(service)
    return {service: batch for service, batch in found.items() if service not in free}


def withheld(
    wants: Mapping[str, Want], observed: Mapping[str, Want | None], waiting: Set[str]
) -> dict[str, Want]:
    """What to do while some services wait: those stay as they are."""
    free = {slot: want for slot, want in wants.items() if service_of(slot) not in waiting}
    stay = {slot: want for slot, want in observed.items() if want and service_of(slot) in waiting}
    return free | stay


def rolling(wants: Mapping[str, Want]) -> set[str]:
    """The services that roll in any case."""
    return {
        service_of(slot)
        for slot, want in wants.items()
        if isinstance(want, Launch) and (want.roll_batch or want.restart_batch)
    }


Fate = tuple[Want | None, Life]
"""What an instance was last told, and where it is in its life."""


def outcome(wants: Mapping[str, Want], fates: Mapping[str, Fate], now: float) -> str | None:
    """How a change of one service went here: why it failed, empty if all is well, or not yet known.

    @param wants: what each slot of the service should do.
    @param now: in the seconds of the lives.
    """
    every = [_outcome(want, fates.get(slot), now) for slot, want in wants.items()]
    why = next((f"{each}" for each in every if each), None)
    return why or (None if None in every else "")


def _outcome(want: Want, fate: Fate | None, now: float) -> str | None:
    if not isinstance(want, Launch):
        return ""
    if fate is None or fate[0] != want:
        return None
    life = fate[1]
    if life.phase not in RESTS and life.running != want:
        return None  # what runs is the one before, which is being stopped
    if life.failing or life.failures.in_a_row or life.phase in (Phase.FAILED, Phase.NOT_READY):
        return life.reason or life.phase.value
    if life.phase is Phase.READY:
        return None if settles(life, now) else ""
    return "" if life.phase is Phase.FINISHED else None


def settling(fates: Iterable[Fate], now: float) -> float:
    """Seconds until more is known even if nothing happens; 0 if there is nothing to wait for."""
    ready = (life for _, life in fates if life.phase is Phase.READY)
    return max((settles(life, now) for life in ready), default=0.0)
