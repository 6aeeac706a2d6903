"""How a service fares on this machine: one report on all of its processes."""

from collections.abc import Callable, Sequence
from typing import Final

from pop.instance import Instance
from pop.life import Phase
from pop.model import Json, Status
from pop.plan import Preparing, Unrunnable
from pop.reports import Report
from pop.slots import index_of

WORST_FIRST: Final = (
    Phase.FAILED,
    Phase.BACKING_OFF,
    Phase.NOT_READY,
    Phase.STARTING,
    Phase.STOPPING,
    Phase.STOPPED,
    Phase.FINISHED,
    Phase.READY,
)
"""A service is as ready as the worst of its processes."""


def summary(
    instances: Sequence[Instance],
    problem: str,
    when: Callable[[float], str],
    causes: tuple[str, ...] = (),
) -> Report | None:
    """What is published of a service; L{None} when it has no place here any more.

    Processes that are on their way out count only where there are no others.

    @param instances: in the order of their slots.
    @param problem: what is wrong with what is wanted of it.
    @param when: makes a time of day from an instance's seconds.
    @param causes: its last changes in short.
    """
    staying = [instance for instance in instances if instance.want is not None] or instances
    if not staying:
        return None
    worst = min(staying, key=lambda instance: WORST_FIRST.index(phase_of(instance)))
    several = len(instances) > 1
    return Report(
        Status(
            phase=phase_of(worst).value,
            since=when(worst.life.since),
            why=_why(worst),
            restarts=sum(instance.life.restarts for instance in staying),
            problem=_problem(worst, problem),
            says=worst.life.said,
            causes=causes,
            processes=tuple(_process(each, when) for each in instances) if several else (),
            generation=min(_generation(each) for each in staying),
            assumed=phase_of(worst) is Phase.READY and any(map(_assumed, staying)),
            failures=max(each.life.failures.in_a_row for each in staying),
        ),
        next((each.life.pid for each in staying if each.life.pid), None),
        staying[0].life.state if phase_of(worst) is Phase.READY else None,
    )


def phase_of(instance: Instance) -> Phase:
    """The phase that is shown: what there is no way to run has failed, unless there soon is."""
    if instance.life.phase is not Phase.STOPPED or not isinstance(instance.want, Unrunnable):
        return instance.life.phase
    return Phase.STARTING if isinstance(instance.want, Preparing) else Phase.FAILED


def _generation(instance: Instance) -> int:
    """Of what runs; of what should, where nothing does."""
    launch = instance.life.running or instance.life.wanted
    return launch.generation if launch else 0


def _assumed(instance: Instance) -> bool:
    """Whether it is ready as soon as it runs."""
    return instance.life.running is not None and instance.life.running.at_first()[0]


def _why(instance: Instance) -> str:
    """The reason, with the slot's name unless that is the service's own."""
    why = instance.life.reason
    return f"{instance.name}: {why}" if why and index_of(instance.name) > 1 else why


def _problem(worst: Instance, problem: str) -> str:
    """It is no news where it is the reason already; what finished by failing does not do either."""
    if isinstance(worst.want, Unrunnable):
        return ""
    failed = worst.life.phase is Phase.FINISHED and worst.life.failures.in_a_row > 0
    return problem or (worst.life.why if failed else "")


def _process(instance: Instance, when: Callable[[float], str]) -> dict[str, Json]:
    life = instance.life
    return {
        "name": instance.name,
        "phase": phase_of(instance).value,
        "pid": life.pid,
        "since": when(life.since),
        "why": life.reason,
        "restarts": life.restarts,
        "says": life.said,
    }
