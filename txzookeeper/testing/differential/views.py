"""What a server says, made comparable with what another one says.

Transactions are told by their distance from the moment at which both servers were the same;
sessions by the order in which they were opened; times by whether they can be true; and what has
no order (children, ephemeral nodes, identities) is put into one.
"""

from __future__ import annotations

from bisect import bisect
from typing import Any, Final, NamedTuple

from txzookeeper import constants as c
from txzookeeper.errors import PacketError
from txzookeeper.jute import decode_from, encode
from txzookeeper.multi import decode_multi_response, encode_multi_response
from txzookeeper.operations import REPLIES
from txzookeeper.records import (
    ACL,
    ConnectResponse,
    Create2Response,
    CreateResponse,
    GetACLResponse,
    GetChildren2Response,
    GetChildrenResponse,
    GetEphemeralsResponse,
    ReplyHeader,
    Stat,
    WatcherEvent,
    WhoAmIResponse,
)
from txzookeeper.testing.differential.steps import MULTIS, NAMES, told

_UNORDERED: Final = {
    GetChildrenResponse: "children",
    GetChildren2Response: "children",
    GetEphemeralsResponse: "paths",
    WhoAmIResponse: "identities",
}


class Event(NamedTuple):
    """A watch's event."""

    zxid: int
    error: int
    event: WatcherEvent

    def __str__(self) -> str:
        kind = c.EVENT_NAMES.get(self.event.type, self.event.type)
        state = c.STATE_NAMES.get(self.event.state, self.event.state)
        odd = "" if (self.zxid, self.error) == (-1, 0) else f" ({self.zxid}, {self.error})"
        return f"event: {kind} {self.event.path!r}, {state}{odd}"


class Reply(NamedTuple):
    """An answer to a request; what cannot be read is left as bytes."""

    operation: int
    xid: int
    zxid: int
    error: int
    body: Any
    rest: bytes = b""

    def __str__(self) -> str:
        name = NAMES.get(self.operation, self.operation)
        rest = f" and {self.rest!r}" if self.rest else ""
        said = f"error {self.error}" if self.error else "done"
        body = "" if self.body is None else f", {told(self.body)}"
        return f"reply {self.xid} to {name} at {self.zxid}: {said}{body}{rest}"


class Greeting(NamedTuple):
    """The answer to a connection's first packet."""

    session: int | None
    response: ConnectResponse
    rest: bytes = b""

    def __str__(self) -> str:
        return f"greeting for session {self.session}: {self.response} {self.rest!r}"


class Nonsense(NamedTuple):
    """A packet that cannot be read."""

    packet: bytes

    def __str__(self) -> str:
        return f"the packet {self.packet!r}"


View = Event | Reply | Greeting | Nonsense


class Views:
    """What one server says, told from the transaction at which it stood in the beginning.

    ``sessions`` are those that it opened, ``zxid`` is its last transaction, ``made`` the path of
    the last node, as far as is seen.
    """

    def __init__(self, base: int) -> None:
        self.sessions: list[ConnectResponse] = []
        self.zxid = base
        self.made = "/"
        self._base = base
        self._times: dict[int, int] = {}
        self._dated: list[int] = []

    def greeting(self, packet: bytes) -> View:
        """Give a view of a connection's first packet, and remember a new session."""
        try:
            response, end = decode_from(ConnectResponse, packet)
        except PacketError:
            return Nonsense(packet)
        number = self._number(response)
        shown = response._replace(session_id=0, password=bytes(len(response.password)))
        if any(response.password) and number is not None:
            same = response.password == self.sessions[number].password
            shown = shown._replace(password=b"its own" if same else b"another")
        # The flag that says whether the server is read-only may be missing.
        return Greeting(number, shown, bytes([len(packet)]) + packet[end:])

    def of(self, packet: bytes, operation: int) -> View:
        """Give a view of a packet; if it is a reply, then of a request for this operation."""
        try:
            header, at = decode_from(ReplyHeader, packet)
            if is_event(packet):
                event, end = decode_from(WatcherEvent, packet, at)
                return Event(header.zxid, header.err, event) if end == len(packet) else _no(packet)
            self.zxid = max(self.zxid, header.zxid)
            body, rest = self._body(packet[at:], operation)
        except PacketError:
            return Nonsense(packet)
        zxid = self._relative(header.zxid)
        return Reply(operation, header.xid, zxid, header.err, body, rest)

    def _number(self, response: ConnectResponse) -> int | None:
        """Give a session's number; the first to tell of it gives it one."""
        if not response.session_id:
            return None
        known = [each.session_id for each in self.sessions]
        if response.session_id not in known:
            self.sessions.append(response)
            return len(known)
        return known.index(response.session_id)

    def _body(self, data: bytes, operation: int) -> tuple[Any, bytes]:
        if not data:
            return None, b""
        if operation in MULTIS:
            parts = decode_multi_response(data)
            shown = tuple((op, self._shown(record)) for op, record in parts)
            return shown, _unread(data, encode_multi_response(parts))
        if operation not in REPLIES:
            return None, data
        record, _ = decode_from(REPLIES[operation], data)
        return self._shown(record), _unread(data, encode(record))

    def _shown(self, value: Any) -> Any:
        if isinstance(value, CreateResponse | Create2Response):
            self.made = value.path
        if isinstance(value, Stat):
            return self._stat(value)
        if isinstance(value, GetACLResponse):
            return value._replace(acls=_in_runs(value.acls), stat=self._stat(value.stat))
        if type(value) in _UNORDERED:
            field = _UNORDERED[type(value)]
            value = value._replace(**{field: tuple(sorted(getattr(value, field)))})
        if hasattr(value, "_fields"):
            return type(value)(*map(self._shown, value))
        return value

    def _stat(self, stat: Stat) -> Stat:
        owner = stat.ephemeral_owner
        sessions = [each.session_id for each in self.sessions]
        return stat._replace(
            czxid=self._relative(stat.czxid),
            mzxid=self._relative(stat.mzxid),
            pzxid=self._relative(stat.pzxid),
            ctime=self._plausible(stat.czxid, stat.ctime),
            mtime=self._plausible(stat.mzxid, stat.mtime),
            ephemeral_owner=sessions.index(owner) + 1000 if owner in sessions else owner,
        )

    def _relative(self, zxid: int) -> int:
        """Tell a transaction from the first; what was before is all the same."""
        return zxid - self._base if zxid > self._base else min(zxid, 0)

    def _plausible(self, zxid: int, time: int) -> int:
        """Say whether a transaction can have been at a time: 0 or 1.

        It has been at one time only, and none before those that were before it.
        """
        if zxid not in self._times:
            at = bisect(self._dated, zxid)
            before = self._times[self._dated[at - 1]] if at else time
            after = self._times[self._dated[at]] if at < len(self._dated) else time
            if before <= time <= after:
                self._times[zxid] = time
                self._dated.insert(at, zxid)
        return int(self._times.get(zxid) == time)


def is_event(packet: bytes) -> bool:
    """Say whether a packet is no reply but a watch's event."""
    header = packet[:12]
    return header == b"\xff" * 12


def _no(packet: bytes) -> Nonsense:
    return Nonsense(packet)


def _unread(data: bytes, understood: bytes) -> bytes:
    """Give what reading a record did not tell: what comes after it, or that there are nulls."""
    rest = data[len(understood) :]
    return rest if data.startswith(understood) else b"with null, " + rest


def _in_runs(acls: tuple[ACL, ...]) -> tuple[ACL, ...]:
    """Put what one ``auth`` became, in no order, into one: neighbours that differ in the id."""
    shown: list[ACL] = []
    run: list[ACL] = []
    for acl in acls:
        if run and (acl.perms, acl.scheme) != (run[0].perms, run[0].scheme):
            shown, run = [*shown, *sorted(run)], []
        run.append(acl)
    return (*shown, *sorted(run))
