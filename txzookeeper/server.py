"""A single ZooKeeper server on Twisted: the wire protocol over a `txzookeeper.tree.Tree`.

Each connection is its own; whatever a client sends, the worst that happens is that it is closed.
A session outlives its connection: it ends by a close, or when the given clock says that it was
not heard of for its whole time-out.

Source: ``ZooKeeperServer.java`` and ``NIOServerCnxn.java`` of ZooKeeper 3.8.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final

from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory, connectionDone
from twisted.logger import Logger
from twisted.protocols.basic import Int32StringReceiver
from twisted.python.failure import Failure

from txzookeeper import constants as c
from txzookeeper.access import Identity, allows, authenticate
from txzookeeper.changes import Caller
from txzookeeper.errors import AuthFailedException, MarshallingErrorException, PacketError
from txzookeeper.jute import decode, decode_from, encode
from txzookeeper.multi import decode_multi, encode_multi_response
from txzookeeper.operations import REQUESTS
from txzookeeper.records import (
    AuthRequest,
    ConnectRequest,
    ConnectResponse,
    ReplyHeader,
    RequestHeader,
    WatcherEvent,
)
from txzookeeper.tree import Answer, Tree
from txzookeeper.watchtable import Fired

_UNIMPLEMENTED: Final = -6
_NO_PASSWORD: Final = bytes(16)


class Connection(Int32StringReceiver):
    """One client's connection: first the handshake, then requests, answered in their order."""

    MAX_LENGTH = c.MAX_PACKET
    log = Logger()
    transport: Any

    def __init__(self, server: ZooKeeperServer, address: str) -> None:
        self.session = 0
        self._closed = False
        self._server = server
        self._address = address
        self._identities: tuple[Identity, ...] = (Identity("ip", address),)

    def connectionMade(self) -> None:
        """Stop reading from a client for as long as it does not read our answers."""
        self.transport.registerProducer(self.transport, True)
        self._server.connected(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell the server; the session goes on without us."""
        self._server.disconnected(self)

    def lengthLimitExceeded(self, length: int) -> None:
        """Close: a packet of this length, or this negative length, is not accepted."""
        self._give_up("a packet claims {length} bytes", length=length)

    def stringReceived(self, string: bytes) -> None:
        """Take a packet."""
        try:
            if self._closed:
                return
            if self.session:
                self._requested(string)
            else:
                self._greeted(string)
        except PacketError as error:
            self._give_up("{reason}", reason=error)

    def tell(self, fired: Fired) -> None:
        """Send a watch's event, if the client may know; the watch is gone either way."""
        if fired.acls and not allows(fired.acls, c.PERM_READ, self._identities):
            return
        event = WatcherEvent(fired.type, c.CONNECTED_STATE, fired.path)
        self._reply(c.NOTIFICATION_XID, -1, 0, encode(event))

    def close(self) -> None:
        """Close once everything written has left."""
        self._closed = True
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def drop(self) -> None:
        """Close at once."""
        self._closed = True
        self.transport.abortConnection()

    def _greeted(self, packet: bytes) -> None:
        request = decode(ConnectRequest, packet)
        if request.last_zxid_seen > self._server.tree.zxid:
            self._give_up("it has seen a transaction that has not happened here")
            return
        response = self._server.admit(self, request)
        greeting = encode(response)
        # A client of before 3.4 does not know about read-only servers, and neither asks nor reads.
        old = len(packet) < len(encode(request))
        self.sendString(greeting[:-1] if old else greeting)
        if not self.session:
            self.close()

    def _requested(self, packet: bytes) -> None:
        header, offset = decode_from(RequestHeader, packet)
        self._server.heard_of(self.session)
        match header.type:
            case c.PING_OP:
                self._reply(header.xid, self._server.tree.zxid)
            case c.CLOSE_OP:
                answer = self._server.end(self.session)
                self._reply(header.xid, answer.zxid)
                self.close()
            case c.AUTH_OP:
                self._authenticate(header, decode(AuthRequest, packet, offset))
            case operation if operation in REQUESTS or operation == c.MULTI_OP:
                self._perform(header, packet, offset)
            case _:
                self._reply(header.xid, 0, _UNIMPLEMENTED)
                self.close()

    def _authenticate(self, header: RequestHeader, request: AuthRequest) -> None:
        zxid = self._server.tree.zxid
        try:
            identity = authenticate(request.scheme, request.auth, self._address)
        except AuthFailedException as error:
            self._reply(header.xid, zxid, error.code or 0)
            self.close()
            return
        self._identities = tuple(dict.fromkeys((*self._identities, identity)))
        self._reply(header.xid, zxid)

    def _perform(self, header: RequestHeader, packet: bytes, offset: int) -> None:
        try:
            request = _read_request(header.type, packet, offset)
        except PacketError:
            code = MarshallingErrorException.code or 0
            self._reply(header.xid, self._server.tree.zxid, code)
            return
        caller = Caller(self.session, self._identities)
        answer = self._server.perform(header.type, request, caller)
        body = b"" if answer.error else _write_body(header.type, answer.body)
        self._reply(header.xid, answer.zxid, answer.error, body)

    def _reply(self, xid: int, zxid: int, error: int = 0, body: bytes = b"") -> None:
        self.sendString(encode(ReplyHeader(xid, zxid, error)) + body)

    def _give_up(self, why: str, **fields: Any) -> None:
        self.log.info("Closing a client's connection: " + why, **fields)
        self.drop()


class ZooKeeperServer(Factory):
    """A server in memory: give it to any listening endpoint.

    Sessions last 2 to 20 ticks (ms), and are looked over once a tick. ``secret`` is what the
    sessions' passwords are made from: whoever knows it can take over any session.
    """

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        tree: Tree | None = None,
        *,
        tick: int = 2000,
        secret: bytes = b"",
    ) -> None:
        self.tree = tree or Tree()
        self._clock = clock
        self._tick = tick
        self._secret = secret
        self._connections: set[Connection] = set()
        self._by_session: dict[int, Connection] = {}
        self._rounds: IDelayedCall | None = None

    def startFactory(self) -> None:
        """Begin to look over the sessions."""
        self._rounds = self._clock.callLater(self._tick / 1000, self._look_over)

    def stopFactory(self) -> None:
        """Stop looking over the sessions, and close the connections."""
        if self._rounds is not None:
            self._rounds.cancel()
            self._rounds = None
        self.drop_connections()

    def buildProtocol(self, addr: IAddress | None) -> Connection:
        """Give a new connection its protocol."""
        return Connection(self, getattr(addr, "host", "127.0.0.1"))

    def drop_connections(self) -> None:
        """Close all connections at once; their sessions go on."""
        for connection in list(self._connections):
            connection.drop()

    def expire(self, session: int) -> None:
        """End a session as if it had not been heard of for too long."""
        connection = self._by_session.get(session)
        self.end(session)
        if connection is not None:
            connection.drop()

    def connected(self, connection: Connection) -> None:
        """Note a new connection."""
        self._connections.add(connection)

    def disconnected(self, connection: Connection) -> None:
        """Forget a connection, and its session's watches unless another one has taken over."""
        self._connections.discard(connection)
        if self._by_session.get(connection.session) is connection:
            del self._by_session[connection.session]
            self.tree.forget_watches(connection.session)

    def admit(self, connection: Connection, request: ConnectRequest) -> ConnectResponse:
        """Open a session, or hand over an old one; refuse one that is over or not the client's."""
        timeout = min(max(request.timeout, 2 * self._tick), 20 * self._tick)
        session, now = request.session_id, self._now()
        if not session:
            session, _ = self.tree.open_session(timeout, now)
        elif session not in self.tree.sessions or not self._proves(request):
            return ConnectResponse(0, 0, 0, _NO_PASSWORD)
        self._detach(session)
        self.tree.touch(session, now, timeout)
        connection.session = session
        self._by_session[session] = connection
        return ConnectResponse(0, timeout, session, self._password(session))

    def heard_of(self, session: int) -> None:
        """Put off a session's end."""
        self.tree.touch(session, self._now())

    def end(self, session: int) -> Answer:
        """Close a session; its connection is the caller's affair."""
        answer = self.tree.close_session(session, self._now())
        self._tell(answer.events)
        self._by_session.pop(session, None)
        return answer

    def perform(self, operation: int, request: Any, caller: Caller) -> Answer:
        """Carry out a request, and tell the watchers before anybody learns of the answer."""
        answer = self.tree.perform(operation, request, caller, self._now())
        self._tell(answer.events)
        return answer

    def _detach(self, session: int) -> None:
        """Part a session from the connection it has, if any; watches belong to a connection."""
        connection = self._by_session.pop(session, None)
        self.tree.forget_watches(session)
        if connection is not None:
            connection.drop()

    def _tell(self, events: Iterable[Fired]) -> None:
        for fired in events:
            connection = self._by_session.get(fired.session)
            if connection is not None:
                connection.tell(fired)

    def _look_over(self) -> None:
        for session in self.tree.overdue(self._now()):
            self.expire(session)
        self.startFactory()

    def _now(self) -> int:
        return int(self._clock.seconds() * 1000)

    def _proves(self, request: ConnectRequest) -> bool:
        return hmac.compare_digest(request.password, self._password(request.session_id))

    def _password(self, session: int) -> bytes:
        return hmac.digest(self._secret, session.to_bytes(8, "big", signed=True), sha256)[:16]


def _read_request(operation: int, packet: bytes, offset: int) -> Any:
    if operation == c.MULTI_OP:
        return decode_multi(packet, offset)
    return decode(REQUESTS[operation], packet, offset)


def _write_body(operation: int, body: Any) -> bytes:
    if operation == c.MULTI_OP:
        return encode_multi_response(body)
    return encode(body)
