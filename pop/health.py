"""Health checks as values, and how settings describe them."""

import re
import shlex
import string
from typing import Final

from pop.frozen import frozen

FORMS: Final = "tcp:PORT, tcp:HOST:PORT, http://HOST[:PORT]/PATH or command:ARGV"
COMMAND: Final = "command:"
LOCAL: Final = "127.0.0.1"

_HOST: Final = r"\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[^\s:/?#@\[\]]+)"
_TCP: Final = re.compile(rf"tcp:(?:(?:{_HOST}):)?(?P<port>\d+)", re.ASCII)
_HTTP: Final = re.compile(
    rf"http://(?P<authority>(?:{_HOST})(?::(?P<port>\d+))?)(?P<path>/[!-\"$-~]*)?", re.ASCII
)


@frozen
class TcpCheck:
    """It passes if a connection is accepted there.

    @ivar host: a name or an address; an IPv6 one without brackets.
    """

    host: str
    port: int


@frozen
class HttpCheck:
    """It passes if the answer to a GET is a status from 200 to 399.

    @ivar authority: host and port as they were written, for the request.
    @ivar path: with the query, if there is one.
    """

    host: str
    port: int
    authority: str
    path: str


@frozen
class CommandCheck:
    """It passes if a program exits with status 0."""

    argv: tuple[str, ...]


Check = TcpCheck | HttpCheck | CommandCheck


def read_check(text: str) -> Check:
    """A check from its description.

    @raise ValueError: it describes none; begins with "it".
    """
    if text.startswith(COMMAND):
        return CommandCheck(_words(text.removeprefix(COMMAND)))
    if found := _TCP.fullmatch(text):
        return TcpCheck(_host(found), _port(found["port"]))
    if found := _HTTP.fullmatch(text):
        port = _port(found["port"] or "80")
        return HttpCheck(_host(found), port, found["authority"], found["path"] or "/")
    if text.startswith("https:"):
        raise ValueError("it should be http; let a program ask by https, as command:curl -fsS URL")
    raise ValueError(f"it should be {FORMS}")


def read_template(text: str) -> Check | None:
    """A check from a description whose placeholders are still to be filled in.

    @return: L{None} if even its kind is a placeholder.
    @raise ValueError: nothing that could be filled in makes a check of it; begins with "it".
    """
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"its placeholders cannot be read: {error}") from error
    # A digit may stand wherever a placeholder may: in a port, a host, a path, a word.
    whole = "".join(literal + ("" if name is None else "1") for literal, name, _, _ in parts)
    return None if "{" in text.partition(":")[0] else read_check(whole)


def _words(line: str) -> tuple[str, ...]:
    try:
        found = tuple(shlex.split(line))
    except ValueError as error:
        raise ValueError(f"its command cannot be split: {error}") from error
    if not found:
        raise ValueError("its command is empty")
    return found


def _host(found: re.Match[str]) -> str:
    return found["v6"] or found["name"] or LOCAL


def _port(digits: str) -> int:
    port = int(digits) if len(digits) < 6 else 0
    if not 1 <= port <= 65535:
        raise ValueError("its port should be from 1 to 65535")
    return port
