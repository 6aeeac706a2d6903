"""The client: ZooKeeper's operations as methods that return Deferreds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.logger import Logger

from txzookeeper import constants as c
from txzookeeper.call import Call, Observe, Read, nothing, reader
from txzookeeper.errors import NoNodeException, RequestTooLargeException, ZooKeeperException
from txzookeeper.jute import decode, encode
from txzookeeper.lifetime import Lifetime
from txzookeeper.multi import Part, encode_multi
from txzookeeper.path import check_path, is_sequence, to_client, to_server
from txzookeeper.permissions import entries
from txzookeeper.records import (
    ACL,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    ExistsRequest,
    GetACLRequest,
    GetACLResponse,
    GetChildrenRequest,
    GetChildrenResponse,
    GetDataRequest,
    GetDataResponse,
    SetACLRequest,
    SetDataRequest,
    Stat,
    SyncRequest,
    SyncResponse,
)
from txzookeeper.transaction import Transaction, read_results
from txzookeeper.watches import CHILD, DATA, EXIST, Watch

T = TypeVar("T")

_read_stat: Final[Read[Stat]] = reader(Stat)
_read_data: Final[Read[tuple[bytes, Stat]]] = reader(GetDataResponse)


class ZookeeperClient(Lifetime):
    """A session with an ensemble of ZooKeeper servers.

    All times are in ms. ``connect_timeout`` is how long one server may take to let us in,
    ``endpoint`` gives the way to a host and port (default: ``HostnameEndpoint`` on ``reactor``),
    ``random`` decides the order of the servers and the jitter of the back-off.

    Methods never raise: a call that cannot be made fails its Deferred. Calls made while the
    connection is away wait for it; those in flight when it breaks fail with
    ``ConnectionLossException``. Raises ``ValueError`` for a server list that makes no sense.
    """

    log = Logger()

    # Reading.

    def exists(self, path: str) -> Deferred[Stat | None]:
        """Give a node's stat, or None if there is no such node."""
        return self._read(c.EXISTS_OP, ExistsRequest, path, _read_stat, optional=True)

    def get(self, path: str) -> Deferred[tuple[bytes, Stat]]:
        """Give a node's data and stat."""
        return self._read(c.GET_DATA_OP, GetDataRequest, path, _read_data)

    def get_children(self, path: str) -> Deferred[list[str]]:
        """Give the names of a node's children, in no order."""
        return self._read(c.GET_CHILDREN_OP, GetChildrenRequest, path, _read_children)

    def exists_and_watch(self, path: str) -> tuple[Deferred[Stat | None], Watch]:
        """Give a node's stat or None, and a Deferred of its next creation, change or deletion."""
        return self._watch(c.EXISTS_OP, ExistsRequest, path, _read_stat, DATA)

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

    def get_acl(self, path: str) -> Deferred[tuple[list[ACL], Stat]]:
        """Give a node's ACL and stat."""
        try:
            check_path(path)
            request = GetACLRequest(self._full(path))
            return self._call(Call(c.GET_ACL_OP, path, encode(request), _read_acl))
        except ZooKeeperException:
            return fail()

    def sync(self, path: str = "/") -> Deferred[str]:
        """Wait until the server has seen all that its leader had seen; gives the path."""
        try:
            check_path(path)
            request = SyncRequest(self._full(path))
            return self._call(Call(c.SYNC_OP, path, encode(request), self._read_synced))
        except ZooKeeperException:
            return fail()

    # Writing.

    def create(
        self, path: str, data: bytes = b"", acls: Iterable[ACL] | None = None, flags: int = 0
    ) -> Deferred[str]:
        """Make a node and give its path; ``flags`` adds up ``EPHEMERAL`` and ``SEQUENCE``."""
        request = CreateRequest(self._full(path), data, entries(acls), flags)
        return self._write(c.CREATE_OP, path, request, self._read_created, is_sequence(flags))

    def delete(self, path: str, version: int = c.ANY_VERSION) -> Deferred[None]:
        """Delete a node at this version (-1: at any)."""
        return self._write(c.DELETE_OP, path, DeleteRequest(self._full(path), version), nothing)

    def set(self, path: str, data: bytes = b"", version: int = c.ANY_VERSION) -> Deferred[Stat]:
        """Replace a node's data at this version (-1: at any), and give its new stat."""
        request = SetDataRequest(self._full(path), data, version)
        return self._write(c.SET_DATA_OP, path, request, _read_stat)

    def set_acl(
        self, path: str, acls: Iterable[ACL], version: int = c.ANY_VERSION
    ) -> Deferred[Stat]:
        """Replace a node's ACL at this ACL version (``Stat.aversion``), and give its new stat."""
        request = SetACLRequest(self._full(path), entries(acls), version)
        return self._write(c.SET_ACL_OP, path, request, _read_stat)

    def transaction(self) -> Transaction:
        """Begin a transaction: add operations to it, then ``commit`` it."""
        return Transaction(self._chroot, self._commit)

    # How calls are made.

    def _read(
        self,
        op: int,
        kind: Callable[[str, bool], Any],
        path: str,
        read: Read[T],
        optional: bool = False,
    ) -> Deferred[T]:
        try:
            check_path(path)
            body = encode(kind(self._full(path), False))
            return self._call(Call(op, path, body, read, None, optional))
        except ZooKeeperException:
            return fail()

    def _watch(
        self, op: int, kind: Callable[[str, bool], Any], path: str, read: Read[T], watch_kind: int
    ) -> tuple[Deferred[T], Watch]:
        full = self._full(path)
        watches = self._channel.watches
        watch: Watch = Deferred(partial(watches.forget, full))

        def observe(code: int, _: object) -> None:
            if code == 0:
                watches.arm(watch_kind, full, watch)
            elif code == NoNodeException.code and op == c.EXISTS_OP:
                watches.arm(EXIST, full, watch)

        try:
            check_path(path)
            body = encode(kind(full, True))
            call = Call(op, path, body, read, observe, optional=op == c.EXISTS_OP)
            return self._call(call), watch
        except ZooKeeperException:
            return fail(), watch

    def _write(
        self, op: int, path: str, request: tuple[Any, ...], read: Read[T], sequence: bool = False
    ) -> Deferred[T]:
        try:
            check_path(path, sequence)
            body = encode(request)
            return self._call(Call(op, path, body, read, self._observer([(op, request)])))
        except ZooKeeperException:
            return fail()

    def _commit(self, parts: list[Part]) -> Deferred[list[Part]]:
        try:
            read = partial(read_results, len(parts))
            body = encode_multi(parts)
            return self._call(Call(c.MULTI_OP, None, body, read, self._observer(parts)))
        except ZooKeeperException:
            return fail()

    def _call(self, call: Call[T]) -> Deferred[T]:
        size = len(call.body) + 8
        if size > self._max_packet:
            message = f"The request has {size} bytes; the limit is {self._max_packet}."
            raise RequestTooLargeException(call.path, message)
        self._channel.submit(call)
        return call.deferred

    def _observer(self, parts: list[Part]) -> Observe | None:
        """Give who is to be told of the answer to these changes."""
        return None

    def _full(self, path: str) -> str:
        return to_server(self._chroot, path)

    def _read_created(self, data: bytes, offset: int, end: int) -> str:
        return to_client(self._chroot, decode(CreateResponse, data, offset, end).path)

    def _read_synced(self, data: bytes, offset: int, end: int) -> str:
        return to_client(self._chroot, decode(SyncResponse, data, offset, end).path)


def _read_children(data: bytes, offset: int, end: int) -> list[str]:
    return list(decode(GetChildrenResponse, data, offset, end).children)


def _read_acl(data: bytes, offset: int, end: int) -> tuple[list[ACL], Stat]:
    acls, stat = decode(GetACLResponse, data, offset, end)
    return list(acls), stat
