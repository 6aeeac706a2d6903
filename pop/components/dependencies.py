"""Which kind of dependency meets which requirement."""

from typing import TYPE_CHECKING

from pop.components.aggregate import AggregateDependency
from pop.components.best import BestDependency
from pop.components.broadcast import BroadcastDependency
from pop.components.dependency import Dependency, SimpleDependency
from pop.components.mapping import MapDependency
from pop.components.requirement import (
    BEST,
    BROADCAST,
    MAP,
    REQUIRES,
    TEMPORAL,
    VARIABLE_FILTER,
    Requirement,
)
from pop.components.temporal import TemporalDependency
from pop.components.variable import AggregateVariableDependency, SimpleVariableDependency

if TYPE_CHECKING:
    from pop.components.component import Component

__all__ = ["make_dependency"]

_KINDS: dict[tuple[str, bool], type[Dependency]] = {
    (REQUIRES, False): SimpleDependency,
    (REQUIRES, True): AggregateDependency,
    (BEST, False): BestDependency,
    (MAP, False): MapDependency,
    (MAP, True): MapDependency,
    (BROADCAST, True): BroadcastDependency,
    (VARIABLE_FILTER, False): SimpleVariableDependency,
    (VARIABLE_FILTER, True): AggregateVariableDependency,
    (TEMPORAL, False): TemporalDependency,
}


def make_dependency(
    component: "Component", kind: str, field: str, requirement: Requirement
) -> Dependency:
    """What meets a requirement of a component.

    @param kind: the identifier under which it was declared.
    """
    return _KINDS[kind, requirement.aggregate](component, field, requirement)
