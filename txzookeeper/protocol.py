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
from txzookeeper.busypoll import BusyPoll
from txzookeeper.call import Call
from txzookeeper.errors import (
    ConnectionException,
    ConnectionLossException,
    NonsensePacketError,
    PacketError,
    TruncatedPacketError,
    ZooKeeperException,
    error_for,
)
from txzookeeper.fragments import Fragments, packet_length
from txzookeeper.jute import decode, encode, reader
from txzookeeper.outlet import Outlet, is_plain
from txzookeeper.records import (
    AuthRequest,
    ConnectRequest,
    ConnectResponse,
    ReplyHeader,
    SetWatches2Request,
    WatcherEvent,
)
from txzookeeper.statistics import Statistics
from txzookeeper.watches import Rearming

_LENGTH: Final = Struct(">i")
_REQUEST: Final = Struct(">iii")
_REPLY: Final = Struct(">iiqi")
_REPLY_HEADER: Final = 16
_PING: Final = _REQUEST.pack(8, c.PING_XID, c.PING_OP)
# Rounding may wake us too early, by less than the clock can wait for.
_A_MOMENT: Final = 0.001
_read_event: Final = reader(WatcherEvent)
_LAST_XID: Final = 0x7FFFFFFF


class ZookeeperProtocol(Protocol):
    """A connection, from the first packet to its end.

    ``established`` fires with the server's ``ConnectResponse`` (or fails), ``closed`` always
    fires, with the reason as an exception, when the transport is gone. ``confirmed_at`` is a
    moment at or after which the server has heard of the session, on the clock ``now``.
    """

    def __init__(
        self,
        clock: IReactorTime,
        now: Callable[[], float],
        hello: ConnectRequest,
        notify: Callable[[WatcherEvent], None],
        statistics: Statistics,
        max_packet: int = c.MAX_PACKET,
    ) -> None:
        self.established: Deferred[ConnectResponse] = Deferred()
        self.closed: Deferred[Exception] = Deferred()
        self.last_zxid = hello.last_zxid_seen
        self.confirmed_at = 0.0
        self._clock = clock
        self._now = now
        self._hello = hello
        self._notify = notify
        self._statistics = statistics
        self._max_packet = max_packet
        self._out = Outlet(clock, now, statistics)
        self._poll: BusyPoll | None = None
        self._take: Callable[[bytes, int, int], None] | None = self._take_hello
        self._in_flight: deque[Call[Any]] = deque()
        self._auths: list[Deferred[None]] = []
        self._pings: list[float] = []
        self._xid = 0
        self._watch_call: IDelayedCall | None = None
        self._received_at = 0.0
        self._fragments = Fragments()
        self._error: Exception | None = None
        self._over = False

    # The connection's beginning and end.

    def connectionMade(self) -> None:
        """Say hello."""
        self._out.open(self.transport)
        if is_plain(self.transport):
            self._poll = BusyPoll(cast(Any, self.transport).reactor, self._now)
        self._received_at = self.confirmed_at = self._now()
        body = encode(self._hello)
        self._out.put(_LENGTH.pack(len(body)), body)

    def keep_alive(self, ping_interval: float, read_timeout: float, life: float) -> None:
        """Ping at this interval, and give up after this much silence (all in seconds).

        Or when the session, which lasts for ``life`` after it was confirmed, may be over.
        """
        now = self._now()
        end = min(self._received_at + read_timeout, self.confirmed_at + life)
        if now >= end - _A_MOMENT:
            silent = f"The server was silent for {now - self._received_at:.1f} s"
            message = (
                f"{silent}, and has answered nothing of the last {now - self.confirmed_at:.1f}."
            )
            self.abort(ConnectionException(message=message))
            return
        self._out.put(_PING)
        self._pings.append(self._out.began_at)
        wait = min(ping_interval, end - now)
        again = (ping_interval, read_timeout, life)
        self._watch_call = self._clock.callLater(wait, self.keep_alive, *again)

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
        self._put_special(self._xid, c.CLOSE_OP, b"")
        self._out.flush()
        self._stop_watching()
        error = ConnectionException(message="The server did not answer to the closing.")
        self._watch_call = self._clock.callLater(timeout, self.abort, error)

    def leave(self, kind: type[ZooKeeperException], timeout: float) -> None:
        """End the connection but not the session: calls in flight fail in this way.

        What was said before has ``timeout`` seconds to leave.
        """
        self.fail(kind)
        self._out.flush()
        self._stop_watching()
        self._over = True
        error = ConnectionException(message="The server took nothing more.")
        self._watch_call = self._clock.callLater(timeout, self.abort, error)
        if self.transport is not None:
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Fail what is in flight and tell that the connection is gone."""
        self._over = True
        self._stop_watching()
        self._out.close()
        error = self._error or _hung_up(reason)
        if not self.established.called:
            self.established.errback(error)
        # First, so that a caller who tries again at once is not sent to this dead connection.
        self.closed.callback(error)
        self._statistics.lost += len(self._in_flight)
        self.fail(ConnectionLossException, str(error))

    def fail(self, kind: type[ZooKeeperException], reason: str | None = None) -> None:
        """Fail all calls in flight."""
        if self._poll is not None:
            self._poll.close()
        calls, auths = list(self._in_flight), list(self._auths)
        self._in_flight.clear()
        self._auths.clear()
        for call in calls:
            call.lost(kind, reason)
        for auth in auths:
            auth.errback(kind())

    def _stop_watching(self) -> None:
        if self._watch_call is not None and self._watch_call.active():
            self._watch_call.cancel()
        self._watch_call = None

    # Sending.

    def send(self, call: Call[Any]) -> None:
        """Send a request; its reply finds it by its place in the queue."""
        self._xid = call.xid = xid = self._xid % _LAST_XID + 1
        body = call.body
        self._out.put(_REQUEST.pack(len(body) + 8, xid, call.op), body)
        call.sent_at = self._out.began_at
        self._statistics.requests += 1
        if not self._in_flight and self._poll is not None:
            self._poll.sent(call)
        self._in_flight.append(call)

    def authenticate(self, request: AuthRequest) -> Deferred[None]:
        """Add an identity to the session; fails with ``AuthFailedException`` if it is refused."""
        accepted: Deferred[None] = Deferred()
        self._auths.append(accepted)
        self._put_special(c.AUTH_XID, c.AUTH_OP, encode(request))
        return accepted

    def set_watches(self, request: Rearming) -> None:
        """Arm watches again."""
        standing = isinstance(request, SetWatches2Request)
        op = c.SET_WATCHES2_OP if standing else c.SET_WATCHES_OP
        self._put_special(c.SET_WATCHES_XID, op, encode(request))

    def _put_special(self, xid: int, op: int, body: bytes) -> None:
        self._out.put(_REQUEST.pack(len(body) + 8, xid, op), body)

    # Receiving.

    def dataReceived(self, data: bytes) -> None:
        """Take all packets that are complete, then send what their receivers asked for."""
        if self._over:
            return
        self._received_at = self._now()
        self._statistics.bytes_received += len(data)
        whole = self._fragments.joined(data) if self._fragments.waiting else data
        if whole is None:
            return
        self._out.hold()
        try:
            self._take_all(whole)
        except PacketError as error:
            self.abort(error)
        finally:
            self._out.flush()

    def _take_all(self, data: bytes) -> None:
        offset, size = 0, len(data)
        while not self._over:
            if self._take is None:
                offset = self._take_replies(data, offset, size)
                # A receiver may have ended the connection meanwhile, or the session.
                if self._interrupted():
                    continue
            if size - offset < 4:
                needed = 4
                break
            needed = 4 + packet_length(data, offset, self._max_packet)
            end = offset + needed
            if end > size:
                break
            take = self._take or self._take_short
            take(data, offset + 4, end)
            offset = end
        else:
            return
        if offset < size:
            self._fragments.keep(data[offset:], needed - (size - offset))

    def _take_replies(self, data: bytes, offset: int, size: int) -> int:
        """Take the packets that are wholly there, as long as they are replies; say where it ended.

        This is where a busy client spends its time, so it is one loop.
        """
        in_flight, unpack, limit = self._in_flight, _REPLY.unpack_from, self._max_packet
        received_at, statistics, poll = self._received_at, self._statistics, self._poll
        while offset + 20 <= size and not self._interrupted():
            length, xid, zxid, code = unpack(data, offset)
            end = offset + 4 + length
            if end > size or not _REPLY_HEADER <= length <= limit:
                break
            if not in_flight or in_flight[0].xid != xid:
                self._take_other(xid, code, data, offset + 20, end)
            else:
                call = in_flight[0]
                result = None if code else call.read(data, offset + 20, end)
                in_flight.popleft()
                if zxid > 0:
                    self.last_zxid = zxid
                self.confirmed_at = call.sent_at
                latency = received_at - call.sent_at
                statistics.replies += 1
                statistics.latency += latency
                if latency > statistics.longest_latency:
                    statistics.longest_latency = latency
                if not in_flight and poll is not None:
                    poll.answered(call, latency)
                if code:
                    statistics.refusals += 1
                    call.refused(code)
                else:
                    call.answered(result)
            offset = end
        return offset

    def _interrupted(self) -> bool:
        return self._over or self._take is not None

    def _take_hello(self, data: bytes, offset: int, end: int) -> None:
        if end - offset == _REPLY_HEADER:
            # So a read-only server refuses a session of its own (NotReadOnlyException).
            error = decode(ReplyHeader, data, offset, end).err
            self.abort(error_for(error))
            return
        response = decode(ConnectResponse, data, offset, end)
        self._take = None
        self.established.callback(response)

    def _take_short(self, data: bytes, offset: int, end: int) -> None:
        raise TruncatedPacketError

    def _take_other(self, xid: int, code: int, data: bytes, body: int, end: int) -> None:
        if xid == c.NOTIFICATION_XID:
            self._statistics.events += 1
            self._notify(_read_event(data, body, end))
        elif xid == c.PING_XID:
            self.confirmed_at = self._pings.pop(0) if self._pings else self.confirmed_at
        elif xid == c.AUTH_XID and self._auths:
            self._take_auth(code)
        elif xid != c.SET_WATCHES_XID:
            raise NonsensePacketError(message=f"The server answered a call {xid} not made.")

    def _take_auth(self, code: int) -> None:
        accepted = self._auths.pop(0)
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
