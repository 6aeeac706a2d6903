"""Components that say C{service.pid} among their properties, and nothing else of a configuration:
they have what it says while there is one."""

from typing import Any, Final

from pop.components.component import Component
from pop.components.configuration.admin import (
    SERVICE_CONFIGADMIN_MANAGED,
    SERVICE_CONFIGADMIN_MANAGED_FACTORY,
)
from pop.components.configuration.configuration import FACTORY_PID, PID
from pop.components.configuration.instances import COMPONENT_PID
from pop.components.configuration.required import Required
from pop.components.configured import HANDLER_CONFIGADMIN, Configured
from pop.components.container import Container
from pop.components.notices import IPopoEvent, Kind

_MANAGED: Final = frozenset((SERVICE_CONFIGADMIN_MANAGED, SERVICE_CONFIGADMIN_MANAGED_FACTORY))


class Followers:
    """Has such components managed from when they are made until they are gone."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._following: dict[str, tuple[Component, Required]] = {}

    def start(self) -> None:
        """With those that there are."""
        self._container.add_listener(self)
        for component in list(self._container.components.values()):
            if (following := self._follow(component)) is not None:
                following.start()

    def stop(self) -> None:
        """They keep what they have."""
        self._container.remove_listener(self)
        for component, following in self._following.values():
            component.handlers.remove(following)
            following.stop()
        self._following.clear()

    def handle_ipopo_event(self, event: IPopoEvent) -> None:
        """For the container."""
        if event.component is None:
            return
        if event.kind is Kind.INSTANTIATED:
            self._follow(self._container.component(event.component))
        elif event.kind is Kind.KILLED:
            self._following.pop(event.component, None)

    def _follow(self, component: Component) -> Required | None:
        if not _is_one(component):
            return None
        following = Required(component, Configured(None, optional=True, restart=False))
        component.handlers.append(following)
        self._following[component.name] = component, following
        return following


def _is_one(component: Component) -> bool:
    """Whether nobody else sees to its configuration: neither what made it nor it itself."""
    said: Any = component.properties
    provided = {name for offer in component.offers for name in offer.provision.specifications}
    return (
        isinstance(said.get(PID), str)
        and said.get(FACTORY_PID) != COMPONENT_PID
        and HANDLER_CONFIGADMIN not in component.declared.configurations
        and not _MANAGED & provided
    )
