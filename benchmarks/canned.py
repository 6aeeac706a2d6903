"""A client without a network: requests go nowhere, and the replies are prepared.

What is measured here is the client alone. The preparing of the replies is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from struct import pack, unpack_from
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock
from workloads import PAYLOAD
from zope.interface import implementer

from txzookeeper import ZookeeperClient

STAT = pack(">qqqqiiiqiiq", 1, 2, 3, 4, 5, 6, 7, 0, len(PAYLOAD), 0, 8)
PATH = "/benchmark/n"

#: How much a socket gives at a time.
_CHUNK = 65_536


@implementer(IStreamClientEndpoint)
class CannedServer:
    """Endpoint and transport in one: it lets everybody in, and keeps what they write."""

    def __init__(self) -> None:
        self.protocol: Any = None
        self.written: list[bytes] = []

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect at once."""
        self.protocol = protocolFactory.buildProtocol(None)  # type: ignore[arg-type]
        self.protocol.makeConnection(self)
        hello = pack(">iiqi16s?", 0, 30_000, 1, 16, bytes(16), False)
        self.written.clear()
        self._greeting = pack(">i", len(hello)) + hello
        return succeed(self.protocol)

    def greet(self) -> None:
        """Answer the first packet."""
        self.protocol.dataReceived(self._greeting)

    def write(self, data: bytes) -> None:
        """Keep it."""
        self.written.append(data)

    def writeSequence(self, data: list[bytes]) -> None:
        """Keep it."""
        self.written.extend(data)

    def abortConnection(self) -> None:
        """Do nothing."""

    loseConnection = abortConnection

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Do nothing."""

    def requests(self) -> list[int]:
        """Take out the numbers of the requests that were written."""
        data, self.written = b"".join(self.written), []
        xids, offset = [], 0
        while offset < len(data):
            length, xid = unpack_from(">ii", data, offset)
            xids.append(xid)
            offset += 4 + length
        return xids


class Alone:
    """A connected client, and the means to measure what its calls cost."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.server = CannedServer()
        self.client = ZookeeperClient(
            "canned:2181", 30_000, reactor=self.clock, endpoint=lambda host, port: self.server
        )
        self.client.connect()
        self.clock.advance(0)
        self.server.greet()
        self.clock.advance(0)
        self.server.requests()
        if not self.client.connected:
            raise RuntimeError("the client does not take what it is given for a server")

    def cost(
        self, call: Callable[[int], Deferred[Any]], reply: Callable[[int], bytes], in_flight: int
    ) -> tuple[float, float]:
        """Make so many calls, and give CPU seconds for sending and for receiving each.

        ``reply(xid)`` gives the bytes that answer one request.
        """
        results: list[Any] = []
        begin = time.process_time()
        for i in range(in_flight):
            call(i).addCallback(results.append)
        self.clock.advance(0)
        sent = time.process_time() - begin
        data = b"".join([reply(xid) for xid in self.server.requests()])
        begin = time.process_time()
        for offset in range(0, len(data), _CHUNK):
            self.server.protocol.dataReceived(data[offset : offset + _CHUNK])
        received = time.process_time() - begin
        if len(results) != in_flight:
            raise RuntimeError(f"{len(results)} calls of {in_flight} were answered")
        return sent / in_flight, received / in_flight


def answer(xid: int, body: bytes, zxid: int = 9) -> bytes:
    """Give a whole reply without error, or an event (xid -1)."""
    return pack(">iiqi", len(body) + 16, xid, zxid, 0) + body


def calls(alone: Alone) -> dict[str, tuple[Callable[[int], Deferred[Any]], Callable[[int], bytes]]]:
    """Give the calls that can be measured here, each with its answer."""
    client = alone.client
    path = pack(">i", len(PATH)) + PATH.encode()
    data = pack(">i", len(PAYLOAD)) + PAYLOAD
    event = answer(-1, pack(">ii", 3, 3) + path, -1)
    turn = iter(range(1 << 62))

    def watch(_: int) -> Deferred[Any]:
        client.get_and_watch(PATH)
        return client.set(PATH, PAYLOAD)

    def watched(xid: int) -> bytes:
        return answer(xid, data + STAT) if next(turn) % 2 == 0 else event + answer(xid, STAT)

    return {
        "get": (lambda _: client.get(PATH), lambda xid: answer(xid, data + STAT)),
        "exists": (lambda _: client.exists(PATH), lambda xid: answer(xid, STAT)),
        "create": (lambda _: client.create(PATH, PAYLOAD), lambda xid: answer(xid, path)),
        "set": (lambda _: client.set(PATH, PAYLOAD), lambda xid: answer(xid, STAT)),
        "delete": (lambda _: client.delete(PATH), lambda xid: answer(xid, b"")),
        "set + watch event": (watch, watched),
    }
