"""How fields become bytes and back: a record's annotations are its codec.

A record is a ``NamedTuple`` whose fields are ``Int32``, ``Int64``, ``bool``, ``str``, ``bytes``,
``str | None``, ``bytes | None``, another record, or ``tuple[x, ...]`` of these. For each kind of
record the functions that write and read it are compiled once, from straight lines of Python: every
request of a program passes through here. See ``txzookeeper.compiler`` for those lines.

Fields that have a default may be missing at the end of a packet, as old servers leave out
``read_only``. Bytes after the last field are ignored, as newer servers may add fields. A null
string, buffer or vector (length -1) reads as an empty one, except for the kinds with ``| None``,
and for ``Given``: that is a string which is nonsense if it is null.

Source: jute's ``BinaryInputArchive`` and ``BinaryOutputArchive`` of ZooKeeper 3.8.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from struct import error as StructError
from typing import Annotated, Any, NamedTuple, TypeVar, cast, get_origin, get_type_hints

from txzookeeper.compiler import compiled_reader, compiled_writer
from txzookeeper.errors import MarshallingErrorException

Int32 = Annotated[int, "i"]
Int64 = Annotated[int, "q"]
Given = Annotated[str, ""]
"""A string that cannot be null."""

R = TypeVar("R", bound=tuple[Any, ...])


class _Codec(NamedTuple):
    write: Callable[[Any], bytes]
    read: Callable[[bytes, int, int], tuple[Any, int]]


@cache
def _codec(kind: type[tuple[Any, ...]]) -> _Codec:
    return _Codec(compiled_writer(kind), compiled_reader(kind, with_offset=True))


def encode(record: tuple[Any, ...]) -> bytes:
    """Give the bytes of a record.

    Raises ``MarshallingErrorException`` for a value that its field cannot hold.
    """
    try:
        return _codec(type(record)).write(record)
    except (StructError, TypeError, ValueError, AttributeError) as error:
        message = f"{type(record).__name__} cannot be written: {_wrong_type(record) or error}."
        raise MarshallingErrorException(message=message) from error


def _wrong_type(record: tuple[Any, ...]) -> str | None:
    for (name, hint), value in zip(get_type_hints(type(record)).items(), record, strict=False):
        if get_origin(hint) is not tuple and not isinstance(value, hint):
            wanted = hint.__name__ if isinstance(hint, type) else hint
            return f"its {name} must be {wanted}, not {type(value).__name__}"
    return None


def decode(kind: type[R], data: bytes, offset: int = 0, end: int | None = None) -> R:
    """Read a record from ``data[offset:end]``, without copying that part first.

    Raises a ``PacketError`` for bytes that are no such record, and nothing else.
    """
    return decode_from(kind, data, offset, end)[0]


def decode_from(
    kind: type[R], data: bytes, offset: int = 0, end: int | None = None
) -> tuple[R, int]:
    """Read a record as ``decode`` does, and say at which offset it ended."""
    return _codec(kind).read(data, offset, len(data) if end is None else end)


def reader_from(kind: type[R]) -> Callable[[bytes, int, int], tuple[R, int]]:
    """Give the function that reads such a record as ``decode_from`` does."""
    return _codec(kind).read


@cache
def reader(kind: type[R]) -> Callable[[bytes, int, int], R]:
    """Give the function that reads such a record from (data, offset, end), as ``decode`` does."""
    return cast("Callable[[bytes, int, int], R]", compiled_reader(kind, with_offset=False))
