"""Connections with somebody in between, who may let nothing through, or not all of it, or late.

`Lines` stands before any endpoint, in memory or over TCP, and is one itself: what a client does
there goes through a `Line`. Whatever happens, bytes arrive in their order.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from typing import Protocol as Interface

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IDelayedCall,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import connectionDone
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from txzookeeper.dialer import Endpoint
from txzookeeper.testing.flow import Flow

__all__ = ["Faithful", "Flow", "Line", "Lines", "Meddler"]


class Meddler(Interface):
    """Who sees the bytes between a client and a server, and decides what becomes of them."""

    def passing(self, line: Line, flow: Flow, data: bytes) -> None:
        """Some bytes want to pass; those that are not put into the flow are lost."""


class Faithful:
    """A `Meddler` who does nothing."""

    def passing(self, line: Line, flow: Flow, data: bytes) -> None:
        """Let them pass."""
        flow.put(data)


class Line(ProtocolWrapper):
    """A client's connection; ``up`` flows to the server, ``down`` to the client.

    ``place`` is where it leads through. To its client it is the transport, which tells of the
    connection's end after all that came before it, and of an abort by the client itself at once.
    """

    factory: _Factory
    transport: Any

    def __init__(self, factory: _Factory, wrapped: IProtocol) -> None:
        super().__init__(factory, wrapped)
        self.place = factory.lines
        self._gone = False
        self._closing = False
        self._over = False
        self._stalled: IDelayedCall | None = None
        self.up = Flow(self.place.clock, self._send)
        self.down = Flow(self.place.clock, wrapped.dataReceived)

    def makeConnection(self, transport: Any) -> None:
        """Begin, held if all is."""
        self.place.joined(self)
        super().makeConnection(transport)

    def write(self, data: bytes) -> None:
        """Send bytes to the server, if they come through."""
        if not (self._over or self._closing):
            self.place.meddler.passing(self, self.up, data)

    def writeSequence(self, data: Any) -> None:
        """Send several pieces."""
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """Close, after what was written."""
        self._closing = True
        self.up.then(super().loseConnection)

    def abortConnection(self) -> None:
        """Close at once, also where nothing comes through; what is under way is lost."""
        if self._over:
            return
        self._over = True
        self.up.clear()
        self.down.clear()
        self.release()
        if self._gone:
            self.place.clock.callLater(0, self._end, connectionDone)
        else:
            self.transport.abortConnection()

    cut = abortConnection

    def hold(self) -> None:
        """Let nothing through, and tell nobody."""
        if not self._over:
            self.up.hold()
            self.down.hold()

    def release(self) -> None:
        """Let through what was held."""
        self._resume()
        self.up.release()
        self.down.release()

    def stall(self, seconds: float) -> None:
        """Hold everything for some seconds."""
        if not self._over:
            self.hold()
            self._resume()
            self._stalled = self.place.clock.callLater(seconds, self._stall_over)

    def dataReceived(self, data: bytes) -> None:
        """Pass on what the server sent, if it comes through."""
        if not self._over:
            self.place.meddler.passing(self, self.down, data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell the client that the connection has ended."""
        self._gone = True
        self.up.clear()
        self.down.then(partial(self._end, reason))

    def _send(self, data: bytes) -> None:
        self.transport.write(data)

    def _stall_over(self) -> None:
        self._stalled = None
        self.release()

    def _resume(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _end(self, reason: Failure) -> None:
        self._over = True
        self._resume()
        self.up.clear()
        self.down.clear()
        self.place.parted(self)
        super().connectionLost(reason)


class _Factory(WrappingFactory[Line]):
    noisy = False
    protocol = Line

    def __init__(self, factory: IProtocolFactory, lines: Lines) -> None:
        super().__init__(factory)
        self.lines = lines


class Lines:
    """All lines that lead through one place, to servers beyond ``beyond``.

    ``endpoint`` goes to a client as its argument of that name.
    """

    def __init__(
        self, clock: IReactorTime, beyond: Endpoint, meddler: Meddler | None = None
    ) -> None:
        self.clock = clock
        self.meddler = meddler or Faithful()
        self._lines: dict[Line, None] = {}
        self._beyond = beyond
        self._held = False
        self._stalled: IDelayedCall | None = None

    @property
    def lines(self) -> list[Line]:
        """The lines that have not ended, the oldest first."""
        return list(self._lines)

    def endpoint(self, host: str, port: int) -> IStreamClientEndpoint:
        """Give the way to a server through here."""
        return _Through(self, self._beyond(host, port))

    def cut(self) -> None:
        """Break all connections; clients may come back at once."""
        for line in self.lines:
            line.cut()

    def hold(self) -> None:
        """Let nothing through, and tell nobody; who connects now waits too."""
        self._held = True
        for line in self.lines:
            line.hold()

    def release(self) -> None:
        """Let through all that was held."""
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        self._held = False
        for line in self.lines:
            line.release()

    def stall(self, seconds: float) -> None:
        """Hold everything for some seconds, unless that is so already."""
        if not self._held:
            self.hold()
            self._stalled = self.clock.callLater(seconds, self._stall_over)

    def _stall_over(self) -> None:
        self._stalled = None
        self.release()

    def joined(self, line: Line) -> None:
        """Note a new line."""
        self._lines[line] = None
        if self._held:
            line.hold()

    def parted(self, line: Line) -> None:
        """Forget a line that has ended."""
        self._lines.pop(line, None)


@implementer(IStreamClientEndpoint)
class _Through:
    def __init__(self, lines: Lines, endpoint: IStreamClientEndpoint) -> None:
        self._lines = lines
        self._endpoint = endpoint

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        connecting: Deferred[Any] = self._endpoint.connect(_Factory(protocolFactory, self._lines))
        return connecting.addCallback(lambda line: line.wrappedProtocol)
