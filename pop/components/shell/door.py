"""Where a shell may be reached: by those alone who may do anything there."""

from typing import Any, Final

from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory

from pop.components.description import Description
from pop.components.errors import BundleException

_KINDS: Final = ("unix", "tcp", "tcp6", "ssl", "tls")
_TLS: Final = ("ssl", "tls")
_SHAPE: Final = (
    "it should be like unix:PATH:mode=600, tcp:PORT:interface=127.0.0.1 or"
    " ssl:PORT:privateKey=FILE:certKey=FILE"
)


class NotADoor(BundleException):
    """The shell cannot listen at {endpoint}: {reason}."""


class OpenDoor(BundleException):
    """The shell may not listen at {endpoint}: whoever comes there could do anything. Use a UNIX
    socket of your own (unix:PATH), TCP on the loopback interface (tcp:PORT:interface=127.0.0.1), or
    TLS and passwords (--auth file:PATH)."""


class Door:
    """An endpoint for a shell.

    @param description: as of L{serverFromString}; a UNIX socket is its owner's alone (mode 600),
        unless it says something else.
    @param guarded: whether whoever comes is asked for a name and a password.
    @raise OpenDoor: anybody could come.
    @raise NotADoor: it is none, or names files that are not there.
    """

    def __init__(self, reactor: Any, description: str, guarded: bool = False) -> None:
        self._description = description
        said = Description(description)
        kind = said.kind
        if kind not in _KINDS:
            raise NotADoor(endpoint=description, reason=_SHAPE)
        if kind == "unix" and "mode" not in said.named:
            description += ":mode=600"
        try:
            self._endpoint = serverFromString(reactor, description)
        except Exception as error:  # each kind has its own ways to fail
            raise NotADoor(endpoint=self._description, reason=_reason(error)) from error
        if not _is_private(Description(description)) and not (guarded and kind in ("unix", *_TLS)):
            raise OpenDoor(endpoint=self._description)

    async def listen(self, factory: IProtocolFactory) -> IListeningPort:
        """Let others in.

        @raise NotADoor: the address is taken, or cannot be had.
        """
        try:
            port: IListeningPort = await self._endpoint.listen(factory)
        except (CannotListenError, OSError, OverflowError) as error:
            raise NotADoor(endpoint=self._description, reason=_reason(error)) from error
        return port


def _is_private(said: Description) -> bool:
    """Whether only those can come who are on this machine, or those whom a file's mode lets."""
    return said.has_private_file() if said.kind == "unix" else said.listens_here()


def _reason(error: Any) -> str:
    if isinstance(error, CannotListenError):
        error = error.socketError
    if isinstance(error, str):
        return "another process listens there"  # which holds the lock beside the socket
    if isinstance(error, OSError):
        name, text = error.filename2 or error.filename, error.strerror or str(error)
        where = f" ({_text(name)})" if name else ""
        return text + where
    # What Python says of a port, a mode or an option that is none tells an operator nothing.
    return _SHAPE


def _text(name: Any) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)
