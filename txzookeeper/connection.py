"""One client's connection, as the server has it.

First the handshake, then requests, answered in their order. Whatever a client sends, the worst
that happens is that its connection is closed.

Source: ``ZooKeeperServer.java`` and ``NIOServerCnxn.java`` of ZooKeeper 3.8.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols.basic import Int32StringReceiver
from twisted.python.failure import Failure

from txzookeeper import constants as c
from txzookeeper.access import Identity, allows, authenticate
from txzookeeper.changes import Caller
from txzookeeper.errors import AuthFailedException, PacketError
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
_MULTI: Final = (c.MULTI_OP, c.MULTI_READ_OP)


class Host(Protocol):
    """What a connection needs of the server that it belongs to."""

    tree: Tree

    def connected(self, connection: Connection) -> None:
        """Note a new connection."""

    def disconnected(self, connection: Connection) -> None:
        """Forget a connection."""

    def admit(self, connection: Connection, request: ConnectRequest) -> ConnectResponse:
        """Give the connection a session, or refuse it."""

    def heard_of(self, session: int) -> None:
        """Put off a session's end."""

    def end(self, session: int) -> Answer:
        """Close a session."""

    def perform(self, operation: int, request: Any, caller: Caller) -> Answer:
        """Carry out a request."""


class Connection(Int32StringReceiver):
    """A client's connection; ``session`` is 0 until it has one."""

    MAX_LENGTH = c.MAX_PACKET
    log = Logger()
    transport: Any

    def __init__(self, host: Host, address: str) -> None:
        self.session = 0
        self._closed = False
        self._host = host
        self._address = address
        self._identities: tuple[Identity, ...] = (Identity("ip", address),)

    def connectionMade(self) -> None:
        """Stop reading from a client for as long as it does not read our answers."""
        self.transport.registerProducer(self.transport, True)
        self._host.connected(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell the server; the session goes on without us."""
        self._host.disconnected(self)

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
        if request.last_zxid_seen > self._host.tree.zxid:
            self._give_up("it has seen a transaction that has not happened here")
            return
        response = self._host.admit(self, request)
        greeting = encode(response)
        # A client of before 3.4 does not know about read-only servers, and neither asks nor reads.
        old = len(packet) < len(encode(request))
        self.sendString(greeting[:-1] if old else greeting)
        if not self.session:
            self.close()

    def _requested(self, packet: bytes) -> None:
        header, offset = decode_from(RequestHeader, packet)
        self._host.heard_of(self.session)
        match header.type:
            case c.PING_OP:
                self._reply(c.PING_XID, self._host.tree.zxid)
            case c.CLOSE_OP:
                answer = self._host.end(self.session)
                self._reply(header.xid, answer.zxid)
                self.close()
            case c.AUTH_OP:
                self._authenticate(header, decode(AuthRequest, packet, offset))
            case operation if operation in REQUESTS or operation in _MULTI:
                self._perform(header, packet, offset)
            case _:
                self._reply(header.xid, 0, _UNIMPLEMENTED)
                self.close()

    def _authenticate(self, header: RequestHeader, request: AuthRequest) -> None:
        try:
            identity = authenticate(request.scheme, request.auth, self._address)
        except AuthFailedException as error:
            self._reply(header.xid, 0, error.code or 0)
            self.close()
            return
        self._identities = tuple(dict.fromkeys((*self._identities, identity)))
        self._reply(header.xid, 0)

    def _perform(self, header: RequestHeader, packet: bytes, offset: int) -> None:
        answer = self._answer(header.type, packet, offset)
        body = b"" if answer.body is None else _write_body(header.type, answer.body)
        self._reply(header.xid, answer.zxid, answer.error, body)

    def _answer(self, operation: int, packet: bytes, offset: int) -> Answer:
        try:
            request = _read_request(operation, packet, offset)
        except PacketError:
            return self._host.tree.refuse(operation)
        return self._host.perform(operation, request, Caller(self.session, self._identities))

    def _reply(self, xid: int, zxid: int, error: int = 0, body: bytes = b"") -> None:
        self.sendString(encode(ReplyHeader(xid, zxid, error)) + body)

    def _give_up(self, why: str, **fields: Any) -> None:
        self.log.info("Closing a client's connection: " + why, **fields)
        self.drop()


def _read_request(operation: int, packet: bytes, offset: int) -> Any:
    if operation in _MULTI:
        return decode_multi(packet, offset)
    return decode(REQUESTS[operation], packet, offset)


def _write_body(operation: int, body: Any) -> bytes:
    if operation in _MULTI:
        return encode_multi_response(body)
    return encode(body)
