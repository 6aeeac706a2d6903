"""The paths of requests, and what lies at the beginning of them.

Note [One path]
===============
A path is decoded once and brought into its shortest form, and only that is used: to find who
answers, and to tell whom it is asked what for. So what was found and what is asked for can never
differ, whatever is written in percent signs.
"""

import re
from typing import Final, Generic, TypeVar
from urllib.parse import unquote_to_bytes

from pop.components.http.errors import BadServletPath, BadTarget

T = TypeVar("T")
_ABSOLUTE: Final = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def path_of(target: bytes) -> str:
    """The path that a request is for, in its only form: it begins with a slash, has no empty steps,
    and ends with a slash if the request's does. See Note [One path].

    @param target: what stands between the method and the version; a query is ignored.
    @raise BadTarget: it leads out of the root, has control characters, or is no path at all.
    """
    raw = target.partition(b"?")[0]
    if not raw.startswith(b"/"):
        raw = _without_host(target, raw)
    try:
        path = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise BadTarget(target=_shown(target), reason="it is no UTF-8") from error
    if _CONTROL.search(path):
        raise BadTarget(target=_shown(target), reason="it has control characters")
    steps: list[str] = []
    for step in path.split("/"):
        if step == "..":
            if not steps:
                raise BadTarget(target=_shown(target), reason="it leads out of the root")
            steps.pop()
        elif step and step != ".":
            steps.append(step)
    end = "/" if steps and path.endswith(("/", "/.", "/..")) else ""
    return f"/{'/'.join(steps)}{end}"


def _without_host(target: bytes, raw: bytes) -> bytes:
    """What is left of a target as proxies write them: C{http://host/path}."""
    if (found := _ABSOLUTE.match(raw)) is None:
        raise BadTarget(target=_shown(target), reason="it does not begin with a slash")
    return raw[found.end() :] or b"/"


def _shown(target: bytes) -> str:
    return target.decode(errors="replace")


def prefix_of(path: object) -> str:
    """A servlet's path in its only form: without a slash at its end.

    @raise BadServletPath: it is none.
    """
    if not isinstance(path, str) or not path.startswith("/") or "?" in path:
        raise BadServletPath(path=path)
    steps = [step for step in path.split("/") if step]
    if {".", ".."} & set(steps) or _CONTROL.search(path):
        raise BadServletPath(path=path)
    return f"/{'/'.join(steps)}"


class Prefixes(Generic[T]):
    """What lies at the beginnings of paths, whole steps at a time: C{/a} is one of C{/a/b} and not
    of C{/ab}. A look-up costs the steps of the deepest that there is, however many there are."""

    def __init__(self, case_sensitive: bool = True) -> None:
        self._case_sensitive = case_sensitive
        self._known: dict[str, T] = {}
        self._deepest = 0

    def __len__(self) -> int:
        return len(self._known)

    def _key(self, prefix: str) -> str:
        return prefix if self._case_sensitive else prefix.lower()

    def same(self, prefix: str, other: str) -> bool:
        """Whether two are one."""
        return self._key(prefix) == self._key(other)

    def get(self, prefix: str) -> T | None:
        """What lies at exactly this one."""
        return self._known.get(self._key(prefix))

    def set(self, prefix: str, value: T) -> None:
        """Put something there."""
        self._known[self._key(prefix)] = value
        self._deepest = max(self._deepest, _depth(prefix))

    def discard(self, prefix: str) -> None:
        """Take away what is there."""
        self._known.pop(self._key(prefix), None)
        self._deepest = max(map(_depth, self._known), default=0)

    def values(self) -> list[T]:
        """All that there is, the oldest first."""
        return list(self._known.values())

    def find(self, path: str) -> T | None:
        """What lies deepest on the way to a path."""
        steps = self._key(path).split("/", self._deepest + 1)[: self._deepest + 1]
        while len(steps) > 1:
            if (found := self._known.get("/".join(steps))) is not None:
                return found
            steps.pop()
        return self._known.get("/")


def below(path: str, prefix: str) -> str:
    """What is left of a path behind one of its prefixes; it begins with a slash."""
    depth = _depth(prefix)
    return "/" + path.split("/", depth + 1)[-1] if path.count("/") > depth else "/"


def _depth(prefix: str) -> int:
    return 0 if prefix == "/" else prefix.count("/")
