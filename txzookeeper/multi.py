"""Requests and replies that consist of parts, each with its own header: transactions.

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

_MULTI_OPS: Final = frozenset({c.CREATE_OP, c.CREATE2_OP, c.DELETE_OP, c.SET_DATA_OP, c.CHECK_OP})
_END: Final = encode(MultiHeader(-1, True, -1))

Part = tuple[int, Record]
"""One part of a transaction: the operation and its request or result."""


def encode_multi(parts: Iterable[Part]) -> bytes:
    """Give the bytes of a transaction's request from (operation, request) pairs."""
    body = [encode(MultiHeader(op, False, -1)) + encode(record) for op, record in parts]
    return b"".join(body) + _END


def encode_multi_response(parts: Iterable[Part]) -> bytes:
    """Give the bytes of a transaction's reply from (operation, result) pairs.

    A result of a failed transaction is ``(ERROR_OP, ErrorResponse(code))``.
    """
    body = [encode(MultiHeader(op, False, _error(part))) + encode(part) for op, part in parts]
    return b"".join(body) + _END


def _error(result: Record) -> int:
    return result.err if isinstance(result, ErrorResponse) else 0


def decode_multi(data: bytes, offset: int = 0, end: int | None = None) -> list[Part]:
    """Read a transaction's request as (operation, request) pairs; raises ``PacketError``."""
    return _decode_parts({op: REQUESTS[op] for op in _MULTI_OPS}, data, offset, end)


def decode_multi_response(data: bytes, offset: int = 0, end: int | None = None) -> list[Part]:
    """Read a transaction's reply as (operation, result) pairs; raises ``PacketError``."""
    kinds = {op: REPLIES[op] for op in (*_MULTI_OPS, c.ERROR_OP)}
    return _decode_parts(kinds, data, offset, end)


def _decode_parts(
    kinds: dict[int, type[Record]], data: bytes, offset: int, end: int | None
) -> list[Part]:
    parts: list[Part] = []
    header, offset = decode_from(MultiHeader, data, offset, end)
    while not header.done:
        if header.type not in kinds:
            raise NonsensePacketError(message=f"A transaction has the part {header.type}.")
        part, offset = decode_from(kinds[header.type], data, offset, end)
        parts.append((header.type, part))
        header, offset = decode_from(MultiHeader, data, offset, end)
    return parts
