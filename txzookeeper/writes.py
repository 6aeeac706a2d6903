"""The operations that change something."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from twisted.internet.defer import Deferred, fail

from txzookeeper import constants as c
from txzookeeper.call import nothing
from txzookeeper.creation import created, creation, setting
from txzookeeper.errors import ZooKeeperException
from txzookeeper.jute import decode, reader
from txzookeeper.operations import REPLIES
from txzookeeper.path import is_sequence, to_client
from txzookeeper.permissions import entries
from txzookeeper.records import (
    ACL,
    Create2Response,
    DeleteRequest,
    GetDataResponse,
    ReconfigRequest,
    SetACLRequest,
    Stat,
)
from txzookeeper.requester import Requester, read_stat
from txzookeeper.transaction import Transaction

_read_config = reader(GetDataResponse)


class Writes(Requester):
    """What a session can change.

    An answer that was lost with its connection (``ConnectionLossException``) leaves open whether
    the change was made.
    """

    def create(
        self,
        path: str,
        data: bytes = b"",
        acls: Iterable[ACL] | None = None,
        flags: int = 0,
        *,
        ttl: int | None = None,
    ) -> Deferred[str]:
        """Make a node and give its path; ``flags`` adds up ``EPHEMERAL`` and ``SEQUENCE``.

        Or they are ``CONTAINER``: the server deletes the node some time after its last child. With
        ``ttl`` it does so when the node had no child and no change for so many ms, if it is set up
        for that (``extendedTypesEnabled``). ``acls`` None lets everybody do everything.
        """
        try:
            op, request = creation(self._full(path), data, acls, flags, ttl)
        except ZooKeeperException:
            return fail()
        read = partial(_read_path, op, self._chroot)
        return self._change(op, path, request, read, is_sequence(flags))

    def create2(
        self,
        path: str,
        data: bytes = b"",
        acls: Iterable[ACL] | None = None,
        flags: int = 0,
        *,
        ttl: int | None = None,
    ) -> Deferred[tuple[str, Stat]]:
        """Make a node as ``create`` does, and give its path and stat."""
        try:
            op, request = creation(self._full(path), data, acls, flags, ttl, stat=True)
        except ZooKeeperException:
            return fail()
        read = partial(_read_path_and_stat, self._chroot)
        return self._change(op, path, request, read, is_sequence(flags))

    def delete(self, path: str, version: int = c.ANY_VERSION) -> Deferred[None]:
        """Delete a node at this version (-1: at any)."""
        return self._change(c.DELETE_OP, path, DeleteRequest(self._full(path), version), nothing)

    def set(self, path: str, data: bytes = b"", version: int = c.ANY_VERSION) -> Deferred[Stat]:
        """Replace a node's data at this version (-1: at any), and give its new stat."""
        try:
            request = setting(self._full(path), data, version)
        except ZooKeeperException:
            return fail()
        return self._change(c.SET_DATA_OP, path, request, read_stat)

    def set_acl(
        self, path: str, acls: Iterable[ACL], version: int = c.ANY_VERSION
    ) -> Deferred[Stat]:
        """Replace a node's ACL at this ACL version (``Stat.aversion``), and give its new stat."""
        request = SetACLRequest(self._full(path), entries(acls), version)
        return self._change(c.SET_ACL_OP, path, request, read_stat)

    def transaction(self) -> Transaction:
        """Begin a transaction: add operations to it, then ``commit`` it."""
        return Transaction(self._chroot, partial(self._multi, c.MULTI_OP))

    def reconfig(
        self,
        joining: str | None = None,
        leaving: str | None = None,
        members: str | None = None,
        config_id: int = -1,
    ) -> Deferred[tuple[bytes, Stat]]:
        """Change who belongs to the ensemble, and give the new configuration with its stat.

        Either ``joining`` (``server.N=host:port:port;port,...``) and ``leaving`` (``N,...``), or
        all ``members``. ``config_id`` is the version in the configuration's last line, to be read
        as hexadecimal (-1: any). Servers refuse it unless they are set up for it.
        """
        request = ReconfigRequest(joining, leaving, members, config_id)
        return self._ask_server(c.RECONFIG_OP, request, _read_config)


def _read_path(op: int, chroot: str, data: bytes, offset: int, end: int) -> str:
    return created(chroot, decode(REPLIES[op], data, offset, end))  # type: ignore[arg-type]


def _read_path_and_stat(chroot: str, data: bytes, offset: int, end: int) -> tuple[str, Stat]:
    path, stat = decode(Create2Response, data, offset, end)
    return to_client(chroot, path), stat
