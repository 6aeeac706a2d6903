"""What nodes hold, as JSON: written so that it can be compared, read strictly."""

import json
from typing import Any, TypeVar

from pop.errors import BrokenNode

T = TypeVar("T")
Json = Any
"""A value that JSON can spell."""


def dump(value: Json) -> bytes:
    """JSON as pop writes it: one line, keys in order, so that equal values are equal bytes."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False).encode()


def loads(data: str | bytes) -> Json:
    """Read JSON, strictly.

    @raise ValueError: it is none; Python's C{NaN} and C{Infinity} are none either.
    """

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no number")

    return json.loads(data, parse_constant=refuse)


def load(path: str, data: bytes, kind: type[T], said: str) -> T:
    """The JSON value in a node.

    @param said: what the node should hold, for the message.
    @raise BrokenNode: it is not JSON, or of another shape.
    """
    try:
        value = loads(data)
    except (ValueError, RecursionError) as error:
        raise BrokenNode(path=path, reason=f"it is not JSON ({error})") from error
    if not isinstance(value, kind):
        raise BrokenNode(path=path, reason=f"it should hold {said}")
    return value


def take(path: str, found: dict[str, Json], key: str, kind: type[T], default: T) -> T:
    """Remove a key of a known kind from what a node held."""
    value = found.pop(key, default)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise BrokenNode(path=path, reason=f'"{key}" should be {_SAID[kind]}')
    return value


def text(value: Json) -> str:
    """What should have been a text, as one."""
    return value if isinstance(value, str) else json.dumps(value)


_SAID: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    str: "a text",
    list: "a list",
    dict: "an object",
}
