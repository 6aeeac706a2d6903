"""Factories come and go with the bundles that define them."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from pop.components.bundle import Bundle, BundleState
from pop.components.component import Component
from pop.components.errors import BundleException
from pop.components.events import BundleEvent, BundleEventKind
from pop.components.factory import AUTO_RESTART, context_of

if TYPE_CHECKING:
    from pop.components.container import Container

__all__ = ["Follower"]

log = Logger()


class Follower:
    """Listens to bundles on behalf of a container."""

    def __init__(self, container: "Container") -> None:
        self._container = container
        self._coming_back: dict[Bundle, list[Component]] = {}

    def start(self) -> None:
        """Take in the factories of all bundles that are active, and be told of others."""
        context = self._container.context
        context.add_bundle_listener(self)
        for bundle in context.get_bundles():
            if bundle.get_state() is BundleState.ACTIVE:
                self._take_in(bundle)

    def stop(self) -> None:
        """Listen no more."""
        self._container.context.remove_bundle_listener(self)

    def bundle_changed(self, event: BundleEvent) -> Deferred[Any] | None:
        """For the framework: factories come and go with their bundles."""
        bundle, kind = event.bundle, event.kind
        if kind is BundleEventKind.STARTED:
            self._take_in(bundle)
            self._bring_back(bundle)
        elif kind is BundleEventKind.STOPPING:
            return self._container.let_go(bundle)
        elif kind is BundleEventKind.UPDATE_BEGIN:
            self._coming_back[bundle] = self._lasting(bundle)
        elif kind in (BundleEventKind.UPDATED, BundleEventKind.UPDATE_FAILED):
            self._coming_back.pop(bundle, None)
        return None

    def _take_in(self, bundle: Bundle) -> None:
        """Each factory for itself: what fails with one harms no other."""
        found = list(_factories_in(bundle))
        for cls in found:
            try:
                self._container.register_factory(bundle.get_bundle_context(), cls)
            except BundleException as error:
                log.error("{error}", error=error)
        for cls in found:
            self._instantiate_all(cls)

    def _instantiate_all(self, cls: type) -> None:
        declared = context_of(cls)
        assert declared is not None  # it is a factory
        factory = self._container.factories.get(declared.name)
        if factory is None or factory.cls is not cls:
            return
        for name, properties in declared.instances.items():
            self._try_to_instantiate(declared.name, name, properties)

    def _try_to_instantiate(self, factory: str, name: str, given: Mapping[str, Any]) -> None:
        try:
            self._container.instantiate(factory, name, given)
        except BundleException as error:
            log.error("{error}", error=error)

    def _lasting(self, bundle: Bundle) -> list[Component]:
        """The components of a bundle that are to come back after its update."""
        return [
            component
            for component in self._container.components.values()
            if component.bundle is bundle and component.given.get(AUTO_RESTART)
        ]

    def _bring_back(self, bundle: Bundle) -> None:
        """With what they had in the end: what others had lent them, they have given back."""
        for before in self._coming_back.get(bundle, ()):
            factory, name = before.declared.name, before.name
            if name not in self._container.components and factory in self._container.factories:
                self._try_to_instantiate(factory, name, before.lasting())


def _factories_in(bundle: Bundle) -> Iterator[type]:
    """The factories that a bundle's module defines, not those that it imports."""
    module = bundle.get_module()
    for value in list(vars(module).values()):
        if isinstance(value, type) and value.__module__ == module.__name__:
            declared = context_of(value)
            if declared is not None and declared.complete:
                yield value
            elif declared is not None and declared.instances:
                cls = f"{value.__module__}.{value.__qualname__}"
                log.warn("{cls} is to be instantiated, but is no @ComponentFactory", cls=cls)
