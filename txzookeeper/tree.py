"""The data tree of a standalone ZooKeeper: nodes, sessions and watches.

Pure: requests, callers and the time (``now``, milliseconds since 1970) come in, answers and the
events that watchers must be told go out. It knows no connection and no clock, and no store: see
``txzookeeper.durable`` for a tree that can be saved.

Source: ``DataTree.java``, ``ContainerManager.java`` and ``FinalRequestProcessor.java`` of
ZooKeeper 3.8.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from txzookeeper import constants as c
from txzookeeper.changes import WRITES, Caller, Changes, meant
from txzookeeper.datanode import QUOTA, Node, born
from txzookeeper.errors import (
    MarshallingErrorException,
    SessionExpiredException,
    ZooKeeperException,
)
from txzookeeper.multi import MULTI_READS, Part
from txzookeeper.nodes import Nodes
from txzookeeper.queries import Queries
from txzookeeper.quota import counted
from txzookeeper.rearming import rearm
from txzookeeper.records import Create2Response, Empty, ErrorResponse
from txzookeeper.watchtable import Fired, Kind, WatchTable


class Answer(NamedTuple):
    """What a request comes to.

    ``error`` is ZooKeeper's code or 0; ``body`` the reply's record, or the parts of one that has
    parts; ``events`` must reach their watchers before this answer reaches the caller.
    """

    zxid: int
    error: int
    body: Any = None
    events: tuple[Fired, ...] = ()


@dataclass
class Session:
    """A client's session: its time-out and when it ends unless it is heard of, in ms."""

    timeout: int
    deadline: int


class Tree:
    """The nodes of one server with its sessions and watches."""

    def __init__(self, nodes: Nodes | Iterable[tuple[str, Node]] = (), zxid: int = 0) -> None:
        self.zxid = zxid
        self.nodes = nodes if isinstance(nodes, Nodes) else Nodes(nodes or born())
        self.sessions: dict[int, Session] = {}
        self._watches = WatchTable()
        self._queries = Queries(self.nodes, self._watches)
        self._last_session = 0

    def perform(self, operation: int, request: Any, caller: Caller, now: int) -> Answer:
        """Carry out a request; what ZooKeeper refuses is an answer with its error code."""
        if caller.session not in self.sessions:
            return Answer(self.zxid, SessionExpiredException.code)
        if operation == c.MULTI_OP:
            return self._multi(request, caller, now)
        if operation in WRITES:
            return self._write(operation, request, caller, now)
        if operation in (c.SET_WATCHES_OP, c.SET_WATCHES2_OP):
            events = rearm(request, caller.session, self.nodes, self._watches)
            return Answer(self.zxid, 0, Empty(), tuple(events))
        if operation == c.MULTI_READ_OP:
            return self._multi_read(request, caller)
        return self._read(operation, request, caller)

    def refuse(self, operation: int) -> Answer:
        """Answer a request that makes no sense; a write takes a transaction id all the same."""
        if operation in WRITES - {c.RECONFIG_OP}:
            self.zxid += 1
        return Answer(self.zxid, MarshallingErrorException.code)

    def open_session(self, timeout: int, now: int) -> tuple[int, Answer]:
        """Begin a session that ends ``timeout`` ms after it was last heard of; give its id."""
        session = max(self._last_session + 1, now << 16 & _ID_MASK)
        self._last_session = session
        self.sessions[session] = Session(timeout, now + timeout)
        return session, self._commit(self._changes(Caller(session), now), None)

    def touch(self, session: int, now: int, timeout: int | None = None) -> None:
        """Note that a session was heard of, and that it asks for another time-out from now on."""
        known = self.sessions[session]
        known.timeout = known.timeout if timeout is None else timeout
        known.deadline = now + known.timeout

    def close_session(self, session: int, now: int) -> Answer:
        """End a session: its ephemeral nodes go, of which it is told too, and its watches."""
        del self.sessions[session]
        changes = self._changes(Caller(session), now)
        for path in self.nodes.ephemerals(session):
            changes.remove(path)
        answer = self._commit(changes, Empty())
        self._watches.forget(session)
        return answer

    def overdue(self, now: int) -> list[int]:
        """Give the sessions that have not been heard of for longer than their time-out."""
        return [session for session, known in self.sessions.items() if known.deadline < now]

    def outlived(self, now: int) -> list[str]:
        """Give the containers and the nodes with a time to live whose time is over."""
        return self.nodes.outlived(now)

    def bury(self, path: str, now: int) -> Answer:
        """Delete a node that is `outlived`; nobody asked for it."""
        changes = self._changes(Caller(0), now)
        changes.remove(path)
        return self._commit(changes, Empty())

    def forget_watches(self, session: int) -> None:
        """Drop a session's watches: its connection is gone, and it will re-arm them on the next."""
        self._watches.forget(session)

    def watches(self, kind: Kind) -> list[tuple[str, int]]:
        """Give path and session of each watch of this kind."""
        return list(self._watches.armed(kind))

    def _changes(self, caller: Caller, now: int) -> Changes:
        self.zxid += 1
        return Changes(self.nodes, caller, self.zxid, now)

    def _write(self, operation: int, request: Any, caller: Caller, now: int) -> Answer:
        changes = self._changes(caller, now)
        try:
            return self._commit(changes, changes.apply(operation, request))
        except ZooKeeperException as error:
            return Answer(self.zxid, _code(error))

    def _multi(self, parts: Sequence[Part], caller: Caller, now: int) -> Answer:
        changes = self._changes(caller, now)
        results: list[Part] = []
        for part in parts:
            try:
                operation, request = meant(part)
                result = changes.apply(operation, request)
            except MarshallingErrorException as error:
                return Answer(self.zxid, _code(error))
            except ZooKeeperException as error:
                return Answer(self.zxid, 0, _failed(len(parts), len(results), _code(error)))
            tells_stat = isinstance(result, Create2Response)
            results.append((c.CREATE2_OP if tells_stat else operation, result))
        return self._commit(changes, results)

    def _commit(self, changes: Changes, body: Any) -> Answer:
        take = self._take_and_count if self._has_quota(changes.nodes) else self._take
        take(changes.nodes)
        events = [fired for it in changes.happenings for fired in self._watches.fire(it)]
        return Answer(self.zxid, 0, body, tuple(events))

    def _has_quota(self, changed: Mapping[str, Node | None]) -> bool:
        place = changed.get(QUOTA) or self.nodes.get(QUOTA)
        return place is not None and place.children > 0

    def _take_and_count(self, changed: Mapping[str, Node | None]) -> None:
        before = {path: self.nodes.get(path) for path in changed}
        self._take(changed)
        self._take(counted(before, self.nodes))

    def _take(self, changed: Mapping[str, Node | None]) -> None:
        for path, node in changed.items():
            self.nodes.take(path, node)

    def _multi_read(self, parts: Sequence[Part], caller: Caller) -> Answer:
        if not all(operation in MULTI_READS for operation, _ in parts):
            return Answer(self.zxid, MarshallingErrorException.code, [])
        return Answer(self.zxid, 0, self._queries.several(parts, caller))

    def _read(self, operation: int, request: Any, caller: Caller) -> Answer:
        try:
            return Answer(self.zxid, 0, self._queries.answer(operation, request, caller))
        except ZooKeeperException as error:
            return Answer(self.zxid, _code(error))


_AFTERWARDS: Final = -2
"""The code of the parts after the culprit: runtime inconsistency."""

_ID_MASK: Final = (1 << 55) - 1


def _code(error: ZooKeeperException) -> int:
    return error.code or 0


def _failed(count: int, culprit: int, code: int) -> list[Part]:
    """Give the parts of a refused transaction's reply: only the culprit's error is its own."""
    codes = [0] * culprit + [code] + [_AFTERWARDS] * (count - culprit - 1)
    return [(c.ERROR_OP, ErrorResponse(each)) for each in codes]
