"""A request that is put together operation by operation, and sent once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar

from twisted.internet.defer import Deferred, fail

from txzookeeper.errors import BadArgumentsException, NonsensePacketError, ZooKeeperException
from txzookeeper.multi import Part, decode_multi_response, encode_part, joined
from txzookeeper.path import check_path, to_server

R = TypeVar("R")

Submit = Callable[[list[Part], bytes], Deferred[list[Part]]]
"""Sends the parts, whose bytes it is given too, and gives those of the reply."""


class Batch(ABC, Generic[R]):
    """A builder: add operations, then ``commit`` once, for a list of their results.

    A mistake in an argument is told by ``commit``; the exception has its ``path`` and ``index``.
    """

    def __init__(self, chroot: str, submit: Submit) -> None:
        self._chroot = chroot
        self._submit = submit
        self._parts: list[Part] = []
        self._encoded: list[bytes] = []
        self._paths: list[str] = []
        self._mistake: ZooKeeperException | None = None
        self._committed = False

    def __len__(self) -> int:
        """Count the operations."""
        return len(self._parts)

    def commit(self) -> Deferred[list[R]]:
        """Send it; the results are in the operations' order."""
        if self._committed:
            name = type(self).__name__
            self._mistake = BadArgumentsException(message=f"A {name} can be committed once.")
        self._committed = True
        if self._mistake is not None:
            return fail(self._mistake)
        return self._submit(self._parts, joined(self._encoded)).addCallback(self._results)

    @abstractmethod
    def _results(self, parts: list[Part]) -> list[R]:
        """Give what the parts of the reply come to."""

    def _full(self, path: str) -> str:
        return to_server(self._chroot, path)

    def _add(self, op: int, path: str, request: tuple[Any, ...], sequence: bool = False) -> Self:
        try:
            check_path(path, sequence)
            self._encoded.append(encode_part(op, request))
        except ZooKeeperException as error:
            self._mistaken(error, path)
        self._parts.append((op, request))
        self._paths.append(path)
        return self

    def _mistaken(self, error: ZooKeeperException, path: str) -> Self:
        if self._mistake is None:
            error.index, error.path = len(self._parts), path
            self._mistake = error
        return self


def read_results(count: int, data: bytes, offset: int, end: int) -> list[Part]:
    """Read the reply to a batch of ``count`` operations; raises ``PacketError``."""
    parts = decode_multi_response(data, offset, end)
    if len(parts) != count:
        message = f"The server gave {len(parts)} results for {count} operations."
        raise NonsensePacketError(message=message)
    return parts
