"""What can be done to a server, as values that say in words what they do.

There are a few clients, known by their numbers. A client that is to ask something while it has no
connection first connects with a new session. Transactions and sessions are told relatively, as
two servers number them differently.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from txzookeeper import constants as c
from txzookeeper.jute import encode
from txzookeeper.multi import Part, encode_multi
from txzookeeper.records import (
    ACL,
    Record,
    RequestHeader,
    SetWatches2Request,
    SetWatchesRequest,
)

NAMES: Final = {
    value: name[:-3].lower()
    for name, value in vars(c).items()
    if name.endswith("_OP") and isinstance(value, int)
}
"""What each operation is called."""

LAST: Final = "<last>"
"""Stands in a request for the path of the node that was made last."""

MULTIS: Final = (c.MULTI_OP, c.MULTI_READ_OP)


@dataclass(frozen=True)
class Mangled:
    """What happens to a request's body: cut to ``length`` bytes, then four of them replaced.

    Before that, a field of variable size may be made ``null``.
    """

    length: int | None = None
    offset: int | None = None
    number: int = -1
    added: bytes = b""
    null: str = ""

    def __call__(self, request: Any, body: bytes) -> bytes:
        """Give the body as it is sent."""
        if self.null:
            body = _with_null(request, self.null)
        body = body[: self.length] + self.added
        if self.offset is None or len(body) < 4:
            return body
        at = self.offset % (len(body) - 3)
        return body[:at] + self.number.to_bytes(4, "big", signed=True) + body[at + 4 :]

    def __str__(self) -> str:
        null = [f"null {self.null}"] if self.null else []
        cut = [] if self.length is None else [f"cut to {self.length} bytes"]
        added = [f"{self.added!r} added"] if self.added else []
        there = [] if self.offset is None else [f"{self.number} written at byte {self.offset}"]
        return ", ".join(null + cut + added + there)


def is_plain(value: Any) -> bool:
    """Say whether all text in a request is ASCII, of which the bytes can be replaced."""
    if isinstance(value, tuple):
        return all(map(is_plain, value))
    return not isinstance(value, str) or value.isascii()


def _with_null(request: Any, field: str) -> bytes:
    """Write a record with a null in the place of one field."""
    value = getattr(request, field)
    one: Any = "x" if isinstance(value, str) else b"x"
    if isinstance(value, tuple):
        one = (ACL(0, "", ""),) if field == "acls" else ("x",)
    empty = encode(request._replace(**{field: value[:0]}))
    filled = encode(request._replace(**{field: one}))
    low = next(at for at, (e, f) in enumerate(zip(empty, filled, strict=False)) if e != f)
    return empty[: low - 3] + b"\xff" * 4 + empty[low + 1 :]


@dataclass(frozen=True)
class Ask:
    """A client sends a request: an operation with its record, with several parts, or with bytes."""

    client: int
    operation: int
    request: Record | tuple[Part, ...] | bytes
    xid: int | None = None
    mangled: Mangled | None = None

    def body(self, zxid: int, last: str = "/") -> bytes:
        """Give what follows the header, for a server whose last transaction is this one.

        ``last`` is the node that was made last.
        """
        request: Any = _placed(self.request, last)
        if isinstance(request, bytes):
            body = request
        elif self.operation in MULTIS and not hasattr(request, "_fields"):
            body = encode_multi(request)
        elif isinstance(request, SetWatchesRequest | SetWatches2Request):
            request = request._replace(relative_zxid=zxid - request.relative_zxid)
            body = encode(request)
        else:
            body = encode(request)
        return self.mangled(request, body) if self.mangled else body

    def packet(self, xid: int, zxid: int, last: str) -> bytes:
        """Give the whole packet; ``xid`` numbers a request that does not number itself."""
        number = xid if self.xid is None else self.xid
        return encode(RequestHeader(number, self.operation)) + self.body(zxid, last)

    def __str__(self) -> str:
        name = NAMES.get(self.operation, f"operation {self.operation}")
        numbered = "" if self.xid is None else f" as number {self.xid}"
        mangled = f" ({self.mangled})" if self.mangled else ""
        return f"client {self.client} asks {name} {told(self.request)}{numbered}{mangled}"


@dataclass(frozen=True)
class Burst:
    """A client sends several requests at once, and waits for no answer between them."""

    asks: tuple[Ask, ...]

    @property
    def client(self) -> int:
        """Who asks."""
        return self.asks[0].client

    def __str__(self) -> str:
        return " // ".join(map(str, self.asks))


@dataclass(frozen=True)
class Connect:
    """A client connects anew, letting its old connection be, and asks for a session.

    ``resume`` is the number of a session of anybody's; ``wrong`` replaces its password; ``ahead``
    is how many transactions the client has seen that never happened. Clients of before 3.4 send
    no ``read_only`` (None).
    """

    client: int
    timeout: int = 30_000
    resume: int | None = None
    wrong: bytes | None = None
    ahead: int = 0
    read_only: bool | None = False
    version: int = 0
    mangled: Mangled | None = None

    def __str__(self) -> str:
        session = "a new session" if self.resume is None else f"session {self.resume}"
        fields = [
            f"{name}={value!r}"
            for name, value in vars(self).items()
            if name not in ("client", "resume") and value != getattr(Connect, name)
        ]
        return f"client {self.client} connects for {session} {' '.join(fields)}".rstrip()


@dataclass(frozen=True)
class HangUp:
    """A client closes its connection without closing its session."""

    client: int

    def __str__(self) -> str:
        return f"client {self.client} hangs up"


@dataclass(frozen=True)
class Noise:
    """A client sends bytes that are no packet, on its connection or on a new one."""

    client: int
    data: bytes
    fresh: bool = False

    def __str__(self) -> str:
        where = "a new connection" if self.fresh else "its connection"
        return f"client {self.client} sends on {where} the bytes {self.data!r}"


@dataclass(frozen=True)
class Restart:
    """The server is killed and starts again; who was connected comes back with its session."""

    def __str__(self) -> str:
        return "the server is killed, and starts again"


Step = Ask | Burst | Connect | HangUp | Noise | Restart
"""Any of the above."""


def told(request: Any) -> str:
    """Give a request in words; large data by its size."""
    if isinstance(request, bytes):
        return repr(request) if len(request) <= 64 else f"{len(request)} bytes"
    if isinstance(request, str):
        return repr(request)
    if hasattr(request, "_fields"):
        return f"({' '.join(f'{k}={told(v)}' for k, v in request._asdict().items())})"
    if isinstance(request, tuple) and request and isinstance(request[0], tuple):
        return f"[{', '.join(_part(each) for each in request)}]"
    return f"[{', '.join(map(told, request))}]" if isinstance(request, tuple) else repr(request)


def _part(part: Any) -> str:
    if hasattr(part, "_fields"):
        return told(part)
    return f"{NAMES.get(part[0], part[0])} {told(part[1])}"


def _placed(value: Any, last: str) -> Any:
    """Put a path in the place of `LAST`, wherever that is."""
    if isinstance(value, tuple):
        placed = [_placed(each, last) for each in value]
        return type(value)(*placed) if hasattr(value, "_fields") else tuple(placed)
    return last if value == LAST else value
