"""Every packet of ZooKeeper 3.8's core, in both directions, as immutable values.

``txzookeeper.jute`` turns them into bytes and back by their annotations; only the transaction,
whose parts carry their own headers, is spelled out here. A packet on the wire is its length
(``Int32``), then on a connection's first exchange a ``ConnectRequest`` or ``ConnectResponse``,
afterwards a ``RequestHeader`` or ``ReplyHeader`` and the record that ``REQUESTS`` or ``REPLIES``
gives for the operation (nothing follows a ``ReplyHeader`` with an error).

Source: ``zookeeper.jute`` of ZooKeeper 3.8.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from txzookeeper import constants as c
from txzookeeper.errors import NonsensePacketError
from txzookeeper.jute import Int32, Int64, decode, decode_from, encode

__all__ = [
    "ACL",
    "REPLIES",
    "REQUESTS",
    "AuthRequest",
    "CheckRequest",
    "ConnectRequest",
    "ConnectResponse",
    "Create2Response",
    "CreateRequest",
    "CreateResponse",
    "DeleteRequest",
    "Empty",
    "ErrorResponse",
    "ExistsRequest",
    "GetACLRequest",
    "GetACLResponse",
    "GetChildren2Request",
    "GetChildren2Response",
    "GetChildrenRequest",
    "GetChildrenResponse",
    "GetDataRequest",
    "GetDataResponse",
    "MultiHeader",
    "ReplyHeader",
    "RequestHeader",
    "SetACLRequest",
    "SetDataRequest",
    "SetWatchesRequest",
    "Stat",
    "StatResponse",
    "SyncRequest",
    "SyncResponse",
    "WatcherEvent",
    "decode",
    "decode_from",
    "decode_multi",
    "decode_multi_response",
    "encode",
    "encode_multi",
    "encode_multi_response",
]


class Stat(NamedTuple):
    """What ZooKeeper knows of a node: transaction ids, times in ms since 1970, versions, sizes."""

    czxid: Int64
    mzxid: Int64
    ctime: Int64
    mtime: Int64
    version: Int32
    cversion: Int32
    aversion: Int32
    ephemeral_owner: Int64
    data_length: Int32
    num_children: Int32
    pzxid: Int64


class ACL(NamedTuple):
    """Permissions (a bit mask) for one identity of a scheme."""

    perms: Int32
    scheme: str
    id: str


class ConnectRequest(NamedTuple):
    """A client's first packet: a new session (id 0) or the one to resume; time-out in ms."""

    protocol_version: Int32
    last_zxid_seen: Int64
    timeout: Int32
    session_id: Int64
    password: bytes
    read_only: bool = False


class ConnectResponse(NamedTuple):
    """A server's first packet: the session, with time-out in ms; 0 says that it has expired."""

    protocol_version: Int32
    timeout: Int32
    session_id: Int64
    password: bytes
    read_only: bool = False


class RequestHeader(NamedTuple):
    """What precedes every request: its number and operation."""

    xid: Int32
    type: Int32


class ReplyHeader(NamedTuple):
    """What precedes every reply: the request's number, the last transaction, 0 or an error."""

    xid: Int32
    zxid: Int64
    err: Int32


class Empty(NamedTuple):
    """A body without fields: ping, close, and the replies of delete, check, auth, re-arming."""


class CreateRequest(NamedTuple):
    """Make a node."""

    path: str
    data: bytes
    acls: tuple[ACL, ...]
    flags: Int32


class CreateResponse(NamedTuple):
    """The path of the node made, with its sequence number."""

    path: str


class Create2Response(NamedTuple):
    """The path and stat of the node made."""

    path: str
    stat: Stat


class DeleteRequest(NamedTuple):
    """Delete a node at a version, or -1 for any."""

    path: str
    version: Int32


class ExistsRequest(NamedTuple):
    """Ask for a node's stat; a watch is armed even if there is no node."""

    path: str
    watch: bool


class GetDataRequest(NamedTuple):
    """Ask for a node's data and stat."""

    path: str
    watch: bool


class GetDataResponse(NamedTuple):
    """A node's data and stat."""

    data: bytes
    stat: Stat


class SetDataRequest(NamedTuple):
    """Replace a node's data at a version, or -1 for any."""

    path: str
    data: bytes
    version: Int32


class StatResponse(NamedTuple):
    """A node's stat: the reply of exists, set and set_acl."""

    stat: Stat


class GetChildrenRequest(NamedTuple):
    """Ask for the names of a node's children."""

    path: str
    watch: bool


class GetChildrenResponse(NamedTuple):
    """The names of a node's children, in no order."""

    children: tuple[str, ...]


class GetChildren2Request(NamedTuple):
    """Ask for the names of a node's children and the node's stat."""

    path: str
    watch: bool


class GetChildren2Response(NamedTuple):
    """The names of a node's children, and the node's stat."""

    children: tuple[str, ...]
    stat: Stat


class GetACLRequest(NamedTuple):
    """Ask for a node's ACL."""

    path: str


class GetACLResponse(NamedTuple):
    """A node's ACL and stat."""

    acls: tuple[ACL, ...]
    stat: Stat


class SetACLRequest(NamedTuple):
    """Replace a node's ACL at an ACL version (``Stat.aversion``), or -1 for any."""

    path: str
    acls: tuple[ACL, ...]
    version: Int32


class SyncRequest(NamedTuple):
    """Ask the server to catch up with its leader."""

    path: str


class SyncResponse(NamedTuple):
    """The path that was synchronised."""

    path: str


class AuthRequest(NamedTuple):
    """Add an identity to the session; ``type`` is always 0."""

    type: Int32
    scheme: str
    auth: bytes


class SetWatchesRequest(NamedTuple):
    """Re-arm one-shot watches; those whose node changed after the transaction fire at once."""

    relative_zxid: Int64
    data: tuple[str, ...]
    exist: tuple[str, ...]
    child: tuple[str, ...]


class CheckRequest(NamedTuple):
    """Require a node's version; only within a transaction."""

    path: str
    version: Int32


class WatcherEvent(NamedTuple):
    """A watch that fired; it follows a ``ReplyHeader`` with xid -1."""

    type: Int32
    state: Int32
    path: str


class MultiHeader(NamedTuple):
    """What precedes each part of a transaction; ``done`` marks the end."""

    type: Int32
    done: bool
    err: Int32


class ErrorResponse(NamedTuple):
    """The result of one part of a failed transaction; 0 for those before the culprit."""

    err: Int32


Record = tuple[Any, ...]
"""Any of the records above."""

REQUESTS: Final[dict[int, type[Record]]] = {
    c.CREATE_OP: CreateRequest,
    c.CREATE2_OP: CreateRequest,
    c.DELETE_OP: DeleteRequest,
    c.EXISTS_OP: ExistsRequest,
    c.GET_DATA_OP: GetDataRequest,
    c.SET_DATA_OP: SetDataRequest,
    c.GET_ACL_OP: GetACLRequest,
    c.SET_ACL_OP: SetACLRequest,
    c.GET_CHILDREN_OP: GetChildrenRequest,
    c.GET_CHILDREN2_OP: GetChildren2Request,
    c.SYNC_OP: SyncRequest,
    c.CHECK_OP: CheckRequest,
    c.PING_OP: Empty,
    c.AUTH_OP: AuthRequest,
    c.SET_WATCHES_OP: SetWatchesRequest,
    c.CLOSE_OP: Empty,
}
"""The request of each operation; ``MULTI_OP`` has ``decode_multi`` instead."""

REPLIES: Final[dict[int, type[Record]]] = {
    c.CREATE_OP: CreateResponse,
    c.CREATE2_OP: Create2Response,
    c.DELETE_OP: Empty,
    c.EXISTS_OP: StatResponse,
    c.GET_DATA_OP: GetDataResponse,
    c.SET_DATA_OP: StatResponse,
    c.GET_ACL_OP: GetACLResponse,
    c.SET_ACL_OP: StatResponse,
    c.GET_CHILDREN_OP: GetChildrenResponse,
    c.GET_CHILDREN2_OP: GetChildren2Response,
    c.SYNC_OP: SyncResponse,
    c.CHECK_OP: Empty,
    c.PING_OP: Empty,
    c.AUTH_OP: Empty,
    c.SET_WATCHES_OP: Empty,
    c.CLOSE_OP: Empty,
    c.ERROR_OP: ErrorResponse,
}
"""The reply of each operation; ``MULTI_OP`` has ``decode_multi_response`` instead."""

_MULTI_OPS: Final = frozenset({c.CREATE_OP, c.CREATE2_OP, c.DELETE_OP, c.SET_DATA_OP, c.CHECK_OP})
_END: Final = encode(MultiHeader(-1, True, -1))

Part = tuple[int, Record]
"""One part of a transaction: the operation and its request or result."""


def encode_multi(parts: Iterable[Part]) -> bytes:
    """Give the bytes of a transaction's request from (operation, request) pairs."""
    body = [encode(MultiHeader(op, False, -1)) + encode(record) for op, record in parts]
    return b"".join(body) + _END


def encode_multi_response(parts: Iterable[Part]) -> bytes:
    """Give the bytes of a transaction's reply from (operation, result) pairs.

    A result of a failed transaction is ``(ERROR_OP, ErrorResponse(code))``.
    """
    body = [encode(MultiHeader(op, False, _error(part))) + encode(part) for op, part in parts]
    return b"".join(body) + _END


def _error(result: Record) -> int:
    return result.err if isinstance(result, ErrorResponse) else 0


def decode_multi(data: bytes, offset: int = 0, end: int | None = None) -> list[Part]:
    """Read a transaction's request as (operation, request) pairs; raises ``PacketError``."""
    return _decode_parts({op: REQUESTS[op] for op in _MULTI_OPS}, data, offset, end)


def decode_multi_response(data: bytes, offset: int = 0, end: int | None = None) -> list[Part]:
    """Read a transaction's reply as (operation, result) pairs; raises ``PacketError``."""
    kinds = {op: REPLIES[op] for op in (*_MULTI_OPS, c.ERROR_OP)}
    return _decode_parts(kinds, data, offset, end)


def _decode_parts(
    kinds: dict[int, type[Record]], data: bytes, offset: int, end: int | None
) -> list[Part]:
    parts: list[Part] = []
    header, offset = decode_from(MultiHeader, data, offset, end)
    while not header.done:
        if header.type not in kinds:
            raise NonsensePacketError(message=f"A transaction has the part {header.type}.")
        part, offset = decode_from(kinds[header.type], data, offset, end)
        parts.append((header.type, part))
        header, offset = decode_from(MultiHeader, data, offset, end)
    return parts
