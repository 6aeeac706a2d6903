"""What a component class declares: its factory context, which the decorators fill in."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

from pop.frozen import frozen

__all__ = [
    "AUTO_RESTART",
    "CONTEXT",
    "INSTANCE_NAME",
    "PROPERTY",
    "PROVIDES",
    "REQUIRES_FILTERS",
    "TEMPORAL_TIMEOUTS",
    "Callback",
    "FactoryContext",
    "FactoryManipulationError",
    "FieldCallback",
    "Provision",
    "context_of",
]

CONTEXT: Final = "__pop_factory_context__"
"""The attribute of a class that holds what it declares."""

INSTANCE_NAME: Final = "instance.name"
REQUIRES_FILTERS: Final = "requires.filters"
TEMPORAL_TIMEOUTS: Final = "temporal.timeouts"
AUTO_RESTART: Final = "pelix.ipopo.auto_restart"

PROPERTY: Final = "ipopo.properties"
PROVIDES: Final = "ipopo.provides"


class FactoryManipulationError(Exception):
    """A class was decorated in a way that makes no sense."""


@frozen
class Provision:
    """One registration that each component of a factory makes while it is valid.

    @ivar specifications: names, or interfaces, under which it is registered.
    @ivar controller: the field that says whether it is; L{None} for always.
    """

    specifications: tuple[Any, ...]
    controller: str | None = None
    factory: bool = False
    prototype: bool = False


@frozen
class Callback:
    """What to call when a component becomes valid, is bound, and so on.

    @ivar method: its name; a subclass may redefine it.
    @ivar arguments: which arguments it takes, for those that may choose.
    """

    method: str
    arguments: tuple[str, ...] | None = None


@frozen
class FieldCallback:
    """A callback for the requirement of one field.

    @ivar method: its name; a subclass may redefine it.
    @ivar if_valid: it is called only while the component is valid.
    """

    method: str
    if_valid: bool = False


@dataclass
class FactoryContext:
    """Everything that a component class declares.

    @ivar properties: the default of each property, by the property's name.
    @ivar hidden: the same of those that nobody is shown.
    @ivar property_fields: the name of the property that a field holds.
    @ivar configurations: what else was declared, by the identifier of its handler and by field.
    @ivar callbacks: the method to call, and with what, by the kind of callback.
    @ivar instances: the components to make as soon as the factory is known.
    @ivar complete: the class is a factory; L{False} while it is only being decorated.
    """

    name: str = ""
    singleton: bool = False
    properties: dict[str, Any] = field(default_factory=dict)
    hidden: dict[str, Any] = field(default_factory=dict)
    property_fields: dict[str, str] = field(default_factory=dict)
    hidden_fields: dict[str, str] = field(default_factory=dict)
    provisions: list[Provision] = field(default_factory=list)
    configurations: dict[str, dict[str, Any]] = field(default_factory=dict)
    callbacks: dict[str, "Callback"] = field(default_factory=dict)
    field_callbacks: dict[str, dict[str, FieldCallback]] = field(default_factory=dict)
    instances: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    complete: bool = False

    def handler_ids(self) -> frozenset[str]:
        """Whose help a component needs."""
        return frozenset(self.configurations)

    def configuration(self, handler_id: str) -> dict[str, Any]:
        """What was declared for one handler, by field; to be added to."""
        return self.configurations.setdefault(handler_id, {})

    def requirements(self) -> dict[str, Any]:
        """What a component requires, by field."""
        return {
            name: requirement
            for fields in self.configurations.values()
            for name, requirement in fields.items()
        }

    def add(self, other: "FactoryContext") -> None:
        """Take over what another declares, but for the components to make at once."""
        for field_name in other.fields():
            self.forget(field_name)
        self.properties.update(deepcopy(other.properties))
        self.hidden.update(deepcopy(other.hidden))
        self.property_fields.update(other.property_fields)
        self.hidden_fields.update(other.hidden_fields)
        self.provisions = [*self.provisions, *other.provisions]
        for handler_id, fields in other.configurations.items():
            self.configuration(handler_id).update(fields)
        self.callbacks.update(other.callbacks)
        for kind, callbacks in other.field_callbacks.items():
            self.field_callbacks.setdefault(kind, {}).update(callbacks)

    def fields(self) -> list[str]:
        """Those for which something is declared."""
        return [*self.property_fields, *self.hidden_fields, *self.requirements()]

    def forget(self, field_name: str) -> None:
        """What was declared for a field is replaced, whatever it was."""
        for fields in self.configurations.values():
            fields.pop(field_name, None)
        for names, values in (
            (self.property_fields, self.properties),
            (self.hidden_fields, self.hidden),
        ):
            name = names.pop(field_name, None)
            if name is not None and name not in names.values():
                del values[name]

    def exclude(self, handler_ids: Iterable[str]) -> None:
        """Leave out what is declared for some handlers."""
        for handler_id in frozenset(handler_ids):
            self.configurations.pop(handler_id, None)
            if handler_id == PROPERTY:
                self.properties, self.property_fields = {}, {}
                self.hidden, self.hidden_fields = {}, {}
            if handler_id == PROVIDES:
                self.provisions = []


def context_of(cls: type) -> FactoryContext | None:
    """What a class itself declares; what it inherits is none of its own."""
    context = vars(cls).get(CONTEXT)
    return context if isinstance(context, FactoryContext) else None
