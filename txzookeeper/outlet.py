"""The way out to a transport: what one turn of the reactor has to say leaves in one write.

Where the transport is plain TCP the write is tried at once, instead of after the reactor has
said that the socket is ready, which it nearly always is: three system calls less for each
request. What the socket does not take then is left to the transport, and whatever comes
meanwhile queues behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IPullProducer, IReactorTime
from zope.interface import implementer

from txzookeeper.statistics import Statistics


def is_plain(transport: Any) -> bool:
    """Say whether a transport is plain TCP, so that its socket can be written to."""
    # Here, as it takes OpenSSL in where it can: see ``txzookeeper.aside``.
    from twisted.internet.tcp import Connection

    # A wrapper around TLS lends out its inner transport's methods: hence the exact question.
    return isinstance(transport, Connection) and not transport.TLS


@implementer(IPullProducer)
class Outlet:
    """Collects packets, and writes them when the turn is over or when ``flush`` is called.

    ``began_at`` is when the first of the packets that wait was put, on the clock ``now``.
    """

    def __init__(
        self, clock: IReactorTime, now: Callable[[], float], statistics: Statistics
    ) -> None:
        self.began_at = now()
        self._statistics = statistics
        self._clock = clock
        self._now = now
        self._transport: Any = None
        self._straight = False
        self._blocked = False
        self._packets: list[bytes] = []
        self._held = False
        self._turn: IDelayedCall | None = None

    def open(self, transport: Any) -> None:
        """Write to this transport from now on."""
        self._transport = transport
        self._straight = is_plain(transport)

    def close(self) -> None:
        """Write no more."""
        self._transport = None
        self._packets.clear()
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None

    def put(self, *packet: bytes) -> None:
        """Add a packet, given in one or more pieces."""
        if not self._packets:
            self.began_at = self._now()
            if self._turn is None and not self._held:
                self._turn = self._clock.callLater(0, self._turned)
        self._packets += packet

    def hold(self) -> None:
        """Wait for ``flush``, which is sure to come before the turn is over."""
        self._held = True

    def flush(self) -> None:
        """Write what has been put."""
        self._held = False
        packets, self._packets = self._packets, []
        if packets and self._transport is not None:
            data = b"".join(packets)
            self._statistics.bytes_sent += len(data)
            self._write(data)

    def _turned(self) -> None:
        self._turn = None
        self.flush()

    def _write(self, data: bytes) -> None:
        if self._straight and not self._blocked:
            taken = self._transport.writeSomeData(data)
            if taken == len(data):
                return
            # A broken connection is left to the transport too: it finds out by itself.
            self._transport.write(data[taken:] if isinstance(taken, int) else data)
            self._transport.registerProducer(self, False)
            self._blocked = True
        else:
            self._transport.write(data)

    # Called by the transport: when this is registered, and when it has written everything.

    def resumeProducing(self) -> None:
        """Note that the transport has nothing left to write."""
        if self._blocked and self._transport is not None:
            self._blocked = False
            self._transport.unregisterProducer()

    def stopProducing(self) -> None:
        """Do nothing: the connection is over, as its owner knows."""
