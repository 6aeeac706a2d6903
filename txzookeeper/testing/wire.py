"""Connections in memory: real protocols at both ends, no sockets, and a clock that is given.

What one end writes arrives at the other within the clock's present moment, in a later turn, as
over the loopback interface. The wire can be held: then nothing arrives, and nobody is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IConsumer,
    IProtocol,
    IPushProducer,
    IReactorTime,
    ITransport,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

HIGH_WATER = 64 * 1024
"""How many bytes may wait for a slow reader before its writer is asked to pause."""


@implementer(ITransport, IConsumer, IPushProducer)
class MemoryTransport:
    """One end of a connection; it offers what Twisted's TCP transports offer to a protocol."""

    log = Logger()
    other: MemoryTransport

    def __init__(self, clock: IReactorTime, protocol: IProtocol, host: IPv4Address) -> None:
        self.connected = True
        self._clock = clock
        self._protocol = protocol
        self._host = host
        self._outgoing: list[bytes] = []
        self._closing = False
        self._scheduled = False
        self._paused = False
        self._held = False
        self._parting: Exception | None = None
        self._producer: Any = None
        self._producer_paused = False

    @property
    def open(self) -> bool:
        """Whether one of the two ends still believes in the connection."""
        return self.connected or self.other.connected

    def write(self, data: bytes) -> None:
        """Send bytes; after the end of the connection they go nowhere."""
        if not self._closing:
            self._outgoing.append(bytes(data))
            self._pause_producer()
            self._schedule()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Send several pieces."""
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """Close once everything written has arrived and no producer is left."""
        self._closing = True
        self._schedule()

    def abortConnection(self) -> None:
        """Close at once; what is under way is lost."""
        self._closing = True
        self._outgoing.clear()
        self._clock.callLater(0, self._part, ConnectionAborted(), ConnectionLost())

    def getHost(self) -> IPv4Address:
        """Give this end's address."""
        return self._host

    def getPeer(self) -> IPv4Address:
        """Give the other end's address."""
        return self.other._host

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Have a producer paused whenever the other end is slow; pulling ones are asked at once."""
        self._producer = producer
        self._producer_paused = not streaming
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """Have no producer any more, which may be what `loseConnection` waited for."""
        self._producer = None
        self._schedule()

    def pauseProducing(self) -> None:
        """Stop reading."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Read on."""
        self._paused = False
        self.other._schedule()

    def stopProducing(self) -> None:
        """Close, as nobody wants what is read."""
        self.loseConnection()

    def hold(self) -> None:
        """Let nothing that is written here arrive."""
        self._held = True

    def release(self) -> None:
        """Let everything arrive that was held."""
        self._held = False
        self._schedule()
        if self._parting is not None:
            self.other._end(self._parting)

    def _schedule(self) -> None:
        if not self._scheduled and self.connected:
            self._scheduled = True
            self._clock.callLater(0, self._deliver)

    def _deliver(self) -> None:
        self._scheduled = False
        if not self.connected or self._held or self.other._paused:
            return
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        if data:
            self.other._receive(data)
        self._resume_producer()
        if self._closing and not self._outgoing and self._producer is None:
            self._part(ConnectionDone(), ConnectionDone())

    def _receive(self, data: bytes) -> None:
        with self.log.failuresHandled("While receiving data in memory:") as reading:
            self._protocol.dataReceived(data)
        if reading.failed:
            self.abortConnection()

    def _part(self, here: Exception, there: Exception) -> None:
        self._end(here)
        self._parting = there
        if not self._held:
            self.other._end(there)

    def _end(self, reason: Exception) -> None:
        if self.connected:
            self.connected = False
            self._closing = True
            self._outgoing.clear()
            with self.log.failuresHandled("While closing a connection in memory:"):
                self._protocol.connectionLost(Failure(reason))

    def _pause_producer(self) -> None:
        waiting = sum(map(len, self._outgoing))
        if self._producer is not None and not self._producer_paused and waiting > HIGH_WATER:
            self._producer_paused = True
            self._producer.pauseProducing()

    def _resume_producer(self) -> None:
        if self._producer is not None and self._producer_paused:
            self._producer_paused = False
            self._producer.resumeProducing()


def join(
    clock: IReactorTime, client: IProtocol, server: IProtocol, address: IPv4Address, port: int
) -> MemoryTransport:
    """Connect two protocols, and give the client's end; ``port`` is the client's own."""
    near = MemoryTransport(clock, client, IPv4Address("TCP", "127.0.0.1", port))
    far = MemoryTransport(clock, server, address)
    near.other, far.other = far, near
    server.makeConnection(far)
    client.makeConnection(near)
    return near
