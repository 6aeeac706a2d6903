"""Where calls are answered, and to where they are made."""

import os
from typing import Any, Final

from twisted.internet.address import UNIXAddress
from twisted.internet.endpoints import clientFromString, quoteStringArgument, serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocolFactory,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)

from pop.components.description import Description
from pop.components.remote.errors import BadAddress, OpenAddress, OpenWay

_VERIFIED: Final = {"caCertsDir", "hostname"}


def way(reactor: Any, address: str) -> IStreamClientEndpoint:
    """How to get to an address, as Twisted describes client endpoints.

    @raise BadAddress: it is none.
    @raise OpenWay: others can read along, or answer instead.
    """
    try:
        found: IStreamClientEndpoint = clientFromString(reactor, address)
    except Exception as error:  # each kind has its own ways to fail
        raise BadAddress(deed="made", address=address, reason=_reason(error)) from error
    if not _is_closed(Description(address)):
        raise OpenWay(address=address)
    return found


def _is_closed(said: Description) -> bool:
    kind = said.kind.lower()
    if kind == "ssl":  # Twisted's looks at no certificate unless it is told both
        return said.named.keys() >= _VERIFIED
    if kind == "unix":
        return said.is_file()
    return kind == "tls" or (kind == "tcp" and said.leads_here())


def place(reactor: Any, address: str, secret: bool) -> IStreamServerEndpoint:
    """Where to answer calls, as Twisted describes server endpoints.

    A UNIX socket is its owner's alone, unless its mode says otherwise. Others have to know the
    secret; who reads along would learn that, so that it takes TLS, or nobody who could.

    @param secret: whether there is one.
    @raise BadAddress: it is none.
    @raise OpenAddress: anybody could call.
    """
    said, full = Description(address), address
    if said.kind == "unix" and "mode" not in said.named:
        full += ":mode=600"
    try:
        found: IStreamServerEndpoint = serverFromString(reactor, full)
    except Exception as error:  # as above
        raise BadAddress(deed="answered", address=address, reason=_reason(error)) from error
    if not _is_private(Description(full), secret):
        raise OpenAddress(address=address)
    return found


def _is_private(said: Description, secret: bool) -> bool:
    if said.kind == "unix":
        return secret or said.has_private_file()
    if said.kind in ("tcp", "tcp6"):
        return secret and said.listens_here()
    return secret and said.kind in ("ssl", "tls")


async def listen(
    endpoint: IStreamServerEndpoint, address: str, factory: IProtocolFactory
) -> IListeningPort:
    """Answer calls there.

    @raise BadAddress: it is taken, or cannot be had.
    """
    try:
        port: IListeningPort = await endpoint.listen(factory)
    except (CannotListenError, OSError, OverflowError) as error:
        raise BadAddress(deed="answered", address=address, reason=_reason(error)) from error
    return port


def reached_at(port: IListeningPort) -> str:
    """Where others of this machine reach a port, if it is a UNIX socket; else the empty text."""
    host = port.getHost()
    if not isinstance(host, UNIXAddress) or not host.name:
        return ""
    path: str = quoteStringArgument(os.path.abspath(os.fsdecode(host.name)))
    return f"unix:{path}"


def _reason(error: Exception) -> str:
    if isinstance(error, CannotListenError):
        error = error.socketError
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if str(error) == "Cannot acquire lock":  # Twisted's, of a UNIX socket
        return "another process answers there"
    return str(error).rstrip(".") or type(error).__name__
