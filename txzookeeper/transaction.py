"""Several changes that happen together or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from typing import Protocol as Interface

from twisted.internet.defer import Deferred, fail

from txzookeeper import constants as c
from txzookeeper.errors import (
    BadArgumentsException,
    NonsensePacketError,
    RuntimeInconsistencyException,
    ZooKeeperException,
    error_for,
)
from txzookeeper.jute import encode
from txzookeeper.multi import Part, decode_multi_response
from txzookeeper.path import check_path, is_sequence, to_client, to_server
from txzookeeper.permissions import entries
from txzookeeper.records import (
    ACL,
    CheckRequest,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    ErrorResponse,
    SetDataRequest,
    Stat,
    StatResponse,
)

Result = str | Stat | None
"""What one operation gives: create the path, set the stat, delete and check None."""


class Submit(Interface):
    """How a transaction is sent: the client's side of it."""

    def __call__(self, parts: list[Part]) -> Deferred[list[Part]]:
        """Send the parts, and give those of the reply."""


class Transaction:
    """A builder of one ``multi``: add operations, then ``commit`` once.

    If one of them fails, none happens, and ``commit`` fails with the exception of the one that
    did, which carries its ``path`` and ``index``.
    """

    def __init__(self, chroot: str, submit: Submit) -> None:
        self._chroot = chroot
        self._submit = submit
        self._parts: list[Part] = []
        self._paths: list[str] = []
        self._mistake: ZooKeeperException | None = None
        self._committed = False

    def __len__(self) -> int:
        """Count the operations."""
        return len(self._parts)

    def create(
        self, path: str, data: bytes = b"", acls: Iterable[ACL] | None = None, flags: int = 0
    ) -> Transaction:
        """Make a node; the result is its path."""
        request = CreateRequest(self._full(path), data, entries(acls), flags)
        return self._add(c.CREATE_OP, path, request, is_sequence(flags))

    def delete(self, path: str, version: int = c.ANY_VERSION) -> Transaction:
        """Delete a node at this version."""
        return self._add(c.DELETE_OP, path, DeleteRequest(self._full(path), version))

    def set(self, path: str, data: bytes = b"", version: int = c.ANY_VERSION) -> Transaction:
        """Replace a node's data at this version; the result is its stat."""
        return self._add(c.SET_DATA_OP, path, SetDataRequest(self._full(path), data, version))

    def check(self, path: str, version: int) -> Transaction:
        """Require that a node exists, at this version (-1: at any)."""
        return self._add(c.CHECK_OP, path, CheckRequest(self._full(path), version))

    def commit(self) -> Deferred[list[Result]]:
        """Do it all; the results are in the operations' order."""
        if self._committed:
            self._mistake = BadArgumentsException(message="A transaction can be committed once.")
        self._committed = True
        if self._mistake is not None:
            return fail(self._mistake)
        return self._submit(self._parts).addCallback(self._results)

    def _full(self, path: str) -> str:
        return to_server(self._chroot, path)

    def _add(
        self, op: int, path: str, request: tuple[Any, ...], sequence: bool = False
    ) -> Transaction:
        try:
            check_path(path, sequence)
            encode(request)
        except ZooKeeperException as error:
            if self._mistake is None:
                error.index, error.path = len(self._parts), path
                self._mistake = error
        self._parts.append((op, request))
        self._paths.append(path)
        return self

    def _results(self, parts: list[Part]) -> list[Result]:
        errors = [part.err for _, part in parts if isinstance(part, ErrorResponse)]
        if errors:
            raise self._culprit(errors)
        return [self._result(part) for _, part in parts]

    def _culprit(self, errors: list[int]) -> ZooKeeperException:
        index = next((i for i, code in enumerate(errors) if code not in _BYSTANDERS), 0)
        error = error_for(errors[index], self._paths[index])
        error.index = index
        return error

    def _result(self, part: tuple[Any, ...]) -> Result:
        if isinstance(part, CreateResponse):
            return to_client(self._chroot, part.path)
        return part.stat if isinstance(part, StatResponse) else None


# The server gives 0 to the operations before the culprit, and this to those after it.
_BYSTANDERS: Final = (0, RuntimeInconsistencyException.code)


def read_results(count: int, data: bytes, offset: int, end: int) -> list[Part]:
    """Read the reply to a transaction of ``count`` operations; raises ``PacketError``."""
    parts = decode_multi_response(data, offset, end)
    if len(parts) != count:
        message = f"The server gave {len(parts)} results for {count} operations."
        raise NonsensePacketError(message=message)
    return parts
