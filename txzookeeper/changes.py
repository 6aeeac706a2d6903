"""One transaction in the making: nodes as they will be, over a tree that stays as it is.

Every write first becomes `Changes`, laid over the tree; a transaction of several operations lays
them all over each other. Only when all of them are allowed does the tree take the changes over,
whole. So nothing is ever rolled back, and ``Changes.nodes`` is also exactly what a durable store
has to write for that transaction.

Source: ``PrepRequestProcessor.java``, ``DataTree.java`` and ``PathUtils.java`` of ZooKeeper 3.8.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from txzookeeper import constants as c
from txzookeeper.access import Identity, allows, settle
from txzookeeper.errors import (
    BadArgumentsException,
    BadVersionException,
    NoAuthException,
    NoChildrenForEphemeralsException,
    NodeExistsException,
    NoNodeException,
    NotEmptyException,
    UnimplementedException,
)
from txzookeeper.records import (
    ACL,
    CheckRequest,
    Create2Response,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    Empty,
    SetACLRequest,
    SetDataRequest,
    Stat,
    StatResponse,
)
from txzookeeper.watchtable import Happening

ROOT: Final = "/"
SPECIAL_PATHS: Final = frozenset({ROOT, "/zookeeper", "/zookeeper/quota", "/zookeeper/config"})
"""Nodes that every server has from its birth, and that cannot be deleted."""


_MODES: Final = frozenset(
    {c.PERSISTENT, c.EPHEMERAL, c.SEQUENCE, c.EPHEMERAL | c.SEQUENCE, c.CONTAINER}
)
"""Known flags; without the request of its own, a container is made as a persistent node."""


class Node(NamedTuple):
    """A node as it is kept; ``creates`` counts the children it ever had, and numbers sequences."""

    data: bytes
    acls: tuple[ACL, ...]
    czxid: int = 0
    mzxid: int = 0
    pzxid: int = 0
    ctime: int = 0
    mtime: int = 0
    version: int = 0
    aversion: int = 0
    creates: int = 0
    children: int = 0
    owner: int = 0

    def stat(self) -> Stat:
        """Give what clients see: there, ``cversion`` counts creations and deletions of children."""
        return Stat(
            czxid=self.czxid,
            mzxid=self.mzxid,
            ctime=self.ctime,
            mtime=self.mtime,
            version=self.version,
            cversion=self.creates * 2 - self.children,
            aversion=self.aversion,
            ephemeral_owner=self.owner,
            data_length=len(self.data),
            num_children=self.children,
            pzxid=self.pzxid,
        )


class Caller(NamedTuple):
    """Who asks: a session, and the identities that its connection has proven."""

    session: int
    identities: tuple[Identity, ...] = ()


class Changes:
    """What one transaction will change: ``nodes`` by path (None: deleted), and ``happenings``."""

    def __init__(
        self, before: Mapping[str, Node], caller: Caller, zxid: int = 0, now: int = 0
    ) -> None:
        self.nodes: dict[str, Node | None] = {}
        self.happenings: list[Happening] = []
        self._before = before
        self._caller = caller
        self._zxid = zxid
        self._now = now

    def apply(self, operation: int, request: Any) -> Any:
        """Add one write, and give its reply; raises what ZooKeeper would answer, then unchanged."""
        if operation not in _WRITES:
            raise UnimplementedException
        return _WRITES[operation](self, request)

    def create(self, request: CreateRequest) -> CreateResponse:
        """Add a node, under its parent's next number if it is to be one of a sequence."""
        if request.flags not in _MODES:
            raise BadArgumentsException(request.path)
        above_path = _parent(request.path)
        acls = settle(request.acls, self._caller.identities, request.path)
        above = self._allowed(above_path, c.PERM_CREATE)
        path = request.path
        if request.flags & c.SEQUENCE:
            path += f"{above.creates:010d}"
        _validate(path)
        if self._find(path) is not None:
            raise NodeExistsException(path)
        if above.owner:
            raise NoChildrenForEphemeralsException(path)
        self.nodes[path] = self._newborn(request, acls)
        self.nodes[above_path] = above._replace(
            creates=above.creates + 1, children=above.children + 1, pzxid=self._zxid
        )
        self._happened(c.CREATED_EVENT, path, acls)
        self._happened(c.CHILD_EVENT, above_path, above.acls)
        return CreateResponse(path)

    def create2(self, request: CreateRequest) -> Create2Response:
        """Add a node as `create` does, and tell its stat too."""
        path = self.create(request).path
        return Create2Response(path, self._node(path).stat())

    def delete(self, request: DeleteRequest) -> Empty:
        """Delete a node that has no children."""
        path = request.path
        if path in SPECIAL_PATHS or "\0" in path:
            raise BadArgumentsException(path)
        self._allowed(_parent(path), c.PERM_DELETE)
        node = self._node(path)
        _expect(request.version, node.version, path)
        if node.children:
            raise NotEmptyException(path)
        self.remove(path)
        return Empty()

    def remove(self, path: str) -> None:
        """Delete a node without asking who wants it: its session has ended."""
        above_path = _parent(path)
        node, above = self._node(path), self._node(above_path)
        self.nodes[path] = None
        self.nodes[above_path] = above._replace(children=above.children - 1, pzxid=self._zxid)
        self._happened(c.DELETED_EVENT, path, node.acls)
        self._happened(c.CHILD_EVENT, above_path, above.acls)

    def set(self, request: SetDataRequest) -> StatResponse:
        """Replace a node's data."""
        _validate(request.path)
        node = self._allowed(request.path, c.PERM_WRITE)
        _expect(request.version, node.version, request.path)
        changed = node._replace(
            data=request.data, version=node.version + 1, mzxid=self._zxid, mtime=self._now
        )
        self.nodes[request.path] = changed
        self._happened(c.CHANGED_EVENT, request.path, node.acls)
        return StatResponse(changed.stat())

    def set_acl(self, request: SetACLRequest) -> StatResponse:
        """Replace a node's ACL; no watch tells of it."""
        _validate(request.path)
        acls = settle(request.acls, self._caller.identities, request.path)
        node = self._allowed(request.path, c.PERM_ADMIN)
        _expect(request.version, node.aversion, request.path)
        changed = node._replace(acls=acls, aversion=node.aversion + 1)
        self.nodes[request.path] = changed
        return StatResponse(changed.stat())

    def check(self, request: CheckRequest) -> Empty:
        """Require a node to be there, at a version."""
        _validate(request.path)
        node = self._allowed(request.path, c.PERM_READ)
        _expect(request.version, node.version, request.path)
        return Empty()

    def _find(self, path: str) -> Node | None:
        return self.nodes[path] if path in self.nodes else self._before.get(path)

    def _node(self, path: str) -> Node:
        node = self._find(path)
        if node is None:
            raise NoNodeException(path)
        return node

    def _allowed(self, path: str, perms: int) -> Node:
        node = self._node(path)
        if not allows(node.acls, perms, self._caller.identities):
            raise NoAuthException(path)
        return node

    def _newborn(self, request: CreateRequest, acls: tuple[ACL, ...]) -> Node:
        owner = self._caller.session if request.flags & c.EPHEMERAL else 0
        zxid, now = self._zxid, self._now
        return Node(request.data, acls, zxid, zxid, zxid, now, now, owner=owner)

    def _happened(self, event: int, path: str, acls: tuple[ACL, ...]) -> None:
        self.happenings.append(Happening(event, path, acls))


_WRITES: Final[dict[int, Callable[[Changes, Any], Any]]] = {
    c.CREATE_OP: Changes.create,
    c.CREATE2_OP: Changes.create2,
    c.DELETE_OP: Changes.delete,
    c.SET_DATA_OP: Changes.set,
    c.SET_ACL_OP: Changes.set_acl,
    c.CHECK_OP: Changes.check,
}
WRITES: Final = frozenset({*_WRITES, c.MULTI_OP} - {c.CHECK_OP})
"""The operations that take a transaction id of their own."""

_FORBIDDEN: Final = re.compile(
    "[\0-\x1f\x7f-\x9f\ud800-\uf8ff\ufff0-\uffff\U00010000-\U0010ffff]|//|/$|/\\.{1,2}(/|$)"
)


def born() -> Iterable[tuple[str, Node]]:
    """Give the nodes that a new server has, parents first."""
    anyone = (ACL(c.PERM_ALL, "world", "anyone"),)
    yield ROOT, Node(b"", anyone, children=1)
    yield "/zookeeper", Node(b"", anyone, children=2)
    yield "/zookeeper/quota", Node(b"", anyone)
    yield "/zookeeper/config", Node(b"", (ACL(c.PERM_READ, "world", "anyone"),), aversion=-1)


def _parent(path: str) -> str:
    if "/" not in path or "\0" in path:
        raise BadArgumentsException(path)
    return path[: path.rindex("/")] or ROOT


def _validate(path: str) -> None:
    if path != ROOT and (not path.startswith(ROOT) or _FORBIDDEN.search(path)):
        raise BadArgumentsException(path)


def _expect(version: int, actual: int, path: str) -> None:
    if version not in (c.ANY_VERSION, actual):
        raise BadVersionException(path)
