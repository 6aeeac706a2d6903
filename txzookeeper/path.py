"""The rules for a node's path, and how a chroot is put before it.

Source of the rules: ``PathUtils.validatePath`` of ZooKeeper 3.8. Checking here costs less than a
round trip and gives a better sentence than the server's bare code.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from txzookeeper.constants import SEQUENCE
from txzookeeper.errors import BadArgumentsException

# Java counts in UTF-16, so that everything beyond the basic plane looks like surrogates to it.
_FORBIDDEN: Final = re.compile(
    r"(?P<empty>//)|(?P<relative>/\.\.?(?=/|\Z))"
    "|(?P<character>[\x00-\x1f\x7f-\x9f\ud800-\uf8ff\ufff0-\uffff\U00010000-\U0010ffff])"
)
_REASONS: Final = {
    "empty": "it has an empty name in it",
    "relative": "'.' and '..' are not names",
    "character": "it has a character in it that ZooKeeper does not allow",
}


def check_path(path: str, sequence: bool = False) -> None:
    """Refuse a path that no node can have, with ``BadArgumentsException``.

    With ``sequence`` the server appends a number, so the name before it may be empty.
    """
    if not isinstance(path, str):
        raise BadArgumentsException(message=f"A path is a str, not {path!r}.")
    _check(path, sequence)


# Programs use the same few paths again and again.
@lru_cache(maxsize=4096)
def _check(path: str, sequence: bool) -> None:
    if not path.startswith("/"):
        raise _bad(path, "it does not start with /")
    wrong = _FORBIDDEN.search(path + "0" if sequence else path)
    if wrong is not None:
        raise _bad(path, _REASONS[wrong.lastgroup or "character"])
    if path[-1] == "/" and len(path) > 1 and not sequence:
        raise _bad(path, "it ends with /")


def is_sequence(flags: int) -> bool:
    """Say whether a node made with these flags gets a number after its name."""
    return isinstance(flags, int) and bool(flags & SEQUENCE)


def _bad(path: str, reason: str) -> BadArgumentsException:
    return BadArgumentsException(path, f"The path {path!r} is not valid: {reason}.")


def to_server(chroot: str, path: str) -> str:
    """Give the path as the server knows it; ``chroot`` is empty or starts with a slash."""
    if not chroot:
        return path
    return chroot if path == "/" else f"{chroot}{path}"


def to_client(chroot: str, path: str) -> str:
    """Give the path as the program knows it."""
    if chroot and (path == chroot or path.startswith(chroot + "/")):
        return path[len(chroot) :] or "/"
    return path
