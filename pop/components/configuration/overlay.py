"""The properties that a configuration lays over those of a component."""

from collections.abc import Mapping
from typing import Any, Final

from pop.components.component import Component
from pop.components.configuration.configuration import RESERVED

_ABSENT: Final = object()


class Overlay:
    """What a component's properties are, by its configuration, and what they were before."""

    def __init__(self, component: Component) -> None:
        self._component = component
        self._before: dict[str, Any] = {}

    def lay(self, properties: Mapping[str, Any]) -> None:
        """Set these, and put back those that were set before and are not among them."""
        said = {name: value for name, value in properties.items() if name.lower() not in RESERVED}
        for name in said:
            self._before.setdefault(name, self._value(name))
        gone = {name: self._before.pop(name) for name in self._before.keys() - said.keys()}
        for name in [name for name, value in gone.items() if value is _ABSENT]:
            self._component.drop_property(name)
            del gone[name]
        self._component.set_properties({**gone, **said})

    def _value(self, name: str) -> Any:
        if name.startswith(".") and name[1:] in self._component.hidden:
            return self._component.hidden[name[1:]]
        return self._component.properties.get(name, _ABSENT)
