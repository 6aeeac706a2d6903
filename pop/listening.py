"""What a service listens at: the notation of its C{sockets} setting.

It is that of Twisted's endpoint descriptions, as far as it makes sense before there is a program:
C{tcp:8080}, C{tcp:8080:interface=127.0.0.1}, C{tcp6:8080}, C{unix:/run/web.sock:mode=660}, each
with C{:backlog=N} if need be.
"""

import ipaddress
import re

from pop.frozen import frozen

BACKLOG = 4096
"""Connections that may wait while a service restarts, as far as the system allows."""
_TCP = re.compile(r"(tcp6?):(\d{1,5})(?::interface=(.+?))?(?::backlog=(\d{1,6}))?")
_UNIX = re.compile(r"unix:(/.+?)(?::mode=([0-7]{3,4}))?(?::backlog=(\d{1,6}))?")
_LONGEST = 107
"""Bytes of a UNIX socket's path."""


@frozen
class Listening:
    """One address.

    @ivar host: an IP address; empty for a UNIX socket, which has a path.
    @ivar mode: of the file at that path.
    """

    host: str = ""
    port: int = 0
    path: str = ""
    mode: int = 0o666
    backlog: int = BACKLOG


def listening(text: str) -> Listening:
    """Read a description.

    @raise ValueError: it is none; begins with "it".
    """
    if found := _TCP.fullmatch(text):
        return _tcp(*found.groups())
    if found := _UNIX.fullmatch(text):
        path, mode, backlog = found.groups()
        if len(path.encode()) > _LONGEST or not path.isprintable():
            raise ValueError(f"it should have a path of at most {_LONGEST} bytes")
        return Listening(path=path, mode=int(mode or "666", 8), backlog=int(backlog or BACKLOG))
    raise ValueError(
        "it should be tcp:PORT, tcp:PORT:interface=ADDRESS, tcp6:PORT or unix:/PATH:mode=660"
    )


def _tcp(kind: str, port: str, host: str | None, backlog: str | None) -> Listening:
    if not 0 < int(port) < 65536:
        raise ValueError("it should have a port from 1 to 65535")
    try:
        address = ipaddress.ip_address(host or ("0.0.0.0" if kind == "tcp" else "::"))
    except ValueError as error:
        raise ValueError("it should have an IP address as its interface") from error
    if kind == "tcp6" and address.version == 4:
        raise ValueError("it should have an IPv6 address as its interface, or be tcp")
    return Listening(host=str(address), port=int(port), backlog=int(backlog or BACKLOG))


def name(text: str) -> str:
    """A description as it is named in C{LISTEN_FDNAMES}, where a colon would end it."""
    return text.replace(":", "-")
