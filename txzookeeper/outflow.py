"""A server's way out to one client: what a turn has to say leaves when the turn is over.

Where the client does not read what it is sent, `is_full` asks to give it nothing more to answer,
and ``go_on`` is called when it has read. Events come unasked: if too many wait, there is nothing
for it but to `overflow`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.interfaces import IPullProducer, IPushProducer
from zope.interface import implementer

from txzookeeper.outlet import is_plain

HIGH_WATER: Final = 256 * 1024
"""With so many bytes waiting a client is asked nothing more."""

OVERFLOW: Final = 32 * 1024 * 1024
"""So many bytes may wait for a client that does not read."""


@implementer(IPushProducer, IPullProducer)
class Outflow:
    """Packets that wait for the end of the turn, or for a client that reads slowly.

    Where the transport is plain TCP its socket is written to at once, which saves asking whether
    it is ready; what it does not take then is left to the transport, which says when it is gone.
    """

    def __init__(self, go_on: Callable[[], None]) -> None:
        self.waiting = 0
        self._go_on = go_on
        self._packets: list[bytes] = []
        self._blocked = False
        self._straight = False
        self._transport: Any = None

    @property
    def is_full(self) -> bool:
        """Whether so much waits that more should wait to be asked for."""
        return self._blocked or self.waiting > HIGH_WATER

    @property
    def overflows(self) -> bool:
        """Whether more waits than a client may be owed."""
        return self._blocked and self.waiting > OVERFLOW

    def open(self, transport: Any) -> None:
        """Write to this transport from now on."""
        self._transport = transport
        self._straight = is_plain(transport)
        if not self._straight:
            transport.registerProducer(self, True)

    def put(self, packet: bytes) -> None:
        """Add a packet."""
        self._packets.append(packet)
        self.waiting += len(packet)

    def flush(self) -> None:
        """Write what waits, unless the client does not read."""
        if self._packets and not self._blocked:
            self._write()

    def close(self) -> None:
        """Write what waits, and then close."""
        self._write()
        self._transport.unregisterProducer()
        self._transport.loseConnection()

    def clear(self) -> None:
        """Forget what waits: nobody will read it."""
        self._packets.clear()
        self.waiting = 0

    def _write(self) -> None:
        data = b"".join(self._packets)
        self.clear()
        if not self._straight or self._blocked:
            self._transport.write(data)
            return
        taken = self._transport.writeSomeData(data)
        if taken != len(data):
            # A broken connection is left to the transport too: it finds out by itself.
            self._transport.write(data[taken:] if isinstance(taken, int) else data)
            self._transport.registerProducer(self, False)
            self._blocked = True

    # Called by the transport, which has too much to write, or has written everything.

    def pauseProducing(self) -> None:
        """Note that the client does not read."""
        self._blocked = True

    def resumeProducing(self) -> None:
        """Note that it has read."""
        if self._blocked:
            self._blocked = False
            if self._straight:
                self._transport.unregisterProducer()
            self._go_on()

    def stopProducing(self) -> None:
        """Do nothing: the connection is over, as its owner knows."""
