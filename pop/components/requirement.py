"""A requirement: what a component needs to be given, as a value."""

from dataclasses import dataclass
from typing import Any, Final

from zope.interface.interface import InterfaceClass

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
    "name_of",
]

REQUIRES: Final = "ipopo.requires"
BEST: Final = "ipopo.requires.best"
MAP: Final = "ipopo.requires.map"
BROADCAST: Final = "ipopo.requires.broadcast"
VARIABLE_FILTER: Final = "ipopo.requires.variable_filter"
TEMPORAL: Final = "ipopo.temporal"

KINDS: Final = frozenset((REQUIRES, BEST, MAP, BROADCAST, VARIABLE_FILTER, TEMPORAL))
"""The identifiers of the handlers that are always there."""

_FORBIDDEN: Final = frozenset("\\()&|=<>~*+#,;'\"")


@dataclass(frozen=True)
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
        return [name_of(specification) for specification in self.specifications]


def name_of(specification: Any) -> str:
    """How a specification is written: an interface by its full name."""
    if isinstance(specification, InterfaceClass):
        return str(specification.__identifier__)
    return specification.__name__ if isinstance(specification, type) else str(specification)


def listed(specifications: Any) -> tuple[Any, ...]:
    """One specification or several, each once, in their order.

    @raise ValueError: there is none, or a name that a filter could not contain.
    @raise TypeError: something is no specification.
    """
    several = isinstance(specifications, list | tuple | set | frozenset)
    found = tuple(dict.fromkeys(specifications if several else (specifications,)))
    if not found:
        raise ValueError("at least one specification is needed")
    for specification in found:
        if isinstance(specification, str):
            _check_name(specification)
        elif not isinstance(specification, type | InterfaceClass):
            raise TypeError(f"{specification!r} is neither an interface, a name nor a class")
    return found


def _check_name(name: str) -> None:
    if not name or name != name.strip() or not _FORBIDDEN.isdisjoint(name):
        raise ValueError(f"{name!r} is no name for a specification")
