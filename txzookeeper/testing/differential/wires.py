"""Raw connections to a server: packets in and out, whatever they say.

One kind leads to a `MemoryServer`, the other over TCP to any server; both block until what was
waited for is there.
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from struct import Struct
from typing import Any, Final

from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from txzookeeper.testing.memory import MemoryServer

_LENGTH: Final = Struct(">i")
PATIENCE: Final = 20.0
"""How many seconds a server that is alive may take for an answer."""

Enough = Callable[[list[bytes]], bool]


class Stuck(Exception):
    """A server neither answers nor closes the connection."""


def framed(packet: bytes) -> bytes:
    """Put a packet's length before it."""
    return _LENGTH.pack(len(packet)) + packet


class Wire(ABC):
    """A connection as its client has it; ``closed`` once the server has closed it.

    ``packets`` came and were not taken yet.
    """

    def __init__(self) -> None:
        self.closed = False
        self._bytes = b""
        self.packets: list[bytes] = []

    @abstractmethod
    def send(self, data: bytes) -> None:
        """Send bytes, framed or not."""

    @abstractmethod
    def hang_up(self) -> None:
        """Close, and return when the server has noticed."""

    @abstractmethod
    def _read(self, patience: float) -> bool:
        """Take more bytes in if some come; say whether any did, or the end."""

    def wait(self, enough: Enough = lambda packets: False, patience: float = PATIENCE) -> bool:
        """Wait until there are packets enough or the server has closed; say whether that came."""
        while not enough(self.packets) and not self.closed:
            if not self._read(patience):
                return False
        return True

    def take(self) -> list[bytes]:
        """Give the packets that came, and forget them."""
        taken, self.packets = self.packets, []
        return taken

    def _received(self, data: bytes) -> None:
        self._bytes += data
        while len(self._bytes) >= 4:
            end = 4 + _LENGTH.unpack_from(self._bytes)[0]
            if len(self._bytes) < end:
                break
            self.packets.append(self._bytes[4:end])
            self._bytes = self._bytes[end:]


class SocketWire(Wire):
    """A connection over TCP."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self._socket = socket.create_connection((host, port), timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        """Send bytes; a server that has closed meanwhile is noticed when reading."""
        try:
            self._socket.sendall(data)
        except OSError:
            self._read(PATIENCE)

    def hang_up(self) -> None:
        """Say that nothing more comes, and wait until the server closes for that."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.closed = True
        self.wait()
        self._socket.close()

    def _read(self, patience: float) -> bool:
        self._socket.settimeout(patience)
        try:
            data = self._socket.recv(1 << 16)
        except TimeoutError:
            return False
        except OSError:
            data = b""
        if data:
            self._received(data)
        else:
            self.closed = True
            self._socket.close()
        return True


class MemoryWire(Wire, Protocol):
    """A connection to a `MemoryServer`; nothing happens at it while nobody waits."""

    transport: Any

    def __init__(self, server: MemoryServer) -> None:
        super().__init__()
        self._server = server
        server.endpoint("memory", 2181).connect(Factory.forProtocol(lambda: self))
        server.settle()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.transport.write(data)

    def hang_up(self) -> None:
        """Close."""
        self.transport.loseConnection()
        self._server.settle()
        self.closed = True

    def dataReceived(self, data: bytes) -> None:
        """Take bytes in."""
        self._received(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Note the end."""
        self.closed = True

    def _read(self, patience: float) -> bool:
        before = self.closed, len(self._bytes), len(self.packets)
        self._server.settle()
        return before != (self.closed, len(self._bytes), len(self.packets))
