"""Every packet of ZooKeeper 3.8's core, in both directions, as immutable values.

``txzookeeper.jute`` turns them into bytes and back by their annotations, ``txzookeeper.multi`` does
it for those that consist of parts. A packet on the wire is its length (``Int32``), then on a
connection's first exchange a ``ConnectRequest`` or ``ConnectResponse``, afterwards a
``RequestHeader`` or ``ReplyHeader`` and the record that ``txzookeeper.operations`` gives for the
operation (nothing follows a ``ReplyHeader`` with an error).

Source: ``zookeeper.jute`` of ZooKeeper 3.8.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from txzookeeper.jute import Given, Int32, Int64


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

    path: Given
    data: bytes | None
    acls: tuple[ACL, ...]
    flags: Int32


class CreateTTLRequest(NamedTuple):
    """Make a node that goes when it has had no children and no change for ``ttl`` ms."""

    path: Given
    data: bytes | None
    acls: tuple[ACL, ...]
    flags: Int32
    ttl: Int64


class CreateResponse(NamedTuple):
    """The path of the node made, with its sequence number."""

    path: str


class Create2Response(NamedTuple):
    """The path and stat of the node made."""

    path: str
    stat: Stat


class DeleteRequest(NamedTuple):
    """Delete a node at a version, or -1 for any."""

    path: Given
    version: Int32


class ExistsRequest(NamedTuple):
    """Ask for a node's stat; a watch is armed even if there is no node."""

    path: Given
    watch: bool


class GetDataRequest(NamedTuple):
    """Ask for a node's data and stat."""

    path: Given
    watch: bool


class GetDataResponse(NamedTuple):
    """A node's data and stat as a client takes them: for null it reads empty data."""

    data: bytes
    stat: Stat


class DataResponse(NamedTuple):
    """A node's data and stat as a server gives them, which tells null data from empty ones."""

    data: bytes | None
    stat: Stat


class SetDataRequest(NamedTuple):
    """Replace a node's data at a version, or -1 for any."""

    path: str
    data: bytes | None
    version: Int32


class StatResponse(NamedTuple):
    """A node's stat: the reply of exists, set and set_acl."""

    stat: Stat


class GetChildrenRequest(NamedTuple):
    """Ask for the names of a node's children."""

    path: Given
    watch: bool


class GetChildrenResponse(NamedTuple):
    """The names of a node's children, in no order."""

    children: tuple[str, ...]


class GetChildren2Request(NamedTuple):
    """Ask for the names of a node's children and the node's stat."""

    path: Given
    watch: bool


class GetChildren2Response(NamedTuple):
    """The names of a node's children, and the node's stat."""

    children: tuple[str, ...]
    stat: Stat


class GetAllChildrenNumberRequest(NamedTuple):
    """Ask how many nodes there are below a node, at whatever depth."""

    path: Given


class GetAllChildrenNumberResponse(NamedTuple):
    """How many nodes there are below a node."""

    total: Int32


class GetEphemeralsRequest(NamedTuple):
    """Ask for the session's ephemeral nodes whose path starts with a prefix."""

    prefix: str


class GetEphemeralsResponse(NamedTuple):
    """The paths of the session's ephemeral nodes, in no order."""

    paths: tuple[str, ...]


class GetACLRequest(NamedTuple):
    """Ask for a node's ACL."""

    path: Given


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

    path: str | None


class SyncResponse(NamedTuple):
    """The path that was synchronised, or null if that was asked for."""

    path: str | None


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


class SetWatches2Request(NamedTuple):
    """Re-arm watches of all kinds; the standing ones are not told what they missed."""

    relative_zxid: Int64
    data: tuple[str, ...]
    exist: tuple[str, ...]
    child: tuple[str, ...]
    persistent: tuple[str, ...]
    recursive: tuple[str, ...]


class AddWatchRequest(NamedTuple):
    """Arm a watch that stays; the mode is one of the ``PERSISTENT_*_WATCH`` constants."""

    path: str
    mode: Int32


class CheckWatchesRequest(NamedTuple):
    """Ask whether the connection has such a watch; the type is one of ``*_WATCHES``."""

    path: str
    type: Int32


class RemoveWatchesRequest(NamedTuple):
    """Take the connection's watches away; the type is one of ``*_WATCHES``."""

    path: str
    type: Int32


class ClientInfo(NamedTuple):
    """One identity of a connection."""

    scheme: str
    user: str


class WhoAmIResponse(NamedTuple):
    """The identities of the connection that asks."""

    identities: tuple[ClientInfo, ...]


class ReconfigRequest(NamedTuple):
    """Change the ensemble: by who joins and leaves, or wholly by its new members.

    Only at this configuration (``Stat.version`` of it as hexadecimal says the server), -1 for any.
    """

    joining: str | None
    leaving: str | None
    members: str | None
    config_id: Int64


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
