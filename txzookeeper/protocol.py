"""One connection to one server: framing, handshake, matching replies with calls, pings.

Requests made within one reactor turn leave in one write. Every packet is read where it lies in
the received buffer. Bytes that are no packet end the connection with a ``PacketError``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from struct import Struct
from typing import Any, Final, cast

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from txzookeeper import constants as c
from txzookeeper.call import Call
from txzookeeper.errors import (
    ConnectionException,
    ConnectionLossException,
    NonsensePacketError,
    OversizedPacketError,
    PacketError,
    TruncatedPacketError,
    ZooKeeperException,
    error_for,
)
from txzookeeper.jute import decode, encode
from txzookeeper.records import (
    AuthRequest,
    ConnectRequest,
    ConnectResponse,
    SetWatchesRequest,
    WatcherEvent,
)

_LENGTH: Final = Struct(">i")
_REQUEST: Final = Struct(">iii")
_REPLY: Final = Struct(">iqi")
_PING: Final = _REQUEST.pack(8, c.PING_XID, c.PING_OP)
# Rounding may wake us too early, by less than the clock can wait for.
_A_MOMENT: Final = 0.001
_LAST_XID: Final = 0x7FFFFFFF


class ZookeeperProtocol(Protocol):
    """A connection, from the first packet to its end.

    ``established`` fires with the server's ``ConnectResponse`` (or fails), ``closed`` always
    fires, with the reason as an exception, when the transport is gone.
    """

    def __init__(
        self,
        clock: IReactorTime,
        hello: ConnectRequest,
        notify: Callable[[WatcherEvent], None],
        max_packet: int = c.MAX_PACKET,
    ) -> None:
        self.established: Deferred[ConnectResponse] = Deferred()
        self.closed: Deferred[Exception] = Deferred()
        self.last_zxid = hello.last_zxid_seen
        self._clock = clock
        self._hello = hello
        self._notify = notify
        self._max_packet = max_packet
        self._take = self._take_hello
        self._in_flight: deque[Call[Any]] = deque()
        self._auths: deque[Deferred[None]] = deque()
        self._xid = 0
        self._out: list[bytes] = []
        self._flushing = False
        self._flush_call: IDelayedCall | None = None
        self._watch_call: IDelayedCall | None = None
        self._received_at = 0.0
        self._chunks: list[bytes] = []
        self._missing = 0
        self._error: Exception | None = None
        self._over = False

    # The connection's beginning and end.

    def connectionMade(self) -> None:
        """Say hello."""
        self._received_at = self._clock.seconds()
        body = encode(self._hello)
        self._write(_LENGTH.pack(len(body)) + body)

    def keep_alive(self, ping_interval: float, read_timeout: float) -> None:
        """Ping at this interval, and give up after this much silence (both in seconds)."""
        silence = self._clock.seconds() - self._received_at
        if silence >= read_timeout - _A_MOMENT:
            self.abort(ConnectionException(message=f"The server was silent for {silence:.1f} s."))
            return
        self._write(_PING)
        wait = min(ping_interval, read_timeout - silence)
        self._watch_call = self._clock.callLater(wait, self.keep_alive, ping_interval, read_timeout)

    def abort(self, error: Exception) -> None:
        """End the connection at once, for this reason."""
        self._over = True
        self._error = self._error or error
        if self.transport is not None:
            cast(ITCPTransport, self.transport).abortConnection()

    def close(self, kind: type[ZooKeeperException], timeout: float) -> None:
        """End the session: calls in flight fail in this way, and the server is told.

        It has ``timeout`` seconds to hang up.
        """
        self.fail(kind)
        self._take = self._take_farewell
        self._xid = self._xid % _LAST_XID + 1
        self._write_special(self._xid, c.CLOSE_OP, b"")
        self._flush()
        self._stop_watching()
        error = ConnectionException(message="The server did not answer to the closing.")
        self._watch_call = self._clock.callLater(timeout, self.abort, error)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Fail what is in flight and tell that the connection is gone."""
        self._over = True
        self._stop_watching()
        if self._flush_call is not None:
            self._flush_call.cancel()
            self._flush_call = None
        error = self._error or _hung_up(reason)
        if not self.established.called:
            self.established.errback(error)
        # First, so that a caller who tries again at once is not sent to this dead connection.
        self.closed.callback(error)
        self.fail(ConnectionLossException, str(error))

    def fail(self, kind: type[ZooKeeperException], reason: str | None = None) -> None:
        """Fail all calls in flight."""
        calls, self._in_flight = self._in_flight, deque()
        auths, self._auths = self._auths, deque()
        for call in calls:
            call.failed(kind, reason)
        for auth in auths:
            auth.errback(kind())

    def _stop_watching(self) -> None:
        if self._watch_call is not None and self._watch_call.active():
            self._watch_call.cancel()
        self._watch_call = None

    # Sending.

    def send(self, call: Call[Any]) -> None:
        """Send a request; its reply finds it by its place in the queue."""
        self._xid = xid = self._xid % _LAST_XID + 1
        call.xid = xid
        self._in_flight.append(call)
        self._write(_REQUEST.pack(len(call.body) + 8, xid, call.op) + call.body)

    def authenticate(self, request: AuthRequest) -> Deferred[None]:
        """Add an identity to the session; fails with ``AuthFailedException`` if it is refused."""
        accepted: Deferred[None] = Deferred()
        self._auths.append(accepted)
        self._write_special(c.AUTH_XID, c.AUTH_OP, encode(request))
        return accepted

    def set_watches(self, request: SetWatchesRequest) -> None:
        """Arm watches again."""
        self._write_special(c.SET_WATCHES_XID, c.SET_WATCHES_OP, encode(request))

    def _write_special(self, xid: int, op: int, body: bytes) -> None:
        self._write(_REQUEST.pack(len(body) + 8, xid, op) + body)

    def _write(self, packet: bytes) -> None:
        self._out.append(packet)
        if not self._flushing:
            self._flushing = True
            self._flush_call = self._clock.callLater(0, self._flush_later)

    def _flush_later(self) -> None:
        self._flush_call = None
        self._flush()

    def _flush(self) -> None:
        packets, self._out = self._out, []
        self._flushing = self._flush_call is not None
        if packets and not self._over and self.transport is not None:
            self.transport.write(b"".join(packets))

    # Receiving.

    def dataReceived(self, data: bytes) -> None:
        """Take all packets that are complete, then send what their receivers asked for."""
        if self._over:
            return
        self._received_at = self._clock.seconds()
        if self._chunks:
            self._chunks.append(data)
            self._missing -= len(data)
            if self._missing > 0:
                return
            data = b"".join(self._chunks)
            self._chunks = []
        self._flushing = True
        try:
            self._take_all(data)
        except PacketError as error:
            self.abort(error)
        finally:
            self._flush()

    def _take_all(self, data: bytes) -> None:
        offset, size = 0, len(data)
        while not self._over:
            if size - offset < 4:
                needed = 4
                break
            needed = 4 + self._packet_length(data, offset)
            end = offset + needed
            if end > size:
                break
            self._take(data, offset + 4, end)
            offset = end
        else:
            return
        if offset < size:
            self._chunks = [data[offset:]]
            self._missing = needed - (size - offset)

    def _packet_length(self, data: bytes, offset: int) -> int:
        length: int = _LENGTH.unpack_from(data, offset)[0]
        if length > self._max_packet:
            limit = self._max_packet
            message = f"The server sent a packet of {length} bytes; the limit is {limit}."
            raise OversizedPacketError(message=message)
        if length < 0:
            raise NonsensePacketError(message=f"The server sent a packet of {length} bytes.")
        return length

    def _take_hello(self, data: bytes, offset: int, end: int) -> None:
        response = decode(ConnectResponse, data, offset, end)
        self._take = self._take_reply
        self.established.callback(response)

    def _take_reply(self, data: bytes, offset: int, end: int) -> None:
        body = offset + 16
        if body > end:
            raise TruncatedPacketError
        xid, zxid, code = _REPLY.unpack_from(data, offset)
        if self._in_flight and self._in_flight[0].xid == xid:
            self._answer(zxid, code, data, body, end)
        elif xid == c.NOTIFICATION_XID:
            self._notify(decode(WatcherEvent, data, body, end))
        elif xid == c.AUTH_XID and self._auths:
            self._take_auth(code)
        elif xid not in (c.PING_XID, c.SET_WATCHES_XID):
            raise NonsensePacketError(message=f"The server answered a call {xid} not made.")

    def _answer(self, zxid: int, code: int, data: bytes, body: int, end: int) -> None:
        call = self._in_flight[0]
        result = None if code else call.read(data, body, end)
        self._in_flight.popleft()
        if zxid > 0:
            self.last_zxid = zxid
        if code:
            call.refused(code)
        else:
            call.answered(result)

    def _take_auth(self, code: int) -> None:
        accepted = self._auths.popleft()
        if code:
            accepted.errback(error_for(code))
        else:
            accepted.callback(None)

    def _take_farewell(self, data: bytes, offset: int, end: int) -> None:
        if end - offset >= 4 and _LENGTH.unpack_from(data, offset)[0] == self._xid:
            self._over = True
            if self.transport is not None:
                self.transport.loseConnection()


def _hung_up(reason: Failure) -> Exception:
    if reason.check(ConnectionDone):
        return ConnectionException(message="The server closed the connection.")
    return ConnectionException(message=f"The connection broke: {reason.getErrorMessage()}")
