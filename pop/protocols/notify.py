"""What a program says of itself: the datagrams of C{sd_notify(3)}, and their socket.

Beside systemd's fields there is one of pop's: C{X_POP_STATE}, the JSON object that the
instance's state node shows.
"""

import contextlib
import json
import os
import socket
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.unix import DatagramPort

from pop.descriptors import lifted
from pop.frozen import frozen
from pop.model import loads

STATE_FIELD = "X_POP_STATE"
LONGEST = 65536
"""Bytes of a datagram; what is beyond is cut off."""
LONGEST_STATUS = 300
"""Characters of a status line, which goes into a node of ZooKeeper; the rest is cut off."""


@frozen
class Notice:
    """What one datagram said.

    @ivar ready: it serves now.
    @ivar stopping: it is on its way out.
    @ivar status: a line for people.
    @ivar state: what the state node should say, L{None} if it said nothing of that.
    @ivar watchdog: it lives.
    """

    ready: bool = False
    stopping: bool = False
    status: str | None = None
    state: Mapping[str, Any] | None = None
    watchdog: bool = False


def parse(datagram: bytes) -> Notice:
    """Read a datagram; fields that pop does not know, and broken ones, are passed over.

    C{RELOADING=1} is one of them: while a program reads its settings again it still serves.
    """
    lines = datagram.decode("utf-8", "replace").split("\n")
    found = dict(line.split("=", 1) for line in lines if "=" in line)
    return Notice(
        ready=found.get("READY") == "1",
        stopping=found.get("STOPPING") == "1",
        status=_line(found.get("STATUS")),
        state=_state(found.get(STATE_FIELD)),
        watchdog=found.get("WATCHDOG") == "1",
    )


def _line(text: str | None) -> str | None:
    """Something to show to people: it does not get at their terminals."""
    if text is None:
        return None
    return "".join(c if c.isprintable() else " " for c in text[:LONGEST_STATUS]).strip()


def _state(text: str | None) -> Mapping[str, Any] | None:
    try:
        found = loads(text or "null")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def ready(state: Mapping[str, Any]) -> bytes:
    """The datagram by which a service says that it is up."""
    return f"READY=1\n{STATE_FIELD}={json.dumps(state)}".encode()


def status(text: str) -> bytes:
    """The datagram by which a program says something to people."""
    return f"STATUS={' '.join(text.split())}".encode("utf-8", "replace")


def send(address: str, datagram: bytes) -> None:
    """Tell whoever listens at a C{NOTIFY_SOCKET}; a leading @ is Linux's abstract name space.

    @raise OSError: nobody listens there.
    """
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(address)
        sender.send(datagram)


class NotifyProtocol(DatagramProtocol):
    """Hears the notices of one instance."""

    noisy = False

    def __init__(self, heard: Callable[[Notice], None]) -> None:
        self._heard = heard

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self._heard(parse(datagram))


class NotifyPort(DatagramPort):
    """Where it hears them: one for each instance, which may be many."""

    def createInternetSocket(self) -> socket.socket:
        number = lifted(super().createInternetSocket().detach())
        found = socket.socket(self.addressFamily, self.socketType, fileno=number)
        found.setblocking(False)
        return found


def listen(
    reactor: Any, path: str, heard: Callable[[Notice], None], uid: int | None
) -> Callable[[], "Deferred[None]"]:
    """Listen for notices at a path that only one user may write to.

    @return: ends it, and removes the path.
    """
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    port = NotifyPort(path, NotifyProtocol(heard), LONGEST, 0o600, reactor)
    port.startListening()
    if uid is not None:
        os.chown(path, uid, -1)

    def unlisten() -> Deferred[None]:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return maybeDeferred(port.stopListening)

    return unlisten
