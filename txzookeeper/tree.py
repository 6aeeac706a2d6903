"""The data tree of a standalone ZooKeeper: nodes, sessions and one-shot watches.

Pure: requests, callers and the time (``now``, milliseconds since 1970) come in, answers and the
events that watchers must be told go out. It knows no connection and no clock. What a transaction
changed comes out with its answer, so that a store can keep it before anybody hears of it.

Source: ``DataTree.java``, ``WatchManager.java`` and ``FinalRequestProcessor.java`` of
ZooKeeper 3.8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from txzookeeper import constants as c
from txzookeeper.access import allows, masked
from txzookeeper.changes import ROOT, WRITES, Caller, Changes, Node, born
from txzookeeper.errors import (
    BadArgumentsException,
    MarshallingErrorException,
    NoAuthException,
    NoNodeException,
    SessionExpiredException,
    UnimplementedException,
    ZooKeeperException,
)
from txzookeeper.multi import Part
from txzookeeper.records import (
    Empty,
    ErrorResponse,
    ExistsRequest,
    GetACLRequest,
    GetACLResponse,
    GetChildren2Request,
    GetChildren2Response,
    GetChildrenRequest,
    GetChildrenResponse,
    GetDataRequest,
    GetDataResponse,
    SetWatchesRequest,
    StatResponse,
    SyncRequest,
    SyncResponse,
)
from txzookeeper.watchtable import Fired, Kind, WatchTable


class Answer(NamedTuple):
    """What a request comes to.

    ``error`` is ZooKeeper's code or 0; ``body`` the reply's record, or the parts of a
    transaction's; ``events`` must reach their watchers before this answer reaches the caller;
    ``changes`` is what a store has to keep.
    """

    zxid: int
    error: int
    body: Any = None
    events: tuple[Fired, ...] = ()
    changes: Mapping[str, Node | None] = {}


@dataclass
class Session:
    """A client's session: its time-out and when it ends unless it is heard of, in ms."""

    timeout: int
    deadline: int


class Tree:
    """The nodes of one server with its sessions and watches."""

    def __init__(self, nodes: Iterable[tuple[str, Node]] = (), zxid: int = 0) -> None:
        self.zxid = zxid
        self.nodes: dict[str, Node] = {}
        self.sessions: dict[int, Session] = {}
        self._children: dict[str, dict[str, None]] = {}
        self._ephemerals: dict[int, dict[str, None]] = {}
        self._watches = WatchTable()
        self._last_session = 0
        for path, node in nodes or born():
            self._take(path, node)

    def perform(self, operation: int, request: Any, caller: Caller, now: int) -> Answer:
        """Carry out a request; what ZooKeeper refuses is an answer with its error code."""
        if caller.session not in self.sessions:
            return Answer(self.zxid, SessionExpiredException.code)
        if operation == c.MULTI_OP:
            return self._multi(request, caller, now)
        if operation in WRITES:
            return self._write(operation, request, caller, now)
        if operation == c.SET_WATCHES_OP:
            return Answer(self.zxid, 0, Empty(), tuple(self._rearm(request, caller.session)))
        return self._read(operation, request, caller)

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
        for path in self._ephemerals.pop(session, ()):
            changes.remove(path)
        answer = self._commit(changes, Empty())
        self._watches.forget(session)
        return answer

    def overdue(self, now: int) -> list[int]:
        """Give the sessions that have not been heard of for their whole time-out."""
        return [session for session, known in self.sessions.items() if known.deadline <= now]

    def forget_watches(self, session: int) -> None:
        """Drop a session's watches: its connection is gone, and it will re-arm them on the next."""
        self._watches.forget(session)

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
        for operation, request in parts:
            if getattr(request, "flags", 0) in _TTL_FLAGS:
                return Answer(self.zxid, MarshallingErrorException.code)
            # Within a transaction a real server answers "create2" as it does "create".
            operation = c.CREATE_OP if operation == c.CREATE2_OP else operation
            try:
                results.append((operation, changes.apply(operation, request)))
            except ZooKeeperException as error:
                return Answer(self.zxid, 0, _failed(len(parts), len(results), _code(error)))
        return self._commit(changes, results)

    def _commit(self, changes: Changes, body: Any) -> Answer:
        for path, node in changes.nodes.items():
            self._take(path, node)
        events = [fired for it in changes.happenings for fired in self._watches.fire(it)]
        return Answer(self.zxid, 0, body, tuple(events), changes.nodes)

    def _take(self, path: str, node: Node | None) -> None:
        """Put a node in its place, or away; keep the lists of children and ephemerals."""
        above, _, name = path.rpartition("/")
        before = self.nodes.pop(path, None)
        if before is not None and before.owner:
            self._ephemerals.get(before.owner, {}).pop(path, None)
        if node is None:
            self._children.get(above or ROOT, {}).pop(name, None)
            self._children.pop(path, None)
            return
        self.nodes[path] = node
        if node.owner:
            self._ephemerals.setdefault(node.owner, {})[path] = None
        if path != ROOT:
            self._children.setdefault(above or ROOT, {})[name] = None

    def _read(self, operation: int, request: Any, caller: Caller) -> Answer:
        try:
            if operation not in _READS:
                raise UnimplementedException
            return Answer(self.zxid, 0, _READS[operation](self, request, caller))
        except ZooKeeperException as error:
            return Answer(self.zxid, _code(error))

    def _find(self, path: str) -> Node | None:
        """Give a node; as on a real server, reading the empty path reads the root."""
        return self.nodes.get(path or ROOT)

    def _node(self, path: str) -> Node:
        node = self._find(path)
        if node is None:
            raise NoNodeException(path)
        return node

    def _readable(self, path: str, caller: Caller, perms: int = c.PERM_READ) -> Node:
        node = self._node(path)
        if not allows(node.acls, perms, caller.identities):
            raise NoAuthException(path)
        return node

    def _exists(self, request: ExistsRequest, caller: Caller) -> StatResponse:
        if "\0" in request.path:
            raise BadArgumentsException(request.path)
        if request.watch:
            self._watches.arm(Kind.NODE, request.path, caller.session)
        return StatResponse(self._node(request.path).stat())

    def _get(self, request: GetDataRequest, caller: Caller) -> GetDataResponse:
        node = self._readable(request.path, caller)
        if request.watch:
            self._watches.arm(Kind.NODE, request.path, caller.session)
        return GetDataResponse(node.data, node.stat())

    def _list(
        self, request: GetChildrenRequest | GetChildren2Request, caller: Caller
    ) -> GetChildrenResponse:
        self._readable(request.path, caller)
        if request.watch:
            self._watches.arm(Kind.CHILDREN, request.path, caller.session)
        return GetChildrenResponse(tuple(self._children.get(request.path or ROOT, ())))

    def _list2(self, request: GetChildren2Request, caller: Caller) -> GetChildren2Response:
        names = self._list(request, caller).children
        return GetChildren2Response(names, self._node(request.path).stat())

    def _get_acl(self, request: GetACLRequest, caller: Caller) -> GetACLResponse:
        node = self._readable(request.path, caller, c.PERM_READ | c.PERM_ADMIN)
        is_admin = allows(node.acls, c.PERM_ADMIN, caller.identities)
        return GetACLResponse(node.acls if is_admin else masked(node.acls), node.stat())

    def _sync(self, request: SyncRequest, caller: Caller) -> SyncResponse:
        return SyncResponse(request.path)

    def _rearm(self, request: SetWatchesRequest, session: int) -> Iterable[Fired]:
        """Arm watches again, and fire those whose moment passed while nobody could tell."""
        since = request.relative_zxid
        for path in request.data:
            node = self._find(path)
            if node is None:
                yield Fired(session, c.DELETED_EVENT, path)
            elif node.mzxid > since:
                yield Fired(session, c.CHANGED_EVENT, path)
            else:
                self._watches.arm(Kind.NODE, path, session)
        for path in request.exist:
            if self._find(path) is not None:
                yield Fired(session, c.CREATED_EVENT, path)
            else:
                self._watches.arm(Kind.NODE, path, session)
        for path in request.child:
            node = self._find(path)
            if node is None:
                yield Fired(session, c.DELETED_EVENT, path)
            elif node.pzxid > since:
                yield Fired(session, c.CHILD_EVENT, path)
            else:
                self._watches.arm(Kind.CHILDREN, path, session)


_AFTERWARDS: Final = -2
"""The code of the parts after the culprit: runtime inconsistency."""

_TTL_FLAGS: Final = (5, 6)
"""Nodes with a time to live have a request of their own, and cannot be part of a transaction."""

_ID_MASK: Final = (1 << 55) - 1

_READS: Final[dict[int, Callable[[Tree, Any, Caller], Any]]] = {
    c.EXISTS_OP: Tree._exists,
    c.GET_DATA_OP: Tree._get,
    c.GET_ACL_OP: Tree._get_acl,
    c.GET_CHILDREN_OP: Tree._list,
    c.GET_CHILDREN2_OP: Tree._list2,
    c.SYNC_OP: Tree._sync,
}


def _code(error: ZooKeeperException) -> int:
    return error.code or 0


def _failed(count: int, culprit: int, code: int) -> list[Part]:
    """Give the parts of a refused transaction's reply: only the culprit's error is its own."""
    codes = [0] * culprit + [code] + [_AFTERWARDS] * (count - culprit - 1)
    return [(c.ERROR_OP, ErrorResponse(each)) for each in codes]
