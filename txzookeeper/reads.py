"""The operations that read."""

from __future__ import annotations

from functools import partial
from typing import Final

from twisted.internet.defer import Deferred

from txzookeeper import constants as c
from txzookeeper.call import Read
from txzookeeper.jute import decode, reader
from txzookeeper.multiread import MultiRead
from txzookeeper.path import to_client
from txzookeeper.records import (
    ACL,
    ClientInfo,
    Empty,
    ExistsRequest,
    GetACLRequest,
    GetACLResponse,
    GetAllChildrenNumberRequest,
    GetAllChildrenNumberResponse,
    GetChildren2Request,
    GetChildren2Response,
    GetChildrenRequest,
    GetChildrenResponse,
    GetDataRequest,
    GetDataResponse,
    GetEphemeralsRequest,
    GetEphemeralsResponse,
    Stat,
    SyncRequest,
    SyncResponse,
    WhoAmIResponse,
)
from txzookeeper.requester import Requester, read_stat
from txzookeeper.watches import CHILD, DATA, Watch

CONFIG: Final = "/zookeeper/config"
"""Where an ensemble keeps its configuration, whatever the chroot."""

_read_data: Final[Read[tuple[bytes, Stat]]] = reader(GetDataResponse)


class Reads(Requester):
    """What a session can ask."""

    def exists(self, path: str) -> Deferred[Stat | None]:
        """Give a node's stat, or None if there is no such node."""
        request = ExistsRequest(self._full(path), False)
        return self._ask(c.EXISTS_OP, path, request, _read_optional_stat, optional=True)

    def get(self, path: str) -> Deferred[tuple[bytes, Stat]]:
        """Give a node's data and stat."""
        request = GetDataRequest(self._full(path), False)
        return self._ask(c.GET_DATA_OP, path, request, _read_data)

    def get_children(self, path: str) -> Deferred[list[str]]:
        """Give the names of a node's children, in no order."""
        request = GetChildrenRequest(self._full(path), False)
        return self._ask(c.GET_CHILDREN_OP, path, request, _read_children)

    def get_children2(self, path: str) -> Deferred[tuple[list[str], Stat]]:
        """Give the names of a node's children, in no order, and its stat."""
        request = GetChildren2Request(self._full(path), False)
        return self._ask(c.GET_CHILDREN2_OP, path, request, _read_children2)

    def exists_and_watch(self, path: str) -> tuple[Deferred[Stat | None], Watch]:
        """Give a node's stat or None, and a Deferred of its next creation, change or deletion."""
        return self._watch(c.EXISTS_OP, ExistsRequest, path, _read_optional_stat, DATA)

    def get_and_watch(self, path: str) -> tuple[Deferred[tuple[bytes, Stat]], Watch]:
        """Give a node's data and stat, and a Deferred of its next change or deletion.

        If there is no node no watch is armed: its Deferred never fires.
        """
        return self._watch(c.GET_DATA_OP, GetDataRequest, path, _read_data, DATA)

    def get_children_and_watch(self, path: str) -> tuple[Deferred[list[str]], Watch]:
        """Give the names of a node's children, and a Deferred of their next change.

        The node's deletion fires it too; if there is no node no watch is armed.
        """
        return self._watch(c.GET_CHILDREN_OP, GetChildrenRequest, path, _read_children, CHILD)

    def get_children2_and_watch(self, path: str) -> tuple[Deferred[tuple[list[str], Stat]], Watch]:
        """Do as ``get_children_and_watch`` does, and give the node's stat too."""
        return self._watch(c.GET_CHILDREN2_OP, GetChildren2Request, path, _read_children2, CHILD)

    def get_acl(self, path: str) -> Deferred[tuple[list[ACL], Stat]]:
        """Give a node's ACL and stat."""
        return self._ask(c.GET_ACL_OP, path, GetACLRequest(self._full(path)), _read_acl)

    def get_all_children_number(self, path: str) -> Deferred[int]:
        """Count the nodes below a node, at whatever depth (ZooKeeper 3.6 and later)."""
        request = GetAllChildrenNumberRequest(self._full(path))
        return self._ask(c.GET_ALL_CHILDREN_NUMBER_OP, path, request, _read_count)

    def get_ephemerals(self, prefix: str = "/") -> Deferred[list[str]]:
        """Give the paths of this session's ephemeral nodes that start with a prefix, in no order.

        With a chroot, only those below it (ZooKeeper 3.6 and later).
        """
        full = self._chroot + prefix
        read = partial(_read_paths, self._chroot)
        return self._ask(c.GET_EPHEMERALS_OP, prefix, GetEphemeralsRequest(full), read)

    def multi_read(self) -> MultiRead:
        """Begin a request that reads many nodes at once: add to it, then ``commit`` it."""
        return MultiRead(self._chroot, partial(self._multi, c.MULTI_READ_OP))

    def sync(self, path: str = "/") -> Deferred[str]:
        """Wait until the server has seen all that its leader had seen; gives the path."""
        request = SyncRequest(self._full(path))
        return self._ask(c.SYNC_OP, path, request, partial(_read_synced, self._chroot))

    def whoami(self) -> Deferred[list[ClientInfo]]:
        """Give the identities that the server knows this connection by (3.7 and later)."""
        return self._ask_server(c.WHO_AM_I_OP, Empty(), _read_identities)

    def get_config(self) -> Deferred[tuple[bytes, Stat]]:
        """Give the ensemble's configuration, one ``server.N=...`` a line, and its node's stat."""
        return self._ask_server(c.GET_DATA_OP, GetDataRequest(CONFIG, False), _read_data)

    def get_config_and_watch(self) -> tuple[Deferred[tuple[bytes, Stat]], Watch]:
        """Give the ensemble's configuration, and a Deferred of its next change."""
        return self._watch(c.GET_DATA_OP, GetDataRequest, CONFIG, _read_data, DATA, chroot="")


def _read_optional_stat(data: bytes, offset: int, end: int) -> Stat | None:
    return read_stat(data, offset, end)


def _read_children(data: bytes, offset: int, end: int) -> list[str]:
    return list(decode(GetChildrenResponse, data, offset, end).children)


def _read_children2(data: bytes, offset: int, end: int) -> tuple[list[str], Stat]:
    names, stat = decode(GetChildren2Response, data, offset, end)
    return list(names), stat


def _read_acl(data: bytes, offset: int, end: int) -> tuple[list[ACL], Stat]:
    acls, stat = decode(GetACLResponse, data, offset, end)
    return list(acls), stat


def _read_count(data: bytes, offset: int, end: int) -> int:
    return decode(GetAllChildrenNumberResponse, data, offset, end).total


def _read_paths(chroot: str, data: bytes, offset: int, end: int) -> list[str]:
    paths = decode(GetEphemeralsResponse, data, offset, end).paths
    return [to_client(chroot, path) for path in paths]


def _read_synced(chroot: str, data: bytes, offset: int, end: int) -> str:
    return to_client(chroot, decode(SyncResponse, data, offset, end).path or "")


def _read_identities(data: bytes, offset: int, end: int) -> list[ClientInfo]:
    return list(decode(WhoAmIResponse, data, offset, end).identities)
