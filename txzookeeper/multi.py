"""Requests and replies that consist of parts, each with its own header.

Those are transactions (``MULTI_OP``) and several reads at once (``MULTI_READ_OP``).

Source: ``MultiOperationRecord.java`` and ``MultiResponse.java`` of ZooKeeper 3.8.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from txzookeeper import constants as c
from txzookeeper.errors import NonsensePacketError
from txzookeeper.jute import decode_from, encode
from txzookeeper.operations import REPLIES, REQUESTS
from txzookeeper.records import ErrorResponse, MultiHeader, Record

MULTI_READS: Final = frozenset({c.GET_DATA_OP, c.GET_CHILDREN_OP})
"""What can be part of a multiple read, and not of a transaction."""

_CREATIONS: Final = (c.CREATE_OP, c.CREATE2_OP, c.CREATE_CONTAINER_OP, c.CREATE_TTL_OP)
_OTHERS: Final = (c.DELETE_OP, c.SET_DATA_OP, c.CHECK_OP)
_REQUESTS: Final = {op: REQUESTS[op] for op in (*_CREATIONS, *_OTHERS, *MULTI_READS)}
_RESULTS: Final = {
    op: REPLIES[op] for op in (c.CREATE_OP, c.CREATE2_OP, *_OTHERS, *MULTI_READS, c.ERROR_OP)
}
_END: Final = encode(MultiHeader(-1, True, -1))

Part = tuple[int, Record]
"""One part of a request or of its reply: the operation and its request or result."""


def encode_multi(parts: Iterable[Part]) -> bytes:
    """Give the bytes of a request from (operation, request) pairs."""
    body = [encode(MultiHeader(op, False, -1)) + encode(record) for op, record in parts]
    return b"".join(body) + _END


def encode_multi_response(parts: Iterable[Part]) -> bytes:
    """Give the bytes of a reply from (operation, result) pairs.

    The result of a read that failed, and of any part of a failed transaction, is ``(ERROR_OP,
    ErrorResponse(code))``.
    """
    body = [encode(MultiHeader(op, False, _error(part))) + encode(part) for op, part in parts]
    return b"".join(body) + _END


def _error(result: Record) -> int:
    return result.err if isinstance(result, ErrorResponse) else 0


def decode_multi(data: bytes, offset: int = 0, end: int | None = None) -> list[Part]:
    """Read a request as (operation, request) pairs, either all of them reads or none.

    Raises ``PacketError``, also for a mixture.
    """
    parts = _decode_parts(_REQUESTS, data, offset, end)
    if len({operation in MULTI_READS for operation, _ in parts}) > 1:
        raise NonsensePacketError(message="A transaction has reads in it.")
    return parts


def decode_multi_response(data: bytes, offset: int = 0, end: int | None = None) -> list[Part]:
    """Read a reply as (operation, result) pairs; raises ``PacketError``.

    Whatever created a container or a node with a time to live is answered as ``CREATE2_OP``.
    """
    return _decode_parts(_RESULTS, data, offset, end)


def _decode_parts(
    kinds: dict[int, type[Record]], data: bytes, offset: int, end: int | None
) -> list[Part]:
    parts: list[Part] = []
    header, offset = decode_from(MultiHeader, data, offset, end)
    while not header.done:
        if header.type not in kinds:
            raise NonsensePacketError(message=f"There is a part of the kind {header.type}.")
        part, offset = decode_from(kinds[header.type], data, offset, end)
        parts.append((header.type, part))
        header, offset = decode_from(MultiHeader, data, offset, end)
    return parts
