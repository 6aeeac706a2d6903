"""Connection strings: ``host:port,[::1]:port/chroot``."""

from __future__ import annotations

from typing import NamedTuple

from txzookeeper.constants import DEFAULT_PORT
from txzookeeper.errors import BadArgumentsException
from txzookeeper.path import check_path


class Host(NamedTuple):
    """One server's address."""

    name: str
    port: int

    def __str__(self) -> str:
        """Write it as a connection string does."""
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


class Hosts(NamedTuple):
    """The servers of an ensemble, and the path under which the program's tree begins.

    ``chroot`` is empty, or a path that does not end with a slash.
    """

    hosts: tuple[Host, ...]
    chroot: str


def parse_hosts(servers: str) -> Hosts:
    """Read a connection string; without a port, a server listens on 2181.

    Raises ``ValueError`` with a sentence about what is wrong.
    """
    addresses, slash, rest = servers.partition("/")
    hosts = tuple(_host(part.strip(), servers) for part in addresses.split(","))
    return Hosts(hosts, _chroot(slash + rest, servers))


def _host(text: str, servers: str) -> Host:
    name, port = _split(text, servers)
    if not name or any(character.isspace() for character in name):
        raise ValueError(f"The server list {servers!r} has a server without a name in it.")
    return Host(name, _port(port, servers) if port is not None else DEFAULT_PORT)


def _split(text: str, servers: str) -> tuple[str, str | None]:
    if text.startswith("["):
        name, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise ValueError(f"The server list {servers!r} has a broken IPv6 address: {text!r}.")
        return name, rest[1:] if rest else None
    if text.count(":") > 1:
        raise ValueError(f"Write IPv6 addresses in brackets, as [::1]:2181, not {text!r}.")
    name, colon, port = text.partition(":")
    return name, port if colon else None


def _port(text: str, servers: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536):
        raise ValueError(f"The server list {servers!r} has {text!r} where a port belongs.")
    return int(text)


def _chroot(text: str, servers: str) -> str:
    chroot = text.rstrip("/")
    try:
        check_path(chroot or "/")
    except BadArgumentsException as error:
        raise ValueError(f"The server list {servers!r} has a bad chroot. {error}") from error
    return chroot
