"""A client that says exactly what a test tells it to, and the server it says it to."""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Factory, connectionDone
from twisted.protocols.basic import Int32StringReceiver
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import constants as c
from txzookeeper.jute import decode, encode
from txzookeeper.permissions import ZOO_OPEN_ACL_UNSAFE
from txzookeeper.records import (
    ConnectRequest,
    ConnectResponse,
    CreateRequest,
    ReplyHeader,
    RequestHeader,
    SetWatchesRequest,
)
from txzookeeper.testing.memory import MemoryServer


class Peer(Int32StringReceiver):
    """A client that says exactly what a test tells it to."""

    MAX_LENGTH = 0xFFFFF
    transport: Any

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self.closed = False

    def stringReceived(self, string: bytes) -> None:
        """Keep a packet."""
        self.packets.append(string)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Note the end."""
        self.closed = True

    def ask(self, operation: int, request: Any, xid: int = 1) -> None:
        """Send a request."""
        self.sendString(encode(RequestHeader(xid, operation)) + encode(request))

    def create(self, path: str, data: bytes = b"", flags: int = 0) -> None:
        """Send a request to create a node."""
        self.ask(c.CREATE_OP, CreateRequest(path, data, ZOO_OPEN_ACL_UNSAFE, flags))

    def rearm(self, zxid: int, data: tuple[str, ...] = (), children: tuple[str, ...] = ()) -> None:
        """Send a request to arm watches again."""
        request = SetWatchesRequest(zxid, data, (), children)
        self.ask(c.SET_WATCHES_OP, request, c.SET_WATCHES_XID)

    def greet(self, *args: Any) -> None:
        """Send a greeting: that of a new client, unless it is given."""
        self.sendString(encode(ConnectRequest(0, *(args or (0, 4000, 0, b"")))))

    def replies(self) -> list[tuple[int, int]]:
        """Give the number and error of each reply so far, and forget them."""
        headers = [decode(ReplyHeader, packet) for packet in self.packets]
        self.packets.clear()
        return [(header.xid, header.err) for header in headers]


class ServerTests(SynchronousTestCase):
    """A server in memory, and peers that connect to it."""

    def setUp(self) -> None:
        """Start a server."""
        self.server = MemoryServer()
        self.addCleanup(self.server.close)

    def peer(self) -> Peer:
        """Give a connection on which nothing was said yet."""
        connected = self.server.endpoint("h", 1).connect(Factory.forProtocol(Peer))
        self.server.settle()
        peer = self.successResultOf(connected)
        assert isinstance(peer, Peer)
        return peer

    def greet(self, peer: Peer, *args: Any) -> ConnectResponse:
        """Send a greeting, and give the answer."""
        peer.greet(*args)
        self.server.settle()
        return decode(ConnectResponse, peer.packets.pop())

    def member(self, timeout: int = 4000) -> tuple[Peer, ConnectResponse]:
        """Give a connection with a new session."""
        peer = self.peer()
        return peer, self.greet(peer, 0, timeout, 0, b"")
