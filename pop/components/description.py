"""What a description of an endpoint says, read as Twisted reads it."""

import re
from typing import Final

_PART: Final = re.compile(r"(?:^|:)((?:\\.|[^\\:])*)", re.DOTALL)
_NAMED: Final = re.compile(r"((?:\\.|[^\\=])*)=(.*)", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_LOOPBACK: Final = re.compile(r"127(\.\d+){3}|localhost|::1")
_OTHERS: Final = 0o002


class Description:
    """The parts of an endpoint's description that decide who can come there, or read along.

    Of what is said twice the last counts, and escapes are undone, as L{serverFromString} and
    L{clientFromString} have it. Ask only about what these have taken.

    @ivar kind: the kind of endpoint.
    @ivar rest: what follows without a name.
    @ivar named: what follows with one.
    """

    def __init__(self, text: str) -> None:
        self.rest: list[str] = []
        self.named: dict[str, str] = {}
        for part in _PART.findall(text):
            if named := _NAMED.fullmatch(part):
                self.named[_plain(named[1])] = _plain(named[2])
            else:
                self.rest.append(_plain(part))
        self.kind = self.rest.pop(0) if self.rest else ""

    def has_private_file(self) -> bool:
        """Whether the mode of a UNIX socket keeps others out."""
        return self.is_file() and not int(self.named.get("mode", "666"), 8) & _OTHERS

    def is_file(self) -> bool:
        """Whether a UNIX socket is a file; anybody on this machine may take one that is not."""
        named = (self.named[name] for name in ("address", "path") if name in self.named)
        paths = [*self.rest[:1], *named]
        return bool(paths) and all(path[:1] not in ("", "\0") for path in paths)

    def listens_here(self) -> bool:
        """Whether a server is reached from this machine only."""
        return _is_loopback(self.named.get("interface", ""))

    def leads_here(self) -> bool:
        """Whether a client gets no farther than this machine."""
        if len(self.rest) == 2 or (self.rest and "host" not in self.named):
            return _is_loopback(self.rest[0])
        return _is_loopback(self.named.get("host", ""))


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def _is_loopback(host: str) -> bool:
    return _LOOPBACK.fullmatch(host) is not None
