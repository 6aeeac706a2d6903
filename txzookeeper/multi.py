"""Requests and replies that consist of parts, each with its own header.

Those are transactions (``MULTI_OP``) and several reads at once (``MULTI_READ_OP``).

Source: ``MultiOperationRecord.java`` and ``MultiResponse.java`` of ZooKeeper 3.8.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from struct import Struct
from typing import Any, Final

from txzookeeper import constants as c
from txzookeeper.errors import NonsensePacketError, TruncatedPacketError
from txzookeeper.jute import encode, reader_from
from txzookeeper.operations import REPLIES, REQUESTS
from txzookeeper.records import ErrorResponse, MultiHeader, Record

MULTI_READS: Final = frozenset({c.GET_DATA_OP, c.GET_CHILDREN_OP})
"""What can be part of a multiple read, and not of a transaction."""

_OTHERS: Final = (c.DELETE_OP, c.SET_DATA_OP, c.CHECK_OP)
_RESULTS: Final = (c.CREATE_OP, c.CREATE2_OP, *_OTHERS, *MULTI_READS, c.ERROR_OP)
_HEADER: Final = Struct(">i?i")
_END: Final = encode(MultiHeader(-1, True, -1))


class _Readers(dict[int, Any]):
    """What reads each kind of part; made when it is asked for first, as it takes a while."""

    def __init__(self, kinds: Mapping[int, type[Record]]) -> None:
        super().__init__()
        self._kinds = kinds

    def __missing__(self, operation: int) -> Any:
        if operation not in self._kinds:
            raise NonsensePacketError(message=f"There is a part of the kind {operation}.")
        self[operation] = reader_from(self._kinds[operation])
        return self[operation]


_REQUEST_READERS: Final = _Readers(
    {op: REQUESTS[op] for op in (*c.CREATIONS, *_OTHERS, *MULTI_READS)}
)
_RESULT_READERS: Final = _Readers({op: REPLIES[op] for op in _RESULTS})

Part = tuple[int, Record]
"""One part of a request or of its reply: the operation and its request or result."""


def encode_multi(parts: Iterable[Part]) -> bytes:
    """Give the bytes of a request from (operation, request) pairs."""
    return joined([encode_part(*part) for part in parts])


def encode_part(operation: int, request: Record) -> bytes:
    """Give the bytes of one part of a request."""
    return _HEADER.pack(operation, False, -1) + encode(request)


def joined(parts: Iterable[bytes]) -> bytes:
    """Give the bytes of a request or of a reply that consists of these parts."""
    return b"".join([*parts, _END])


def encode_multi_response(parts: Iterable[Part]) -> bytes:
    """Give the bytes of a reply from (operation, result) pairs.

    The result of a read that failed, and of any part of a failed transaction, is ``(ERROR_OP,
    ErrorResponse(code))``.
    """
    return joined([_HEADER.pack(op, False, _error(part)) + encode(part) for op, part in parts])


def _error(result: Record) -> int:
    return result.err if isinstance(result, ErrorResponse) else 0


def decode_multi(data: bytes, offset: int = 0, end: int | None = None) -> list[Part]:
    """Read a request as (operation, request) pairs, either all of them reads or none.

    Raises ``PacketError``, also for a mixture.
    """
    parts = _decode_parts(_REQUEST_READERS, data, offset, end)
    if len({operation in MULTI_READS for operation, _ in parts}) > 1:
        raise NonsensePacketError(message="A transaction has reads in it.")
    return parts


def decode_multi_response(data: bytes, offset: int = 0, end: int | None = None) -> list[Part]:
    """Read a reply as (operation, result) pairs; raises ``PacketError``.

    Whatever created a container or a node with a time to live is answered as ``CREATE2_OP``.
    """
    return _decode_parts(_RESULT_READERS, data, offset, end)


def _decode_parts(readers: _Readers, data: bytes, at: int, end: int | None) -> list[Part]:
    end = len(data) if end is None else end
    parts: list[Part] = []
    while at + _HEADER.size <= end:
        operation, done, _ = _HEADER.unpack_from(data, at)
        if done:
            return parts
        part, at = readers[operation](data, at + _HEADER.size, end)
        parts.append((operation, part))
    raise TruncatedPacketError
