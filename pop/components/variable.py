"""Requirements whose filter depends on the properties of the component."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pop.components.aggregate import AggregateDependency
from pop.components.dependency import Dependency, SimpleDependency
from pop.components.errors import BadFilter
from pop.components.requirement import Requirement, lookup

if TYPE_CHECKING:
    from pop.components.component import Component

__all__ = ["AggregateVariableDependency", "SimpleVariableDependency"]


class _Variable(Dependency):
    """The filter is written anew at each change of a property."""

    __slots__ = ()

    def __init__(self, component: "Component", field: str, requirement: Requirement) -> None:
        super().__init__(component, field, requirement)
        self._write(component.properties)

    def _write(self, properties: Mapping[str, Any]) -> None:
        """@ivar blocked: a property is missing, or makes no filter of it."""
        text = self.requirement.filter or ""
        try:
            written = text.format_map(properties)
            self.specification, self.filter = lookup(self.requirement, written)
        except (BadFilter, LookupError, ValueError, AttributeError):
            self.blocked = True
        else:
            self.blocked = False

    def property_changed(self, properties: Mapping[str, Any]) -> None:
        """Look for something else, if that is what it says now."""
        before = self.filter, self.blocked
        self._write(properties)
        if (self.filter, self.blocked) != before:
            self.stop()
            self.listen()
            self.refresh()


class SimpleVariableDependency(_Variable, SimpleDependency):
    """The first that matches. Without a filter it is not satisfied, optional or not."""

    __slots__ = ()

    def satisfied(self) -> bool:
        """Not without a filter."""
        return not self.blocked and super().satisfied()

    def breaks(self) -> bool:
        """Nor can the component stay valid without."""
        return self.blocked or super().breaks()


class AggregateVariableDependency(_Variable, AggregateDependency):
    """All that match. Without a filter it is not satisfied, optional or not."""

    __slots__ = ()

    def satisfied(self) -> bool:
        """Not without a filter."""
        return not self.blocked and super().satisfied()

    def breaks(self) -> bool:
        """Nor can the component stay valid without."""
        return self.blocked or super().breaks()
