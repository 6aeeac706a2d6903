"""What is known of a registration by those who may use its object."""

from collections.abc import Mapping
from functools import total_ordering
from typing import Any, Protocol

from pop.components.properties import Properties

OBJECTCLASS = "objectClass"
SERVICE_ID = "service.id"
SERVICE_BUNDLEID = "service.bundleid"
SERVICE_SCOPE = "service.scope"
SERVICE_RANKING = "service.ranking"
SCOPE_SINGLETON, SCOPE_BUNDLE, SCOPE_PROTOTYPE = "singleton", "bundle", "prototype"
GIVEN_BY_REGISTRY = frozenset({"objectclass", SERVICE_ID, SERVICE_BUNDLEID, SERVICE_SCOPE})
"""Properties, in lower case, that nobody else sets."""
SPECIAL = GIVEN_BY_REGISTRY | {SERVICE_RANKING}
"""Those, and the one that has to be a number."""


class Owner(Protocol):
    """Who registers, uses and listens: a bundle."""

    def get_bundle_id(self) -> int:
        """The number that no other bundle of this framework ever has."""

    def get_symbolic_name(self) -> str:
        """What people call it."""


@total_ordering
class ServiceReference:
    """One registration, as others see it; the best comes first in a sorted list.

    @ivar id: counts up, never used again.
    @ivar bundle: who registered it.
    @ivar specifications: all names under which it is found.
    @ivar properties: as they are now, or were last.
    @ivar order: what it is sorted by: highest ranking first, then lowest id.
    @ivar live: whether it can be found; not before and after.
    @ivar version: counts how often the properties were changed.
    @ivar users: how often each bundle uses it at present.
    """

    __slots__ = (
        "bundle",
        "id",
        "live",
        "order",
        "properties",
        "scope",
        "specifications",
        "users",
        "version",
    )

    def __init__(self, id: int, bundle: Owner, specifications: tuple[str, ...], scope: str) -> None:
        self.id = id
        self.bundle = bundle
        self.specifications = specifications
        self.scope = scope
        self.users: dict[Owner, int] = {}
        self.live = False
        self.version = -1

    def __lt__(self, other: "ServiceReference") -> bool:
        return self.order < other.order

    def __repr__(self) -> str:
        return (
            f"ServiceReference(ID={self.id}, Bundle={self.bundle.get_bundle_id()},"
            f" Specs={list(self.specifications)})"
        )

    def get_property(self, name: str) -> Any:
        """The value of a property, whose name may be in any case; L{None} if it has none."""
        return self.properties.folded.get(name.lower())

    def get_properties(self) -> dict[str, Any]:
        """A copy of all properties."""
        return self.properties.as_dict()

    def get_property_keys(self) -> tuple[str, ...]:
        """The names of all properties."""
        return self.properties.spelled

    def get_bundle(self) -> Any:
        """Who registered it."""
        return self.bundle

    def get_using_bundles(self) -> list[Any]:
        """Who uses it."""
        return list(self.users)

    def is_factory(self) -> bool:
        """Whether each bundle gets an object of its own."""
        return self.scope != SCOPE_SINGLETON

    def is_prototype(self) -> bool:
        """Whether each use gets an object of its own."""
        return self.scope == SCOPE_PROTOTYPE

    def replace_properties(self, properties: Properties) -> None:
        """For the registry only: take these properties from now on."""
        self.properties = properties
        self.order: tuple[int, int] = (-properties.folded[SERVICE_RANKING], self.id)
        self.version += 1


def given_properties(
    reference: ServiceReference, given: Mapping[str, Any] | None
) -> dict[str, Any]:
    """A registration's properties: the registry's own, and those of the owner that may be."""
    properties: dict[str, Any] = {
        OBJECTCLASS: reference.specifications,
        SERVICE_ID: reference.id,
        SERVICE_BUNDLEID: reference.bundle.get_bundle_id(),
        SERVICE_SCOPE: reference.scope,
        SERVICE_RANKING: 0,
    }
    properties.update(permitted(given or {}))
    return properties


def permitted(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of properties, those that an owner may set; a ranking that is none does not count."""
    if SPECIAL.isdisjoint(map(str.lower, given)):
        return given
    found: dict[str, Any] = {}
    for name, value in given.items():
        low = name.lower()
        if low == SERVICE_RANKING:
            if (rank := ranking(value)) is not None:
                found[SERVICE_RANKING] = rank
        elif low not in GIVEN_BY_REGISTRY:
            found[name] = value
    return found


def ranking(value: Any) -> int | None:
    """A ranking that is given as a whole number, in digits or not; L{None} if it is none."""
    if isinstance(value, int):
        return int(value)
    try:
        return int(value) if isinstance(value, str) else None
    except ValueError:
        return None
