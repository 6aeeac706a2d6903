"""What the routes of servlets say."""

import re
from collections.abc import Callable, Container
from typing import Any, Final
from uuid import UUID

from pop.components.http.errors import BadRoute

_ARGUMENT: Final = re.compile(r"<(\w+)(?::(\w+))?>")
_HEX: Final = "[0-9a-fA-F]"
_KINDS: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "string": (r"[^/]+", str),
    "int": (r"[+-]?[0-9]+", int),
    "float": (r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)", float),
    "path": (r".+", lambda text: text.removesuffix("/")),
    "uuid": ("-".join(f"{_HEX}{{{count}}}" for count in (8, 4, 4, 4, 12)), UUID),
}


class Route:
    """A pattern for paths, with arguments.

    @param optional: arguments that may be missing, each with the slash before it.
    @ivar names: its arguments.
    @ivar literal: how many characters of it stand for themselves.
    @raise BadRoute: it cannot be read.
    """

    def __init__(self, text: str, optional: Container[str] = ()) -> None:
        self.text = text
        self.names: dict[str, Callable[[str], Any]] = {}
        self.literal = 0
        route = text.strip().strip("/")
        parts, at = [], 0
        for found in _ARGUMENT.finditer(route):
            before, at = route[at : found.start()], found.end()
            parts.append(self._piece(before, found[1], found[2], found[1] in optional))
        parts.append(self._literal(route[at:]))
        self._pattern = re.compile("/" + "".join(parts) + "/?")

    def match(self, path: str) -> dict[str, Any] | None:
        """The arguments in a path; L{None} if it does not match."""
        if (found := self._pattern.fullmatch(path)) is None:
            return None
        given = {name: text for name, text in found.groupdict().items() if text is not None}
        try:
            return {name: self.names[name](text) for name, text in given.items()}
        except ValueError:  # more digits than Python reads
            return None

    def _piece(self, before: str, name: str, kind: str | None, optional: bool) -> str:
        """A pattern for what stands before an argument, and for the argument."""
        if (known := _KINDS.get((kind or "string").lower())) is None:
            raise BadRoute(route=self.text, reason=f"there is no kind {kind} of arguments")
        if name in self.names or not name.isidentifier():
            raise BadRoute(route=self.text, reason=f"{name} cannot be an argument, or not twice")
        pattern, self.names[name] = known
        piece = f"(?P<{name}>{pattern})"
        if not optional:
            return self._literal(before) + piece
        slash = "/" if before.endswith("/") else ""
        return f"{self._literal(before.removesuffix('/'))}(?:{slash}{piece})?"

    def _literal(self, text: str) -> str:
        if "<" in text or ">" in text:
            raise BadRoute(route=self.text, reason=f"{text} is no argument")
        self.literal += len(text)
        return re.escape(text)
