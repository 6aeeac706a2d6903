"""Asking a server how it is by HTTP: one GET on a connection of its own (RFC 9112).

Small on purpose: an agent asks for a status and no more, and with Twisted's own client for the web
it would be megabytes larger.
"""

import re

from pop.health import HttpCheck

ENOUGH = 1 << 16
"""Bytes of an answer; the rest is not waited for."""
LONGEST_EXCERPT = 100
"""Characters of an answer that people are shown."""

_STATUS = re.compile(rb"HTTP/1\.\d (?P<code>\d{3})(?P<phrase>[^\r\n]*)\r?\n")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_BODILESS = (204, 304)


def request(check: HttpCheck) -> bytes:
    """What is sent."""
    lines = (
        f"GET {check.path} HTTP/1.1",
        f"Host: {check.authority}",
        "User-Agent: pop",
        "Accept: */*",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Answer:
    """What is received, as far as it has come."""

    def __init__(self) -> None:
        self._data = b""

    def received(self, data: bytes) -> None:
        """Some more of it has come."""
        self._data += data

    @property
    def status(self) -> int | None:
        """The status; L{None} as long as there is none."""
        found = _STATUS.match(self._data)
        return int(found["code"]) if found else None

    @property
    def is_enough(self) -> bool:
        """Whether nothing more needs to come.

        A server that is read to its end has no broken connection to complain of.
        """
        if len(self._data) >= ENOUGH:
            return True
        end = _END_OF_HEAD.search(self._data)
        if end is None:
            return False
        length = _LENGTH.search(self._data, 0, end.start())
        if self.status in _BODILESS:
            return True
        return length is not None and len(self._data) - end.end() >= int(length[1])

    def fault(self) -> str | None:
        """What is wrong with it, to follow the server's name; L{None} if it passes."""
        if not self._data:
            return "closed the connection without an answer"
        found = _STATUS.match(self._data)
        if not found:
            return f"gave an answer that is not HTTP: {_excerpt(self._data)}"
        if 200 <= int(found["code"]) < 400:
            return None
        said = _excerpt(found["phrase"])
        body = _END_OF_HEAD.split(self._data, maxsplit=1)[1:]
        words = _words(body[0]) if body else ""
        return f"answered {found['code'].decode()}{said and ' ' + said}{words and ': ' + words}"


def _words(body: bytes) -> str:
    """The first line that is for people: neither a tag nor the length of a chunk."""
    for line in body.splitlines():
        if (text := _excerpt(line)) and not re.match(r"<|[0-9A-Fa-f]+$", text):
            return text
    return ""


def _excerpt(data: bytes) -> str:
    line = data.decode("utf-8", "replace").strip().partition("\n")[0][:LONGEST_EXCERPT]
    return "".join(c if c.isprintable() else " " for c in line).strip()
