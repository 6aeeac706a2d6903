"""Which factories and components there are: what may be asked of a container."""

from typing import Any

from pop.components.bundle import Bundle
from pop.components.component import Component
from pop.components.configured import HANDLER_CONFIGADMIN
from pop.components.context import BundleContext
from pop.components.details import factory_details, instance_details
from pop.components.errors import NoSuchComponent, NoSuchFactory
from pop.components.explanation import Promises, explain
from pop.components.factory import INSTANCE_NAME, FactoryContext
from pop.components.hooks import IHandlerFactory
from pop.components.life import Phase
from pop.components.reference import ServiceReference
from pop.components.requirement import KINDS
from pop.frozen import frozen

__all__ = ["Factory", "Inventory"]


@frozen
class Factory:
    """A component class, and the bundle that it comes from."""

    cls: type
    declared: FactoryContext
    context: BundleContext


class Inventory:
    """What there is.

    @ivar waiting: the components whose handlers are not there yet.
    @ivar promises: who would provide what.
    """

    def __init__(self) -> None:
        self.factories: dict[str, Factory] = {}
        self.components: dict[str, Component] = {}
        self.waiting: dict[str, Component] = {}
        self.promises = Promises()
        self._handlers: dict[str, tuple[ServiceReference, IHandlerFactory]] = {}

    def is_registered_factory(self, name: str) -> bool:
        """Whether there is a factory of that name."""
        return name in self.factories

    def get_factories(self) -> list[str]:
        """The names of all factories, in order."""
        return sorted(self.factories)

    def get_factory_bundle(self, name: str) -> Bundle:
        """The bundle that a factory comes from.

        @raise NoSuchFactory: there is none of that name.
        """
        return self.factory(name).context.get_bundle()

    def get_factory_details(self, name: str) -> dict[str, Any]:
        """What a factory declares, for people."""
        return factory_details(self.factory(name))

    def factory(self, name: str) -> Factory:
        """The factory of a name.

        @raise NoSuchFactory: there is none.
        """
        if (factory := self.factories.get(name)) is None:
            raise NoSuchFactory(factory=name)
        return factory

    def component(self, name: str) -> Component:
        """The component of a name.

        @raise NoSuchComponent: there is none.
        """
        if (component := self.components.get(name)) is None:
            raise NoSuchComponent(component=name)
        return component

    def is_registered_instance(self, name: str) -> bool:
        """Whether there is a component of that name."""
        return name in self.components

    def get_instance(self, name: str) -> Any:
        """The object of a component."""
        return self.component(name).instance

    def get_instances(self) -> list[tuple[str, str, Phase]]:
        """(name, factory, state) of all components that do not wait for handlers, in order."""
        return sorted(
            (component.name, component.declared.name, component.state)
            for component in self.components.values()
            if component.name not in self.waiting
        )

    def get_waiting_components(self) -> list[tuple[str, str, set[str]]]:
        """(name, factory, handlers that are missing) of those that wait, in order."""
        return sorted(
            (component.name, component.declared.name, self.missing(component))
            for component in self.waiting.values()
        )

    def get_instance_properties(self, name: str) -> dict[str, Any]:
        """A copy of a component's properties, its name included."""
        component = self.component(name)
        return {**component.properties, INSTANCE_NAME: name}

    def get_instance_details(self, name: str) -> dict[str, Any]:
        """What is known of a component, for people."""
        component = self.component(name)
        missing = ", ".join(map(_hinted, sorted(self.missing(component))))
        waits = [f"no bundle has what it is declared with: {missing}"] if missing else []
        why = waits or explain(component, self.promises)
        return {**instance_details(component), "why": why}

    def missing(self, component: Component) -> set[str]:
        """The handlers that a component needs, and that are not there."""
        return {
            handler_id
            for handler_id in component.declared.handler_ids() - KINDS
            if handler_id not in self._handlers
        }


def _hinted(handler_id: str) -> str:
    """A handler that is missing, and who has it, if that is a bundle of pop's."""
    if handler_id == HANDLER_CONFIGADMIN:
        return f"{handler_id} (start the bundle pop.components.configuration)"
    return handler_id
