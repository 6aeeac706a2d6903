"""A requirement: what a component needs to be given, as a value."""

from typing import Any, Final

from pop.components.filters import And, Equal, Filter, Or
from pop.components.reference import OBJECTCLASS
from pop.components.specifications import each, names
from pop.components.syntax import get_ldap_filter
from pop.frozen import frozen

__all__ = [
    "BEST",
    "BROADCAST",
    "KINDS",
    "MAP",
    "REQUIRES",
    "TEMPORAL",
    "VARIABLE_FILTER",
    "Requirement",
    "listed",
    "lookup",
]

REQUIRES: Final = "ipopo.requires"
BEST: Final = "ipopo.requires.best"
MAP: Final = "ipopo.requires.map"
BROADCAST: Final = "ipopo.requires.broadcast"
VARIABLE_FILTER: Final = "ipopo.requires.variable_filter"
TEMPORAL: Final = "ipopo.temporal"

KINDS: Final = frozenset((REQUIRES, BEST, MAP, BROADCAST, VARIABLE_FILTER, TEMPORAL))
"""The identifiers of the handlers that are always there."""


@frozen
class Requirement:
    """What one field of a component needs.

    @ivar specifications: all of them are needed, or any with C{match_any}.
    @ivar filter: an RFC 4515 filter that the properties of a registration must pass; with
        placeholders in braces where the filter is variable.
    @ivar immediate_rebind: what goes away is replaced without the component becoming invalid.
    @ivar key: the property whose value is the key of a map.
    @ivar allow_none: registrations without that property are kept under the key L{None}.
    @ivar muffle: what a receiver of a broadcast raises harms nobody.
    @ivar trace: but it is logged.
    @ivar timeout: seconds that a temporal requirement waits for another.
    """

    specifications: tuple[Any, ...]
    aggregate: bool = False
    optional: bool = False
    filter: str | None = None
    immediate_rebind: bool = False
    match_any: bool = False
    key: str = ""
    allow_none: bool = False
    muffle: bool = True
    trace: bool = True
    timeout: float = 10.0

    @property
    def names(self) -> list[str]:
        """The specifications by name."""
        return list(names(self.specifications))


def listed(specifications: Any) -> tuple[Any, ...]:
    """One specification or several, each once, in their order.

    @raise BadSpecification: there is none, or one cannot be used as such.
    """
    found = each(specifications)
    names(found)
    return found


def lookup(requirement: Requirement, filter_text: Any = None) -> tuple[Any, Filter | None]:
    """What to ask the registry for: specifications, all of which it takes, and a filter."""
    wanted = get_ldap_filter(requirement.filter if filter_text is None else filter_text)
    asked = requirement.names
    if len(asked) == 1 or not requirement.match_any:
        return tuple(asked), wanted
    any_of = Or(tuple(Equal(OBJECTCLASS, name) for name in asked))
    return None, any_of if wanted is None else And((any_of, wanted))
