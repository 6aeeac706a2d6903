"""Several nodes read by one request, at one moment."""

from __future__ import annotations

from typing import Self

from txzookeeper import constants as c
from txzookeeper.batch import Batch
from txzookeeper.errors import ZooKeeperException, error_for
from txzookeeper.multi import Part
from txzookeeper.records import (
    ErrorResponse,
    GetChildrenRequest,
    GetChildrenResponse,
    GetDataRequest,
    GetDataResponse,
    Stat,
)

ReadResult = tuple[bytes, Stat] | list[str] | ZooKeeperException
"""What one read gives: get data and stat, get_children the names; or why it could not."""


class MultiRead(Batch[ReadResult]):
    """A builder of one ``multi_read``: one that fails leaves the others as they are.

    Its place in the results holds the exception then, with ``path`` and ``index``. Needs
    ZooKeeper 3.6 or later.
    """

    def get(self, path: str) -> Self:
        """Read a node's data and stat."""
        return self._add(c.GET_DATA_OP, path, GetDataRequest(self._full(path), False))

    def get_children(self, path: str) -> Self:
        """Read the names of a node's children."""
        return self._add(c.GET_CHILDREN_OP, path, GetChildrenRequest(self._full(path), False))

    def _results(self, parts: list[Part]) -> list[ReadResult]:
        return [self._result(index, part) for index, (_, part) in enumerate(parts)]

    def _result(self, index: int, part: tuple[object, ...]) -> ReadResult:
        match part:
            case ErrorResponse(code):
                error = error_for(code, self._paths[index])
                error.index = index
                return error
            case GetChildrenResponse(names):
                return list(names)
            case GetDataResponse(data, stat):
                return data, stat
        raise TypeError(part)
