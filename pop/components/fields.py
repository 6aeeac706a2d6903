"""The fields of a component class that somebody else is told of when they change."""

from typing import Any, Final, Protocol

__all__ = ["COMPONENT", "ControllerField", "IOwner", "PropertyField"]

COMPONENT: Final = "_pop_component"
"""Where an object keeps the component that it belongs to."""


class IOwner(Protocol):
    """Who is told of a change: the component of an object."""

    def property_changed(self, name: str, old: Any, new: Any, hidden: bool) -> None:
        """A property was given another value."""

    def controller_changed(self, field: str) -> None:
        """A registration should be made, or be no more."""


class PropertyField:
    """A field whose value is a property of the component.

    Its value lies in the object's own dictionary, so that a class used without any framework is a
    plain class.
    """

    def __init__(self, field: str, name: str, default: Any, hidden: bool = False) -> None:
        self.field = field
        self.name = name
        self.default = default
        self.hidden = hidden

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Its value now."""
        if instance is None:
            return self
        return instance.__dict__.get(self.field, self.default)

    def __set__(self, instance: Any, value: Any) -> None:
        values = instance.__dict__
        old = values.get(self.field, self.default)
        values[self.field] = value
        owner = values.get(COMPONENT)
        if owner is not None and differs(old, value):
            owner.property_changed(self.name, old, value, self.hidden)


class ControllerField:
    """A field that says whether a registration is made while the component is valid."""

    def __init__(self, field: str, default: bool = True) -> None:
        self.field = field
        self.default = default

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Its value now."""
        if instance is None:
            return self
        return instance.__dict__.get(self.field, self.default)

    def __set__(self, instance: Any, value: bool) -> None:
        values = instance.__dict__
        old = values.get(self.field, self.default)
        values[self.field] = value
        owner = values.get(COMPONENT)
        if owner is not None and bool(old) != bool(value):
            owner.controller_changed(self.field)


def differs(old: Any, new: Any) -> bool:
    """Whether a value is another one; one that cannot be compared is."""
    try:
        return bool(old != new)
    except Exception:
        return True
