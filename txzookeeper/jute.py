"""How fields become bytes and back: a record's annotations are its codec.

A record is a ``NamedTuple`` whose fields are ``Int32``, ``Int64``, ``bool``, ``str``, ``bytes``,
``str | None``, another record, or ``tuple[x, ...]`` of these. ``encode`` and ``decode`` work for
all of them. Neighbouring fields of fixed size share one prepared ``Struct``, and strings are cut
straight out of the received buffer, since every request of a program passes through here.

Fields that have a default may be missing at the end of a packet, as old servers leave out
``read_only``. Bytes after the last field are ignored, as newer servers may add fields. A null
string, buffer or vector (length -1) reads as an empty one, except for ``str | None``.

Source: jute's ``BinaryInputArchive`` and ``BinaryOutputArchive`` of ZooKeeper 3.8.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import groupby
from struct import Struct
from struct import error as StructError
from typing import Annotated, Any, Final, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from txzookeeper.errors import (
    MarshallingErrorException,
    NonsensePacketError,
    TruncatedPacketError,
)

Int32 = Annotated[int, "i"]
Int64 = Annotated[int, "q"]

R = TypeVar("R", bound=tuple[Any, ...])

Reader = Callable[[bytes, int, int, list[Any]], int]
"""(buffer, offset, end, values): appends the values read and gives the offset after them."""

Writer = Callable[[Any, list[bytes]], None]
"""(values, parts): appends the bytes of the values."""

_LENGTH: Final = Struct(">i")


class _Step(NamedTuple):
    """One or more neighbouring fields: how many, how to read and write them, least size."""

    fields: int
    read: Reader
    write: Writer
    least: int


class _Codec(NamedTuple):
    read: Callable[[bytes, int, int], tuple[Any, int]]
    write: Writer
    least: int


def encode(record: tuple[Any, ...]) -> bytes:
    """Give the bytes of a record.

    Raises ``MarshallingErrorException`` for a value that its field cannot hold.
    """
    parts: list[bytes] = []
    try:
        _codec(type(record)).write(record, parts)
        return b"".join(parts)
    except (StructError, TypeError, AttributeError, UnicodeEncodeError) as error:
        message = f"{type(record).__name__} cannot be written: {error}."
        raise MarshallingErrorException(message=message) from error


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


@cache
def _codec(kind: type[tuple[Any, ...]]) -> _Codec:
    steps = tuple(_steps(kind))
    make: Callable[[list[Any]], Any] = kind._make  # type: ignore[attr-defined]
    required, optional = _split(kind, steps)
    defaults = tuple(kind._field_defaults.values())  # type: ignore[attr-defined]

    def read(data: bytes, offset: int, end: int) -> tuple[Any, int]:
        values: list[Any] = []
        for step in required:
            offset = step(data, offset, end, values)
        for step in optional:
            if offset == end:
                values += defaults
                break
            offset = step(data, offset, end, values)
        return make(values), offset

    def write(record: Any, parts: list[bytes]) -> None:
        position = 0
        for count, _, put, _ in steps:
            put(record[position : position + count], parts)
            position += count

    return _Codec(read, write, sum(step.least for step in steps))


def _split(kind: Any, steps: tuple[_Step, ...]) -> tuple[list[Reader], list[Reader]]:
    position = 0
    required: list[Reader] = []
    optional: list[Reader] = []
    for step in steps:
        late = kind._fields[position] in kind._field_defaults
        (optional if late else required).append(step.read)
        position += step.fields
    return required, optional


def _steps(kind: Any) -> list[_Step]:
    hints = get_type_hints(kind, include_extras=True)
    keys = [(_format(hints[name]), name in kind._field_defaults, hints[name]) for name in hints]
    steps: list[_Step] = []
    for (fixed, _), group in groupby(keys, key=lambda key: (bool(key[0]), key[1])):
        fields = list(group)
        if fixed:
            steps.append(_fixed(Struct(">" + "".join(code for code, _, _ in fields)), len(fields)))
        else:
            steps.extend(_variable(hint) for _, _, hint in fields)
    return steps


def _format(hint: Any) -> str:
    if hint is bool:
        return "?"
    return str(get_args(hint)[1]) if get_origin(hint) is Annotated else ""


def _fixed(struct: Struct, count: int) -> _Step:
    size, unpack, pack = struct.size, struct.unpack_from, struct.pack

    def read(data: bytes, offset: int, end: int, values: list[Any]) -> int:
        after = offset + size
        if after > end:
            raise TruncatedPacketError
        values += unpack(data, offset)
        return after

    def write(fields: Any, parts: list[bytes]) -> None:
        parts.append(pack(*fields))

    return _Step(count, read, write, size)


def _variable(hint: Any) -> _Step:
    if hint is str:
        return _Step(1, _read_text, _write_text, 4)
    if hint == str | None:
        return _Step(1, _read_nullable, _write_nullable, 4)
    if hint is bytes:
        return _Step(1, _read_buffer, _write_buffer, 4)
    if get_origin(hint) is tuple:
        return _vector(get_args(hint)[0])
    return _nested(_codec(hint))


def _read_buffer(data: bytes, offset: int, end: int, values: list[Any]) -> int:
    start = offset + 4
    if start > end:
        raise TruncatedPacketError
    after = start + max(_length(data, offset), 0)
    if after > end:
        raise TruncatedPacketError
    values.append(data[start:after])
    return after


def _read_text(data: bytes, offset: int, end: int, values: list[Any]) -> int:
    after = _read_buffer(data, offset, end, values)
    try:
        values[-1] = values[-1].decode()
    except UnicodeDecodeError as error:
        raise NonsensePacketError(message=f"A string is not UTF-8: {error}.") from error
    return after


def _read_nullable(data: bytes, offset: int, end: int, values: list[Any]) -> int:
    after = _read_text(data, offset, end, values)
    if _length(data, offset) < 0:
        values[-1] = None
    return after


def _length(data: bytes, offset: int) -> int:
    (length,) = _LENGTH.unpack_from(data, offset)
    if length < -1:
        raise NonsensePacketError(message=f"A field has the negative length {length}.")
    return int(length)


def _write_buffer(fields: Any, parts: list[bytes]) -> None:
    (value,) = fields
    parts.append(_LENGTH.pack(len(value)))
    parts.append(value)


def _write_text(fields: Any, parts: list[bytes]) -> None:
    raw = fields[0].encode()
    parts.append(_LENGTH.pack(len(raw)))
    parts.append(raw)


def _write_nullable(fields: Any, parts: list[bytes]) -> None:
    if fields[0] is None:
        parts.append(_LENGTH.pack(-1))
    else:
        _write_text(fields, parts)


def _nested(codec: _Codec) -> _Step:
    def read(data: bytes, offset: int, end: int, values: list[Any]) -> int:
        value, after = codec.read(data, offset, end)
        values.append(value)
        return after

    def write(fields: Any, parts: list[bytes]) -> None:
        codec.write(fields[0], parts)

    return _Step(1, read, write, codec.least)


def _vector(hint: Any) -> _Step:
    fixed = _format(hint)
    item = _fixed(Struct(">" + fixed), 1) if fixed else _variable(hint)

    def read(data: bytes, offset: int, end: int, values: list[Any]) -> int:
        after = offset + 4
        if after > end:
            raise TruncatedPacketError
        count = _length(data, offset)
        if count * item.least > end - after:
            raise NonsensePacketError(message=f"A list claims {count} items, more than fit.")
        items: list[Any] = []
        for _ in range(count):
            after = item.read(data, after, end, items)
        values.append(tuple(items))
        return after

    def write(fields: Any, parts: list[bytes]) -> None:
        (items,) = fields
        parts.append(_LENGTH.pack(len(items)))
        for value in items:
            item.write((value,), parts)

    return _Step(1, read, write, item.least)
