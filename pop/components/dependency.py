"""What is bound to a component: its requirements, met by registrations.

A dependency only notes what the registry tells it; it changes what is injected when its component
calls L{Dependency.settle}, which is never while a callback is under way.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pop.components.context import BundleContext
from pop.components.events import ServiceEvent, ServiceEventKind
from pop.components.factory import INSTANCE_NAME
from pop.components.life import Phase
from pop.components.properties import Properties
from pop.components.reference import ServiceReference
from pop.components.requirement import Requirement, lookup

if TYPE_CHECKING:
    from pop.components.component import Component

__all__ = ["Dependency", "SimpleDependency"]

_REGISTERED = ServiceEventKind.REGISTERED
_MODIFIED = ServiceEventKind.MODIFIED


class Dependency(ABC):
    """One requirement of one component, and what meets it.

    @ivar specification: what to look for in the registry, with C{filter}.
    @ivar blocked: it cannot be said what to look for, so that nothing is found.
    """

    __slots__ = (
        "blocked",
        "component",
        "context",
        "dirty",
        "field",
        "filter",
        "listening",
        "objects",
        "requirement",
        "specification",
    )

    def __init__(self, component: "Component", field: str, requirement: Requirement) -> None:
        self.component = component
        self.context: BundleContext = component.context
        self.field = field
        self.requirement = requirement
        self.specification, self.filter = lookup(requirement)
        self.blocked = False
        self.listening = False
        self.dirty = False
        self.objects: dict[ServiceReference, Any] | None = None

    # What the registry says

    def start(self) -> None:
        """Listen from now on, and look what there is already."""
        if (value := self.value()) is not None:
            setattr(self.component.instance, self.field, value)
        self.listen()
        self.refresh()

    def listen(self) -> None:
        """Be told what happens to the registrations that match."""
        if self.blocked:
            return
        self.context.add_service_listener(self, self.filter, self.specification)
        self.listening = True

    def stop(self) -> None:
        """Listen no more."""
        if self.listening:
            self.listening = False
            self.context.remove_service_listener(self)

    def service_changed(self, event: ServiceEvent) -> None:
        """For the registry: something happened to a registration that matches, or did."""
        reference = event.reference
        if not self.listening or self.is_own(reference):
            return
        if event.kind is _REGISTERED:
            self.arrived(reference)
        elif event.kind is _MODIFIED:
            self.modified(reference, event.previous)
        else:
            self.left(reference)
            if self.holds(reference):
                self.component.lingers(reference)

    def is_own(self, reference: ServiceReference) -> bool:
        """Whether the component would be given itself."""
        return (
            reference.bundle is self.component.bundle
            and reference.get_property(INSTANCE_NAME) == self.component.name
        )

    def found(self) -> list[ServiceReference]:
        """All that match now, the best first."""
        if self.blocked:
            return []
        found = self.context.get_all_service_references(self.specification, self.filter)
        return [reference for reference in found or () if not self.is_own(reference)]

    def best(self) -> ServiceReference | None:
        """The best that matches now; what is just going is not found any more."""
        if self.blocked:
            return None
        best = self.context.get_service_reference(self.specification, self.filter)
        if best is None or not self.is_own(best):
            return best
        return next(iter(self.found()), None)

    def touched(self) -> None:
        """There is something to settle."""
        self.component.touched(self)

    @abstractmethod
    def arrived(self, reference: ServiceReference) -> None:
        """One is there that was not."""

    @abstractmethod
    def modified(self, reference: ServiceReference, previous: Properties | None) -> None:
        """One has other properties, and matches now."""

    @abstractmethod
    def left(self, reference: ServiceReference) -> None:
        """One is no longer there, or matches no more."""

    @abstractmethod
    def refresh(self) -> None:
        """Look again what there is, whatever was known."""

    # What the component asks

    @abstractmethod
    def breaks(self) -> bool:
        """Whether what is to be settled cannot be while the component is valid."""

    @abstractmethod
    async def settle(self) -> None:
        """Inject what has come, and let go what went."""

    @abstractmethod
    def satisfied(self) -> bool:
        """Whether the requirement is met."""

    @abstractmethod
    def value(self) -> Any:
        """What is injected now."""

    @abstractmethod
    def bindings(self) -> list[ServiceReference]:
        """What is bound now, the best first."""

    @abstractmethod
    def hold(self, reference: ServiceReference, service: Any) -> None:
        """It is bound from now on."""

    @abstractmethod
    def drop(self, reference: ServiceReference) -> Any:
        """It is bound no longer; what was."""

    @abstractmethod
    def held(self, reference: ServiceReference) -> Any:
        """The object that is bound."""

    @abstractmethod
    def holds(self, reference: ServiceReference) -> bool:
        """Whether it is bound."""

    def property_changed(self, properties: Mapping[str, Any]) -> None:  # noqa: B027
        """The component has other properties; most do not care."""

    # Binding

    async def bind(self, reference: ServiceReference) -> None:
        """Inject it, and tell the component; if it has no object to give, nothing."""
        component = self.component
        try:
            service = self._get(reference)
        except Exception:
            component.complain("cannot get {reference}", reference=reference)
            return
        self.hold(reference, service)
        self.inject()
        await component.bound(self.field, reference, service)

    async def unbind(self, reference: ServiceReference) -> None:
        """Tell the component, and take it away."""
        component = self.component
        await component.unbound(self.field, reference, self.held(reference))
        service = self.drop(reference)
        self.inject()
        self._unget(reference, service)
        component.lingers_not(reference)

    async def unbind_all(self) -> None:
        """The component is gone."""
        for reference in self.bindings():
            await self.unbind(reference)
        self._give(None)

    def inject(self) -> None:
        """Give the component what is bound now."""
        self._give(self.value())

    def _give(self, value: Any) -> None:
        """The field may be a property that refuses it, which is logged, as if a callback fails."""
        try:
            setattr(self.component.instance, self.field, value)
        except Exception:
            self.component.complain("its {field} refuses {value}", field=self.field, value=value)

    def _get(self, reference: ServiceReference) -> Any:
        if not reference.is_prototype():
            return self.context.get_service(reference)
        objects = self.context.get_service_objects(reference)
        if self.objects is None:
            self.objects = {}
        self.objects[reference] = objects
        return objects.get_service()

    def _unget(self, reference: ServiceReference, service: Any) -> None:
        try:
            if self.objects and reference in self.objects:
                self.objects.pop(reference).unget_service(service)
            else:
                self.context.unget_service(reference)
        except Exception:
            self.component.complain("cannot give back {reference}", reference=reference)


class SimpleDependency(Dependency):
    """The first that matches. It stays, whatever comes, until it goes."""

    __slots__ = ("gone", "reference", "service", "updates")

    def __init__(self, component: "Component", field: str, requirement: Requirement) -> None:
        super().__init__(component, field, requirement)
        self.reference: ServiceReference | None = None
        self.service: Any = None
        self.gone = False
        self.updates: list[Properties | None] = []

    def arrived(self, reference: ServiceReference) -> None:
        """It is of interest if there is none."""
        if self.reference is None or self.gone:
            self.touched()

    def modified(self, reference: ServiceReference, previous: Properties | None) -> None:
        """The one that is bound is updated; another may now match."""
        if reference is self.reference:
            self.gone = False
            self.updates.append(previous)
            self.touched()
        else:
            self.arrived(reference)

    def left(self, reference: ServiceReference) -> None:
        """The one that is bound may go."""
        if reference is self.reference:
            self.gone = True
            self.touched()

    def refresh(self) -> None:
        """Whether the one that is bound still matches, and if there is one otherwise."""
        if self.reference is not None:
            self.gone = self.reference not in self.found()
        self.touched()

    def breaks(self) -> bool:
        """Unless there is another, and that is enough."""
        if self.requirement.optional or not (self.gone or self.reference is None):
            return False
        return not self.requirement.immediate_rebind or self.best() is None

    async def settle(self) -> None:
        """The old goes before the new comes."""
        if self.reference is not None and self.gone:
            await self.unbind(self.reference)
        if self.reference is None and (best := self.best()):
            await self.bind(best)
        if self.component.state is Phase.VALID and self.breaks():
            self.touched()  # what was to replace it has gone meanwhile
        while self.updates and self.reference is not None and not self.gone:
            previous = self.updates.pop(0)
            await self.component.updated(self.field, self.reference, self.service, previous)

    def satisfied(self) -> bool:
        """One is bound, and there."""
        return self.requirement.optional or (self.reference is not None and not self.gone)

    def value(self) -> Any:
        """The object itself."""
        return self.service

    def bindings(self) -> list[ServiceReference]:
        """One or none."""
        return [] if self.reference is None else [self.reference]

    def hold(self, reference: ServiceReference, service: Any) -> None:
        """The one."""
        self.reference, self.service = reference, service

    def drop(self, reference: ServiceReference) -> Any:
        """None any more."""
        service, self.reference, self.service = self.service, None, None
        self.gone = False
        self.updates.clear()
        return service

    def held(self, reference: ServiceReference) -> Any:
        """The one."""
        return self.service

    def holds(self, reference: ServiceReference) -> bool:
        """It is the one."""
        return reference is self.reference
