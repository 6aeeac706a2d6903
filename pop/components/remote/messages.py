"""What is said between frameworks, as bytes: a list in JSON, whose first member says what it is.

Whoever calls begins, with C{hello}. Then come, from whoever calls:

  - C{call, number, uid, method, arguments, named arguments}, C{cancel, number} and C{ping};

and from whoever is called:

  - C{hello} or C{refused, reason}; C{added, endpoint}, C{updated, endpoint} and C{removed, uid}, as
    it happens; C{result, number, value} or C{error, number, kind, text}, in any order; and
    C{pong}.

What one end does not know, it does not heed, so that either may be newer than the other.
"""

from json import JSONEncoder, loads
from typing import Any, Final

from pop.components.remote.errors import NotPlain, TooLarge

VERSION: Final = 1
LARGEST: Final = 1 << 22
"""Bytes of one message."""
DEEPEST: Final = 100
"""Lists in lists, in one message."""
_SCALARS = frozenset((str, int, float, bool, type(None)))
_encode = JSONEncoder(separators=(",", ":")).encode


class Nonsense(Exception):
    """What came is no message."""


def written(what: str, message: list[Any]) -> bytes:
    """A message as bytes.

    @param what: names it, if it cannot be sent.
    @raise NotPlain: JSON cannot carry what is in it, or would make something else of it.
    @raise TooLarge: it is.
    """
    try:
        _check(message, DEEPEST)
        data = _encode(message).encode("ascii")
    except (TypeError, ValueError) as error:
        raise NotPlain(what=what, reason=str(error)) from error
    if len(data) > LARGEST:
        raise TooLarge(what=what, size=len(data), most=LARGEST)
    return data


def _check(value: Any, depth: int) -> None:
    """Numbers as keys would come out as texts; and what is too deep for the other end to read would
    end the connection."""
    if not depth:
        raise TypeError("it is nested too deeply, or within itself")
    if isinstance(value, dict):
        for name in value:
            if not isinstance(name, str):
                raise TypeError(f"the key {name!r} is no text")
        value = value.values()
    for each in value:
        if type(each) not in _SCALARS and isinstance(each, dict | list | tuple):
            _check(each, depth - 1)


def read(data: bytes) -> tuple[str, list[Any]]:
    """What a message says it is, and its other members.

    @raise Nonsense: it is none.
    """
    try:
        kind, *members = loads(data)
    except (ValueError, TypeError, RecursionError) as error:
        raise Nonsense(f"no message: {error}") from error
    if not isinstance(kind, str):
        raise Nonsense("a message that does not say what it is")
    return kind, members
