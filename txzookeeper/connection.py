"""One client's connection, as the server has it.

First the handshake, then requests, answered in their order. Whatever a client sends, the worst
that happens is that its connection is closed. What there is to say leaves at the end of the
reactor's turn, when all changes that it could tell of are safe. A client that does not read its
replies is not listened to meanwhile, so that only a few of them can wait.

Source: ``ZooKeeperServer.java`` and ``NIOServerCnxn.java`` of ZooKeeper 3.8.
"""

from __future__ import annotations

import math
from struct import Struct
from typing import Any, Final

from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from txzookeeper import constants as c
from txzookeeper.access import Identity, allows, authenticate
from txzookeeper.changes import Caller
from txzookeeper.errors import AuthFailedException, PacketError, TruncatedPacketError
from txzookeeper.host import Host
from txzookeeper.jute import decode, encode, reader
from txzookeeper.multi import decode_multi, encode_multi_response
from txzookeeper.operations import REQUESTS
from txzookeeper.outflow import Outflow
from txzookeeper.records import AuthRequest, ConnectRequest, WatcherEvent
from txzookeeper.tally import Tally
from txzookeeper.watchtable import Fired

_UNIMPLEMENTED: Final = -6
_LENGTH: Final = Struct(">i")
_REQUEST: Final = Struct(">ii")
_REPLY: Final = Struct(">iiqi")
_REPLY_HEADER: Final = 16
_MULTI: Final = (c.MULTI_OP, c.MULTI_READ_OP)
_WRITERS: Final[dict[int, Any]] = dict.fromkeys(_MULTI, encode_multi_response)


class _Readers(dict[int, Any]):
    """What reads each operation's request; made when it is asked for first, as it takes a while."""

    def __missing__(self, operation: int) -> Any:
        self[operation] = decode_multi if operation in _MULTI else reader(REQUESTS[operation])
        return self[operation]


_READERS: Final = _Readers()
_OPERATIONS: Final = frozenset({*REQUESTS, *_MULTI} - {c.PING_OP, c.CLOSE_OP, c.AUTH_OP})


class Connection(Protocol):
    """A client's connection; ``session`` is 0 until it has one, ``since`` is when it began.

    ``waits_since`` is when it began to wait for a session, or for its end (ms on the server's
    monotonic clock); it is infinite while it has a session.
    """

    log = Logger()
    transport: Any

    def __init__(self, host: Host, address: str) -> None:
        self.session = 0
        self.address = address
        self.since = host.elapsed()
        self.waits_since: float = self.since
        self.tally = Tally()
        self.last_request = (0, 0)
        self.last_zxid = 0
        self._host = host
        self._identities: tuple[Identity, ...] = (Identity("ip", address),)
        self._caller = Caller(0)
        self._out = Outflow(self._speak)
        self._unread = b""
        self._asked = 0
        self._speaking = False
        self._paused = False
        self._closed = False
        self._leaving = False

    def connectionMade(self) -> None:
        """Begin."""
        self._out.open(self.transport)
        self._host.connected(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell the server; the session goes on without us."""
        self._end()
        self._host.disconnected(self)

    def dataReceived(self, data: bytes) -> None:
        """Take what has come, as far as it makes whole packets."""
        if not self._closed:
            self._unread = self._unread + data if self._unread else data
            self._speak()
            self._read()

    def tell(self, fired: Fired) -> None:
        """Send a watch's event, if the client may know; the watch is gone either way."""
        if self._closed or not self._may_know(fired):
            return
        event = WatcherEvent(fired.type, c.CONNECTED_STATE, fired.path)
        self._reply(c.NOTIFICATION_XID, -1, 0, encode(event))
        self._speak()
        if self._out.overflows:
            self._give_up("it does not read its events")

    def flush(self, latency: float) -> None:
        """Say what there is to say, now that it is safe; ``latency`` is how long it took, in ms."""
        self._speaking = False
        for tally in (self.tally, self._host.tally):
            tally.answer(self._asked, latency)
        self._asked = 0
        if self._leaving:
            self._out.close()
        elif not self._closed:
            self._out.flush()
            self._resume()

    def close(self) -> None:
        """Close once everything has been said; the client has a while to read it."""
        self._closed = self._leaving = True
        self.waits_since = self._host.elapsed()

    def drop(self) -> None:
        """Close at once."""
        self._end()
        self.transport.abortConnection()

    def _end(self) -> None:
        self._closed, self._leaving = True, False
        self._unread = b""
        self._out.clear()

    def _speak(self) -> None:
        if not self._speaking:
            self._speaking = True
            self._host.spoken_to(self)

    def _resume(self) -> None:
        """Go on with what was left because of too many replies."""
        if self._paused and not self._out.is_full:
            self._paused = False
            self._speak()
            self.transport.resumeProducing()
            self._read()

    def _read(self) -> None:
        data, at = self._unread, 0
        last = len(data) - 4
        while at <= last and not (self._closed or self._out.is_full):
            [length] = _LENGTH.unpack_from(data, at)
            if not 0 <= length <= c.MAX_PACKET:
                self._mismeasured(data[at : at + 4], length)
                return
            end = at + 4 + length
            if end > last + 4:
                break
            self._take(data, at + 4, end)
            at = end
        self._unread = b"" if self._closed else data[at:]
        if self._out.is_full and not self._closed:
            self._paused = True
            self.transport.pauseProducing()

    def _take(self, data: bytes, at: int, end: int) -> None:
        self.tally.received += 1
        self._host.tally.received += 1
        try:
            (self._requested if self.session else self._greeted)(data, at, end)
        except PacketError as error:
            self._give_up("{reason}", reason=error)

    def _mismeasured(self, head: bytes, length: int) -> None:
        """Answer to a four-letter word, which only a new connection can say; or give up."""
        word = head.decode("latin-1")
        answer = None if self.session else self._host.say(word, self)
        if answer is None:
            self._give_up("a packet claims {length} bytes", length=length)
        else:
            self._out.put(answer.encode())
            self.close()

    def _greeted(self, data: bytes, at: int, end: int) -> None:
        request = decode(ConnectRequest, data, at, end)
        if request.last_zxid_seen > self._host.tree.zxid:
            self._give_up("it has seen a transaction that has not happened here")
            return
        response = self._host.admit(self, request)
        if response is None:
            self._give_up("no session can be opened while nothing can be written")
            return
        self._caller = Caller(self.session, self._identities)
        self.waits_since = math.inf
        greeting = encode(response)
        # A client of before 3.4 does not know about read-only servers, and neither asks nor reads.
        greeting = greeting[:-1] if end - at < len(encode(request)) else greeting
        self._put(_LENGTH.pack(len(greeting)) + greeting)
        if not self.session:
            self.close()

    def _requested(self, data: bytes, at: int, end: int) -> None:
        if end - at < _REQUEST.size:
            raise TruncatedPacketError
        xid, operation = self.last_request = _REQUEST.unpack_from(data, at)
        self._asked += 1
        self._host.heard_of(self.session)
        if operation in _OPERATIONS:
            self._perform(xid, operation, data, at + 8, end)
        elif operation == c.PING_OP:
            self._reply(c.PING_XID, self._host.tree.zxid)
        elif operation == c.CLOSE_OP:
            self._close(xid)
        elif operation == c.AUTH_OP:
            self._authenticate(xid, decode(AuthRequest, data, at + 8, end))
        else:
            self._refuse(xid, _UNIMPLEMENTED, -1)

    def _close(self, xid: int) -> None:
        answer = self._host.end(self.session)
        if answer is None:
            self._give_up("its session cannot be closed while nothing can be written")
            return
        self._reply(xid, answer.zxid)
        self.close()

    def _authenticate(self, xid: int, request: AuthRequest) -> None:
        try:
            identity = authenticate(request.scheme, request.auth, self.address)
        except AuthFailedException as error:
            self._refuse(xid, error.code or 0)
            return
        self._identities = tuple(dict.fromkeys((*self._identities, identity)))
        self._caller = Caller(self.session, self._identities)
        self._reply(xid, 0)

    def _refuse(self, xid: int, error: int, zxid: int = 0) -> None:
        self._reply(xid, zxid, error)
        self.close()

    def _perform(self, xid: int, operation: int, data: bytes, at: int, end: int) -> None:
        try:
            request = _READERS[operation](data, at, end)
        except PacketError:
            answer = self._host.refuse(operation)
        else:
            answer = self._host.perform(operation, request, self._caller)
        body = b"" if answer.body is None else _WRITERS.get(operation, encode)(answer.body)
        self._reply(xid, answer.zxid, answer.error, body)

    def _may_know(self, fired: Fired) -> bool:
        return not fired.acls or allows(fired.acls, c.PERM_READ, self._identities)

    def _reply(self, xid: int, zxid: int, error: int = 0, body: bytes = b"") -> None:
        self.last_zxid = zxid
        self._put(_REPLY.pack(_REPLY_HEADER + len(body), xid, zxid, error) + body)

    def _put(self, packet: bytes) -> None:
        self._out.put(packet)
        self.tally.sent += 1
        self._host.tally.sent += 1

    def _give_up(self, why: str, **fields: Any) -> None:
        self.log.info("Closing a client's connection: " + why, **fields)
        self.drop()
