"""Requirements that are met by all that match: as a list, or as one object that calls them all."""

from bisect import insort
from typing import TYPE_CHECKING, Any

from pop.components.dependency import Dependency
from pop.components.properties import Properties
from pop.components.reference import ServiceReference
from pop.components.requirement import Requirement

if TYPE_CHECKING:
    from pop.components.component import Component

__all__ = ["AggregateDependency"]


class AggregateDependency(Dependency):
    """All that match, in the order of their ranking; L{None} if none does."""

    __slots__ = ("came", "order", "services", "updates", "went")

    def __init__(self, component: "Component", field: str, requirement: Requirement) -> None:
        super().__init__(component, field, requirement)
        self.services: dict[ServiceReference, Any] = {}
        self.order: list[ServiceReference] = []
        self.came: dict[ServiceReference, None] = {}
        self.went: dict[ServiceReference, None] = {}
        self.updates: list[tuple[ServiceReference, Properties | None]] = []

    def arrived(self, reference: ServiceReference) -> None:
        """One more; or one that was to go, and stays."""
        self.went.pop(reference, None)
        if reference not in self.services:
            self.came[reference] = None
            self.touched()

    def modified(self, reference: ServiceReference, previous: Properties | None) -> None:
        """Its place in the order may be another."""
        if reference in self.services:
            self.went.pop(reference, None)
            self.updates.append((reference, previous))
            self.touched()
        else:
            self.arrived(reference)

    def left(self, reference: ServiceReference) -> None:
        """One less."""
        self.came.pop(reference, None)
        if reference in self.services:
            self.went[reference] = None
            self.touched()

    def refresh(self) -> None:
        """What is there, against what is bound."""
        found = dict.fromkeys(self.found())
        self.came = {reference: None for reference in found if reference not in self.services}
        self.went = {reference: None for reference in self.services if reference not in found}
        self.touched()

    def breaks(self) -> bool:
        """If none would be left."""
        return not self.requirement.optional and len(self.went) >= len(self.services) > 0

    async def settle(self) -> None:
        """Those that went, those that came, those that changed."""
        came, self.came = self.came, {}
        went, self.went = self.went, {}
        updates, self.updates = self.updates, []
        for reference in went:
            if reference in self.services:
                await self.unbind(reference)
        for reference in sorted(came):
            await self.bind(reference)
        if updates:
            self.order.sort()
            self.inject()
        for reference, previous in updates:
            if (service := self.services.get(reference)) is not None:
                await self.component.updated(self.field, reference, service, previous)

    def satisfied(self) -> bool:
        """There is one at least."""
        return self.requirement.optional or len(self.services) > len(self.went)

    def value(self) -> Any:
        """A list of its own each time: who goes through the last one is not disturbed."""
        return [self.services[reference] for reference in self.order] or None

    def bindings(self) -> list[ServiceReference]:
        """In their order."""
        return list(self.order)

    def hold(self, reference: ServiceReference, service: Any) -> None:
        """At its place in the order."""
        self.services[reference] = service
        insort(self.order, reference)

    def drop(self, reference: ServiceReference) -> Any:
        """One less."""
        self.order.remove(reference)
        return self.services.pop(reference)

    def held(self, reference: ServiceReference) -> Any:
        """One of them."""
        return self.services[reference]

    def holds(self, reference: ServiceReference) -> bool:
        """It is one of them."""
        return reference in self.services
