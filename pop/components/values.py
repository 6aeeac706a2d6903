"""How the value of a property is compared with the text in a filter.

Numbers are compared as numbers, truth values as such, everything else as text. A list, tuple or set
matches if any of its items does.
"""

import re
from collections.abc import Callable
from numbers import Number
from typing import Any, Final

SEVERAL = (tuple, list, frozenset, set)
KEYS = (str, int, float)
"""Of these kinds, values that are equal in Python are equal for filters; truth values aside."""
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
LONGEST: Final = 400
"""Digits of a number in a filter; a longer text is not taken for a number."""


class Key:
    """Under what an index keeps a value that is neither a number nor a text."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.name}>"


TRUE, FALSE = Key("true"), Key("false")
OPAQUE = Key("anything else")
"""What is neither text nor number nor truth: it has to be looked at each time."""


def number(text: str) -> int | float | None:
    """The number that a text says, if it does."""
    if len(text) > LONGEST or not NUMBER.fullmatch(text):
        return None
    try:
        return int(text)
    except ValueError:
        return float(text)


def keys_of_value(value: Any) -> list[Any]:
    """Under what an index keeps a property's value."""
    if isinstance(value, SEVERAL):
        return [_key(item) for item in value if item is not None]
    return [] if value is None else [_key(value)]


def _key(item: Any) -> Any:
    if item is True or item is False:
        return TRUE if item else FALSE
    return item if isinstance(item, KEYS) else OPAQUE


def keys_of_text(text: str) -> tuple[Any, ...]:
    """Under what an index has the values that are equal to a text; L{OPAQUE} aside."""
    found: list[Any] = [text]
    if (value := number(text)) is not None:
        found.append(value)
    if (low := text.lower()) in ("true", "false"):
        found.append(TRUE if low == "true" else FALSE)
    return tuple(found)


def any_item(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """A test of one value, for collections, too."""

    def tested(value: Any) -> bool:
        if isinstance(value, SEVERAL):
            return any(item is not None and test(item) for item in value)
        return value is not None and test(value)

    return tested


def equals(text: str) -> Callable[[Any], bool]:
    """A test whether a value is equal to a text."""
    keys = frozenset(keys_of_text(text))

    def equal(value: Any) -> bool:
        key = _key(value)
        return str(value) == text if key is OPAQUE else key in keys

    return equal


def compares(text: str, verdict: Callable[[Any, Any], bool]) -> Callable[[Any], bool]:
    """A test whether a value stands in an order to a text.

    As numbers if both can be read as such, truth values not at all, else as texts.
    """
    limit = number(text)

    def compared(value: Any) -> bool:
        if value is True or value is False:
            return False
        if isinstance(value, int | float):
            return limit is not None and verdict(value, limit)
        if isinstance(value, Number):
            return _compare_exotic(value, text, verdict)
        value = str(value)
        if limit is not None and (said := number(value)) is not None:
            return verdict(said, limit)
        return verdict(value, text)

    return compared


def _compare_exotic(value: Any, text: str, verdict: Callable[[Any, Any], bool]) -> bool:
    """A decimal or a fraction, say: the text is read as one, too."""
    try:
        return bool(verdict(value, type(value)(text)))
    except (ArithmeticError, TypeError, ValueError):
        return False


def present(value: Any) -> bool:
    """Whether there is a value: 0 and False are, the empty text and the empty list are not."""
    if isinstance(value, SEVERAL):
        return any(item is not None and item != "" for item in value)
    return value is not None and value != ""


def approximate(text: str) -> str:
    """A text without what C{~=} does not regard: case and white space."""
    return "".join(text.split()).casefold()
