"""The lines of Python that write and read a record, made from its annotations, and compiled.

Neighbouring fields of fixed size, and the length that precedes a field of variable size, share
one prepared ``Struct``; strings are cut straight out of the received buffer. What is read beyond
the end of a packet is noticed once, at the end of its reader: until then no more is taken for
granted than that slicing and unpacking do not run wild.

Source of the idea: how ``dataclasses`` and ``collections.namedtuple`` make their methods.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from struct import Struct
from struct import error as StructError
from typing import Any, Final, NoReturn, get_args, get_origin, get_type_hints

from txzookeeper.errors import NonsensePacketError, TruncatedPacketError

_SIZES: Final = {"i": 4, "q": 8, "?": 1}


def compiled_writer(kind: type[tuple[Any, ...]]) -> Callable[[Any], bytes]:
    """Give the function that turns such a record into bytes.

    It raises ``struct.error``, ``TypeError``, ``ValueError`` or ``AttributeError`` for a value
    that its field cannot hold.
    """
    return _Writer().compiled(kind)


def compiled_reader(kind: type[tuple[Any, ...]], with_offset: bool) -> Callable[..., Any]:
    """Give the function of (buffer, offset, end) that reads such a record there.

    It gives the record, ``with_offset`` a pair of it and the offset where it ends. Raises a
    ``PacketError`` for bytes that are no such record.
    """
    return _Reader().compiled(kind, with_offset)


def least_size(hint: Any) -> int:
    """Give how many bytes a field of this annotation takes at least."""
    if _format(hint):
        return _SIZES[_format(hint)]
    return sum(map(least_size, _fields(hint).values())) if _is_record(hint) else 4


def _fields(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _is_record(hint: Any) -> bool:
    return hasattr(hint, "_fields")


def _is_bytes(hint: Any) -> bool:
    return hint in (bytes, bytes | None)


def _cannot_be_null(hint: Any) -> bool:
    return bool(getattr(hint, "__metadata__", ()))


def _is_optional(hint: Any) -> bool:
    return hint in (str | None, bytes | None)


def _format(hint: Any) -> str:
    if hint is bool:
        return "?"
    metadata = getattr(hint, "__metadata__", None)
    return str(metadata[0]) if metadata else ""


class _Lines:
    """A function's lines in the making, and the names that they use."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.lines: list[str] = []
        self.depth = 1
        self._numbers = count()

    def new(self, prefix: str) -> str:
        """Give a variable's name that is used nowhere else."""
        return f"{prefix}{next(self._numbers)}"

    def constant(self, prefix: str, value: Any) -> str:
        """Give the name of a value that the lines use."""
        name = self.new(prefix)
        self.names[name] = value
        return name

    def add(self, line: str) -> None:
        """Add a line."""
        self.lines.append("    " * self.depth + line)

    def function(self, signature: str) -> Any:
        """Compile the lines."""
        exec("\n".join([f"def made({signature}):", *self.lines]), self.names)
        return self.names["made"]


class _Writer(_Lines):
    def compiled(self, kind: type[tuple[Any, ...]]) -> Callable[[Any], bytes]:
        self._parts: list[str] = []
        self._codes = ""
        self._values: list[str] = []
        self._record(kind, "record")
        self._settle()
        parts = self._parts
        result = parts[0] if len(parts) == 1 else f"b''.join(({', '.join(parts)},))"
        self.add(f"return {result}" if parts else "return b''")
        function: Callable[[Any], bytes] = self.function("record")
        return function

    def _record(self, kind: Any, source: str) -> None:
        fields = [(self.new("f"), hint) for hint in _fields(kind).values()]
        if fields:
            self.add(f"{', '.join(name for name, _ in fields)}, = {source}")
        for name, hint in fields:
            self._field(hint, name)

    def _field(self, hint: Any, name: str) -> None:
        if _format(hint):
            self._fixed(_format(hint), name)
        elif _is_record(hint):
            self._record(hint, name)
        elif get_origin(hint) is tuple:
            item = self.constant("w", _item_writer(get_args(hint)[0]))
            self._sized(f"len({name})", f"b''.join([{item}(one) for one in {name}])")
        else:
            self._run(hint, name)

    def _run(self, hint: Any, name: str) -> None:
        size = f"len({name})"
        if _is_optional(hint):
            size = f"n{name} or {size}"
            self.add(f"n{name} = -1 if {name} is None else 0")
            self.add(f"if {name} is None: {name} = {'b' * _is_bytes(hint)}''")
        if not _is_bytes(hint):
            self.add(f"{name} = {name}.encode()")
        self._sized(size, name)

    def _fixed(self, code: str, value: str) -> None:
        self._codes += code
        self._values.append(value)

    def _sized(self, length: str, content: str) -> None:
        self._fixed("i", length)
        self._settle()
        self._parts.append(content)

    def _settle(self) -> None:
        if self._codes:
            pack = self.constant("p", Struct(">" + self._codes).pack)
            self._parts.append(f"{pack}({', '.join(self._values)})")
            self._codes, self._values = "", []


def _item_writer(hint: Any) -> Callable[[Any], bytes]:
    if _is_record(hint):
        return compiled_writer(hint)
    if _format(hint):
        return Struct(">" + _format(hint)).pack
    return _write_text if hint is str else _write_buffer


_LENGTH: Final = Struct(">i").pack


def _write_text(text: str) -> bytes:
    raw = text.encode()
    return _LENGTH(len(raw)) + raw


def _write_buffer(data: bytes) -> bytes:
    return _LENGTH(len(data)) + data


class _Reader(_Lines):
    def compiled(self, kind: type[tuple[Any, ...]], with_offset: bool) -> Callable[..., Any]:
        self.names |= {
            "make": tuple.__new__,
            "negative": _negative,
            "null": _null,
            "too_many": _too_many,
            "not_text": _not_text,
            "Truncated": TruncatedPacketError,
            "StructError": StructError,
        }
        self._codes = ""
        self._targets: list[str] = []
        self.add("try:")
        self.depth = 2
        record = self._record(kind, getattr(kind, "_field_defaults", {}))
        self._settle()
        self.add("if at > end:")
        self.add("    raise Truncated")
        self.add(f"return {record}" + (", at" if with_offset else ""))
        self.depth = 1
        self.add("except StructError:")
        self.add("    raise Truncated from None")
        self.add("except UnicodeDecodeError as error:")
        self.add("    not_text(error)")
        function: Callable[..., Any] = self.function("buffer, at, end")
        return function

    def _record(self, kind: Any, defaults: dict[str, Any]) -> str:
        fields = [
            self._optional(hint, defaults[name]) if name in defaults else self._field(hint)
            for name, hint in _fields(kind).items()
        ]
        return f"make({self.constant('K', kind)}, ({''.join(f'{field}, ' for field in fields)}))"

    def _field(self, hint: Any) -> str:
        """Add the lines that read a field, and give the expression that is its value then."""
        if _format(hint):
            return self._fixed(_format(hint))
        if _is_record(hint):
            return self._record(hint, {})
        length = self._fixed("i")
        self._settle()
        return self._vector(hint, length) if get_origin(hint) is tuple else self._run(hint, length)

    def _fixed(self, code: str) -> str:
        name = self.new("v")
        self._codes += code
        self._targets.append(name)
        return name

    def _settle(self) -> None:
        if self._codes:
            struct = Struct(">" + self._codes)
            unpack = self.constant("u", struct.unpack_from)
            self.add(f"{', '.join(self._targets)}, = {unpack}(buffer, at)")
            self.add(f"at += {struct.size}")
            self._codes, self._targets = "", []

    def _run(self, hint: Any, length: str) -> str:
        value = self.new("b")
        cut = f"buffer[at:at + {length}]"
        self.add(f"if {length} > 0:")
        self.add(f"    {value} = {cut}" + ("" if _is_bytes(hint) else ".decode()"))
        self.add(f"    at += {length}")
        self.add("else:")
        self.add(f"    {value} = {'b' * _is_bytes(hint)}''")
        self.add(f"    if {length}:")
        self.add(f"        {'null' if _cannot_be_null(hint) else 'negative'}({length})")
        if _is_optional(hint):
            self.add(f"        {value} = None")
        return value

    def _vector(self, hint: Any, length: str) -> str:
        value = self.new("l")
        (item,) = get_args(hint)[:1]
        self.add(f"{value} = []")
        self.add(f"if {length} * {least_size(item)} > end - at:")
        self.add(f"    too_many({length})")
        self.add(f"if {length} < 0:")
        self.add(f"    negative({length})")
        self.add(f"for _ in range({length}):")
        self.depth += 1
        expression = self._field(item)
        self._settle()
        self.add(f"{value}.append({expression})")
        self.depth -= 1
        return f"tuple({value})"

    def _optional(self, hint: Any, default: Any) -> str:
        self._settle()
        value = self.new("o")
        self.add("if at == end:")
        self.add(f"    {value} = {self.constant('d', default)}")
        self.add("else:")
        self.depth += 1
        expression = self._field(hint)
        self._settle()
        self.add(f"{value} = {expression}")
        self.depth -= 1
        return value


def _negative(length: int) -> None:
    """Refuse a length below that of a null value."""
    if length < -1:
        raise NonsensePacketError(message=f"A field has the negative length {length}.")


def _null(length: int) -> NoReturn:
    raise NonsensePacketError(message=f"A field has the length {length}, and cannot be null.")


def _too_many(number: int) -> NoReturn:
    raise NonsensePacketError(message=f"A list claims {number} items, more than fit.")


def _not_text(error: UnicodeDecodeError) -> NoReturn:
    raise NonsensePacketError(message=f"A string is not UTF-8: {error}.") from error
