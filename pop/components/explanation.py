"""Why a component is not valid, in sentences: what it requires, and who might provide that.

Components that only wait for each other are found by looking at what those that are not valid
would provide if they were.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from pop.components.factory import INSTANCE_NAME
from pop.components.life import Phase, Wish
from pop.components.offer import implied
from pop.components.reference import OBJECTCLASS
from pop.components.specifications import all_names

if TYPE_CHECKING:
    from pop.components.component import Component
    from pop.components.dependency import Dependency

__all__ = ["Promises", "circle", "explain", "sentence_of"]

MOST = 1000
"""Components that are looked at in search of a circle."""


class Promises:
    """Which components would provide what, by the names of specifications."""

    def __init__(self) -> None:
        self._by_name: dict[str, dict[Component, None]] = {}

    def add(self, component: "Component") -> None:
        """It is there, valid or not."""
        for name in _names(component):
            self._by_name.setdefault(name, {})[component] = None

    def discard(self, component: "Component") -> None:
        """It is gone."""
        for name in _names(component):
            holding = self._by_name.get(name, {})
            holding.pop(component, None)
            if not holding:
                self._by_name.pop(name, None)

    def meeting(self, dependency: "Dependency") -> "Iterator[Component]":
        """The components that would meet a requirement if they were valid, and are not."""
        for component in self._promising(dependency):
            if component.state is not Phase.VALID and _would_meet(component, dependency):
                yield component

    def silent(self, dependency: "Dependency") -> "Iterator[Component]":
        """Those that are valid, but do not register at present all that they could."""
        for component in self._promising(dependency):
            kept = any(not offer.wanted(component.instance) for offer in component.offers)
            if kept and component.state is Phase.VALID and _would_meet(component, dependency):
                yield component

    def _promising(self, dependency: "Dependency") -> "Iterator[Component]":
        requirement = dependency.requirement
        names = requirement.names
        for name in names if requirement.match_any else names[:1]:
            yield from self._by_name.get(name, ())


def _names(component: "Component") -> Iterator[str]:
    for offer in component.offers:
        yield from all_names(offer.provision.specifications or implied(type(component.instance)))


def _would_meet(component: "Component", dependency: "Dependency") -> bool:
    return component is not dependency.component and _fits(component, dependency)


def _fits(component: "Component", dependency: "Dependency") -> bool:
    names = tuple(_names(component))
    requirement = dependency.requirement
    if not requirement.match_any and not set(requirement.names).issubset(names):
        return False
    shown = {**component.properties, INSTANCE_NAME: component.name, OBJECTCLASS: names}
    return dependency.filter is None or dependency.filter.matches(shown)


def missing(component: "Component") -> "list[Dependency]":
    """What a component requires and has not."""
    return [dependency for dependency in component.dependencies if not dependency.satisfied()]


def circle(component: "Component", promises: Promises) -> "list[Component]":
    """Components that wait for each other, from one to itself; empty if it waits for others.

    Not more than C{MOST} components are looked at: it is asked at each that is made.
    """
    path = [component]
    ways = [_waits_for(component, promises)]
    seen = {component}
    while ways and len(seen) < MOST:
        other = next(ways[-1], None)
        if other is component:
            return [*path, component]
        if other is None:
            ways.pop()
            path.pop()
        elif other not in seen:
            seen.add(other)
            path.append(other)
            ways.append(_waits_for(other, promises))
    return []


def _waits_for(component: "Component", promises: Promises) -> "Iterator[Component]":
    for dependency in missing(component):
        yield from promises.meeting(dependency)


def sentence_of(found: "list[Component]") -> str:
    """A circle, by name."""
    steps = []
    for one, other in pairwise(found):
        fields = ", ".join(dependency.field for dependency in missing(one))
        steps.append(f"{one.name} requires {other.name} ({fields})")
    return f"{', and '.join(steps)}: none of them can become valid before the others"


def explain(component: "Component", promises: Promises) -> list[str]:
    """Why it is not valid; nothing if it is."""
    if component.state is Phase.ERRONEOUS:
        return [f"it failed to become valid: {(component.error_trace or '').strip()}"]
    if component.state is Phase.VALID:
        return []
    said = [f"its {component.calling} has not ended yet"] if component.calling else []
    if component.state is not Phase.INVALID:
        return said
    if component.life.wish is Wish.HOLD:
        said.append(_held(component))
    for dependency in missing(component):
        said.append(_explain_one(dependency, promises))
    said += component.handlers.why()
    if found := circle(component, promises):
        said.append(sentence_of(found))
    return said


def _held(component: "Component") -> str:
    if not component.refused:
        return "it was asked to be invalid"
    return f"what it provides was refused, until it is told to retry: {component.error_trace}"


def _explain_one(dependency: "Dependency", promises: Promises) -> str:
    names = (" or " if dependency.requirement.match_any else " and ").join(
        dependency.requirement.names
    )
    which = f" with {dependency.filter}" if dependency.filter else ""
    if dependency.blocked:
        template = dependency.requirement.filter
        return f"{dependency.field}: its properties make no filter for {names} of {template}"
    nobody = "nobody else" if _fits(dependency.component, dependency) else "nobody"
    said = f"{dependency.field}: {nobody} provides {names}{which}"
    if waiting := _listed(promises.meeting(dependency)):
        said += f"; these would, if they were valid: {waiting}"
    if silent := _listed(promises.silent(dependency)):
        said += f"; these do not at present, as their controllers say: {silent}"
    return said


def _listed(components: "Iterator[Component]") -> str:
    return ", ".join(
        sorted(f"{component.name} ({component.state.name})" for component in components)
    )
