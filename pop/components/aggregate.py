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

    __slots__ = ("came", "leaving", "order", "services", "updates", "went")

    def __init__(self, component: "Component", field: str, requirement: Requirement) -> None:
        super().__init__(component, field, requirement)
        self.services: dict[ServiceReference, Any] = {}
        self.order: list[ServiceReference] = []
        self.leaving: ServiceReference | None = None
        self.came: dict[ServiceReference, None] = {}
        self.went: dict[ServiceReference, None] = {}
        self.updates: list[tuple[ServiceReference, Properties | None]] = []

    def arrived(self, reference: ServiceReference) -> None:
        """One more; or one that was to go, and stays."""
        self.went.pop(reference, None)
        if not self._stays(reference):
            self.came[reference] = None
            self.touched()

    def modified(self, reference: ServiceReference, previous: Properties | None) -> None:
        """Its place in the order may be another."""
        if self._stays(reference):
            self.went.pop(reference, None)
            self.updates.append((reference, previous))
            self.touched()
        else:
            self.arrived(reference)

    def left(self, reference: ServiceReference) -> None:
        """One less."""
        self.came.pop(reference, None)
        if self._stays(reference):
            self.went[reference] = None
            self.touched()

    def _stays(self, reference: ServiceReference) -> bool:
        """Whether it is bound, and not just being let go."""
        return reference in self.services and reference is not self.leaving

    def refresh(self) -> None:
        """What is there, against what is bound."""
        found = dict.fromkeys(self.found())
        self.came = {reference: None for reference in found if not self._stays(reference)}
        self.went = {
            reference: None
            for reference in self.services
            if reference not in found and self._stays(reference)
        }
        self.touched()

    def breaks(self) -> bool:
        """If none would be left."""
        return not self.requirement.optional and len(self.went) >= len(self.services)

    async def settle(self) -> None:
        """Those that went, those that came, those that changed."""
        for reference in list(self.went):
            if reference in self.went:  # it may have come back meanwhile
                del self.went[reference]
                self.leaving = reference
                await self.unbind(reference)
                self.leaving = None
        for reference in sorted(self.came):
            if reference in self.came:
                del self.came[reference]
                await self.bind(reference)
        updates, self.updates = self.updates, []
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
