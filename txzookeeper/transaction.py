"""Several changes that happen together or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Self

from txzookeeper import constants as c
from txzookeeper.batch import Batch
from txzookeeper.creation import created, creation, setting
from txzookeeper.errors import (
    RuntimeInconsistencyException,
    ZooKeeperException,
    error_for,
)
from txzookeeper.multi import Part
from txzookeeper.path import is_sequence
from txzookeeper.records import (
    ACL,
    CheckRequest,
    Create2Response,
    CreateResponse,
    DeleteRequest,
    ErrorResponse,
    Stat,
    StatResponse,
)

Result = str | Stat | None
"""What one operation gives: create the path, set the stat, delete and check None."""


class Transaction(Batch[Result]):
    """A builder of one ``multi``: add operations, then ``commit`` once.

    If one of them fails, none happens, and ``commit`` fails with the exception of the one that
    did, which carries its ``path`` and ``index``.
    """

    def create(
        self,
        path: str,
        data: bytes = b"",
        acls: Iterable[ACL] | None = None,
        flags: int = 0,
        *,
        ttl: int | None = None,
    ) -> Self:
        """Make a node; the result is its path. Arguments as for the client's ``create``."""
        try:
            op, request = creation(self._full(path), data, acls, flags, ttl)
        except ZooKeeperException as error:
            return self._mistaken(error, path)
        return self._add(op, path, request, is_sequence(flags))

    def delete(self, path: str, version: int = c.ANY_VERSION) -> Self:
        """Delete a node at this version."""
        return self._add(c.DELETE_OP, path, DeleteRequest(self._full(path), version))

    def set(self, path: str, data: bytes = b"", version: int = c.ANY_VERSION) -> Self:
        """Replace a node's data at this version; the result is its stat."""
        try:
            request = setting(self._full(path), data, version)
        except ZooKeeperException as error:
            return self._mistaken(error, path)
        return self._add(c.SET_DATA_OP, path, request)

    def check(self, path: str, version: int) -> Self:
        """Require that a node exists, at this version (-1: at any)."""
        return self._add(c.CHECK_OP, path, CheckRequest(self._full(path), version))

    def _results(self, parts: list[Part]) -> list[Result]:
        errors = [part.err for _, part in parts if isinstance(part, ErrorResponse)]
        if errors:
            raise self._culprit(errors)
        return [self._result(part) for _, part in parts]

    def _culprit(self, errors: list[int]) -> ZooKeeperException:
        index = next((i for i, code in enumerate(errors) if code not in _BYSTANDERS), 0)
        error = error_for(errors[index], self._paths[index], self._parts[index][0])
        error.index = index
        return error

    def _result(self, part: tuple[Any, ...]) -> Result:
        if isinstance(part, CreateResponse | Create2Response):
            return created(self._chroot, part)
        return part.stat if isinstance(part, StatResponse) else None


# The server gives 0 to the operations before the culprit, and this to those after it.
_BYSTANDERS: Final = (0, RuntimeInconsistencyException.code)
