"""What those are told who listen to components."""

from dataclasses import dataclass
from enum import IntEnum

__all__ = ["IPopoEvent", "Kind"]


class Kind(IntEnum):
    """What can happen to a factory or a component; the numbers are iPOPO's."""

    REGISTERED = 1
    INSTANTIATED = 2
    BOUND = 5
    VALIDATED = 3
    INVALIDATED = 4
    UNBOUND = 6
    KILLED = 9
    UNREGISTERED = 10


@dataclass(frozen=True, slots=True)
class IPopoEvent:
    """Something happened to a factory, or to a component of it.

    @ivar component: its name; L{None} if it happened to the factory.
    """

    REGISTERED = Kind.REGISTERED
    INSTANTIATED = Kind.INSTANTIATED
    BOUND = Kind.BOUND
    VALIDATED = Kind.VALIDATED
    INVALIDATED = Kind.INVALIDATED
    UNBOUND = Kind.UNBOUND
    KILLED = Kind.KILLED
    UNREGISTERED = Kind.UNREGISTERED

    kind: Kind
    factory: str
    component: str | None = None

    def get_kind(self) -> Kind:
        """What happened."""
        return self.kind

    def get_factory_name(self) -> str:
        """To which factory, or to a component of which."""
        return self.factory

    def get_component_name(self) -> str | None:
        """To which component."""
        return self.component
