"""Filters over properties, as RFC 4515 writes them: C{(&(k=5)(!(color=red)))}.

Names are compared without regard to case. Beside RFC 4515's operators there are C{<} and C{>}.
A filter is a value: it compares equal to one that says the same, and its text reads back as itself.
"""

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pop.components.properties import Properties
from pop.components.values import any_item, approximate, compares, equals, present

ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
Test = Callable[[Mapping[str, Any]], bool]
"""Whether properties match, by their names in lower case."""


class Filter(ABC):
    """What may be asked of properties."""

    @cached_property
    @abstractmethod
    def test(self) -> Test:
        """The filter as a function of values by names in lower case."""

    def matches(self, properties: Mapping[str, Any]) -> bool:
        """Whether properties are as the filter asks; their names may be in any case."""
        if not isinstance(properties, Properties):
            properties = Properties(properties)
        return self.test(properties.folded)


class _OfOne(Filter):
    """A filter on the value of one property."""

    name: str

    @abstractmethod
    def of_value(self) -> Callable[[Any], bool]:
        """The test of the value."""

    @cached_property
    def test(self) -> Test:
        """A property that is not there does not match."""
        name, tested = self.name.lower(), self.of_value()

        def test(folded: Mapping[str, Any]) -> bool:
            return (value := folded.get(name)) is not None and tested(value)

        return test


@dataclass(frozen=True)
class Present(_OfOne):
    """C{(name=*)}: it has a value, and that is not empty."""

    name: str

    def of_value(self) -> Callable[[Any], bool]:
        """0 and False are values."""
        return present

    def __str__(self) -> str:
        return f"({self.name}=*)"


@dataclass(frozen=True)
class Equal(_OfOne):
    """C{(name=text)}"""

    name: str
    text: str

    def of_value(self) -> Callable[[Any], bool]:
        """As numbers, truth or text; see L{pop.components.values}."""
        return any_item(equals(self.text))

    def __str__(self) -> str:
        return f"({self.name}={escape_ldap(self.text)})"


@dataclass(frozen=True)
class Ordered(_OfOne):
    """C{(name>=text)} and its likes."""

    name: str
    order: str
    text: str

    def of_value(self) -> Callable[[Any], bool]:
        """As numbers, or as text."""
        return any_item(compares(self.text, ORDERS[self.order]))

    def __str__(self) -> str:
        return f"({self.name}{self.order}{escape_ldap(self.text)})"


@dataclass(frozen=True)
class Like(_OfOne):
    """C{(name=a*b)}, and C{(name~=text)}, which regards neither case nor white space.

    @ivar pieces: the texts between the stars; one only if there is no star.
    """

    name: str
    pieces: tuple[str, ...]
    roughly: bool = False

    def of_value(self) -> Callable[[Any], bool]:
        """The value's text starts, goes on and ends with the pieces."""
        pieces = tuple(map(approximate, self.pieces)) if self.roughly else self.pieces
        roughly = self.roughly

        def like(value: Any) -> bool:
            text = _text(value)
            return _fits(approximate(text) if roughly else text, pieces)

        return any_item(like)

    def __str__(self) -> str:
        sign = "~=" if self.roughly else "="
        return f"({self.name}{sign}{'*'.join(map(escape_ldap, self.pieces))})"


@dataclass(frozen=True)
class Not(Filter):
    """C{(!(a=1))}: it matches what has no C{a}, too."""

    part: Filter

    @cached_property
    def test(self) -> Test:
        """The opposite."""
        part = self.part.test
        return lambda folded: not part(folded)

    def __str__(self) -> str:
        return f"(!{self.part})"


@dataclass(frozen=True)
class And(Filter):
    """C{(&(a=1)(b=2))}"""

    parts: tuple[Filter, ...]

    @cached_property
    def test(self) -> Test:
        """All of them, in order."""
        tests = [part.test for part in self.parts]

        def test(folded: Mapping[str, Any]) -> bool:
            for part in tests:  # noqa: SIM110  # a generator costs twice as much
                if not part(folded):
                    return False
            return True

        return test

    def __str__(self) -> str:
        return f"(&{''.join(map(str, self.parts))})"


@dataclass(frozen=True)
class Or(Filter):
    """C{(|(a=1)(b=2))}"""

    parts: tuple[Filter, ...]

    @cached_property
    def test(self) -> Test:
        """Any of them."""
        tests = [part.test for part in self.parts]

        def test(folded: Mapping[str, Any]) -> bool:
            for part in tests:  # noqa: SIM110  # a generator costs twice as much
                if part(folded):
                    return True
            return False

        return test

    def __str__(self) -> str:
        return f"(|{''.join(map(str, self.parts))})"


def _text(value: Any) -> str:
    if value is True or value is False:
        return "true" if value else "false"
    return str(value)


def _fits(text: str, pieces: tuple[str, ...]) -> bool:
    """Whether a text is the pieces with anything between them."""
    first, *between = pieces
    if not between:
        return text == first
    *middle, last = between
    if not text.startswith(first):
        return False
    at = len(first)
    for piece in middle:
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return len(text) - at >= len(last) and text.endswith(last)


def escape_ldap(text: str) -> str:
    """A text as it stands for itself in a filter, whatever sign is before it: < makes <= of =."""
    return "".join(
        f"\\{ord(c):02x}" if _is_special(c) or (c == "=" and at == 0) else c
        for at, c in enumerate(text)
    )


def _is_special(c: str) -> bool:
    return c in "\\*()\0" or (c.isspace() and ord(c) < 128 and c != " ")


def combine(filters: Iterable[Filter], sign: str = "&") -> Filter | None:
    """Several filters as one; L{None}, which matches everything, if there are none."""
    parts = tuple(filters)
    if len(parts) < 2:
        return parts[0] if parts else None
    return And(parts) if sign == "&" else Or(parts)
