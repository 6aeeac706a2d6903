"""One transaction in the making: nodes as they will be, over a tree that stays as it is.

Every write first becomes `Changes`, laid over the tree; a transaction of several operations lays
them all over each other. Only when all of them are allowed does the tree take the changes over,
whole. So nothing is ever rolled back, and ``Changes.nodes`` is also exactly what a durable store
has to write for that transaction.

Source: ``PrepRequestProcessor.java``, ``DataTree.java`` and ``PathUtils.java`` of ZooKeeper 3.8.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from txzookeeper import constants as c
from txzookeeper.access import Identity, allows, settle
from txzookeeper.datanode import (
    CONTAINER_OWNER,
    MAX_TTL,
    ROOT,
    SPECIAL_PATHS,
    Node,
    ttl_owner,
)
from txzookeeper.errors import (
    BadArgumentsException,
    BadVersionException,
    MarshallingErrorException,
    NoAuthException,
    NoChildrenForEphemeralsException,
    NodeExistsException,
    NoNodeException,
    NotEmptyException,
    ReconfigDisabledException,
    UnimplementedException,
)
from txzookeeper.multi import MULTI_READS, Part
from txzookeeper.records import (
    ACL,
    CheckRequest,
    Create2Response,
    CreateRequest,
    CreateResponse,
    CreateTTLRequest,
    DeleteRequest,
    Empty,
    ReconfigRequest,
    SetACLRequest,
    SetDataRequest,
    StatResponse,
)
from txzookeeper.watchtable import Happening

_KINDS: Final = frozenset(
    {c.PERSISTENT, c.EPHEMERAL, c.SEQUENCE, c.EPHEMERAL | c.SEQUENCE, c.CONTAINER}
)
_TTL_KINDS: Final = frozenset({c.PERSISTENT_TTL, c.PERSISTENT_SEQUENCE_TTL})


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
        """Add a node that stays, or one of the session's.

        Containers have a request of their own: with this one their flag does nothing.
        """
        if request.flags not in _KINDS:
            raise BadArgumentsException(request.path)
        owner = self._caller.session if request.flags & c.EPHEMERAL else 0
        return CreateResponse(self._add(request, owner))

    def create2(self, request: CreateRequest) -> Create2Response:
        """Add a node as `create` does, and tell its stat too."""
        return self._told(self.create(request).path)

    def create_container(self, request: CreateRequest) -> Create2Response:
        """Add a container, whatever the flags say."""
        if request.flags not in _KINDS:
            raise BadArgumentsException(request.path)
        return self._told(self._add(request, CONTAINER_OWNER))

    def create_ttl(self, request: CreateTTLRequest) -> Create2Response:
        """Add a node with a time to live.

        A real server ends itself when it is asked for one without time and without the flag.
        """
        if request.flags not in _TTL_KINDS or not 0 < request.ttl <= MAX_TTL:
            raise BadArgumentsException(request.path)
        return self._told(self._add(request, ttl_owner(request.ttl)))

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
        """Delete a node without asking who wants it: its session or its time is over."""
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

    def reconfigure(self, request: ReconfigRequest) -> Empty:
        """Refuse: a server that stands alone is started without this."""
        raise ReconfigDisabledException

    def _add(self, request: CreateRequest | CreateTTLRequest, owner: int) -> str:
        """Add a node, under its parent's next number if it is to be one of a sequence."""
        above_path = _parent(request.path)
        acls = settle(request.acls, self._caller.identities, request.path)
        above = self._allowed(above_path, c.PERM_CREATE)
        path = request.path
        if request.flags & c.SEQUENCE:
            path += f"{above.creates:010d}"
        _validate(path)
        if self._find(path) is not None:
            raise NodeExistsException(path)
        if above.owner > 0:
            raise NoChildrenForEphemeralsException(path)
        zxid, now = self._zxid, self._now
        self.nodes[path] = Node(request.data, acls, zxid, zxid, zxid, now, now, owner=owner)
        self.nodes[above_path] = above._replace(
            creates=above.creates + 1, children=above.children + 1, pzxid=zxid
        )
        self._happened(c.CREATED_EVENT, path, acls)
        self._happened(c.CHILD_EVENT, above_path, above.acls)
        return path

    def _told(self, path: str) -> Create2Response:
        return Create2Response(path, self._node(path).stat())

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

    def _happened(self, event: int, path: str, acls: tuple[ACL, ...]) -> None:
        self.happenings.append(Happening(event, path, acls))


_WRITES: Final[dict[int, Callable[[Changes, Any], Any]]] = {
    c.CREATE_OP: Changes.create,
    c.CREATE2_OP: Changes.create2,
    c.CREATE_CONTAINER_OP: Changes.create_container,
    c.CREATE_TTL_OP: Changes.create_ttl,
    c.DELETE_OP: Changes.delete,
    c.SET_DATA_OP: Changes.set,
    c.SET_ACL_OP: Changes.set_acl,
    c.RECONFIG_OP: Changes.reconfigure,
    c.CHECK_OP: Changes.check,
}
WRITES: Final = frozenset({*_WRITES, c.MULTI_OP})
"""The operations that take a transaction id of their own."""

_FORBIDDEN: Final = re.compile(
    "[\0-\x1f\x7f-\x9f\ud800-\uf8ff\ufff0-\uffff\U00010000-\U0010ffff]|//|/$|/\\.{1,2}(/|$)"
)


def meant(part: Part) -> Part:
    """Give the write that a part of a transaction stands for.

    There the flags tell what kind of node to create, and the operation only if there is a time to
    live. Raises ``MarshallingErrorException`` for what cannot be a part.
    """
    operation, request = part
    if operation in MULTI_READS:
        raise MarshallingErrorException
    if operation not in c.CREATIONS:
        return part
    path, data, acls, flags = request[:4]
    if flags not in _TTL_KINDS:
        kind = c.CREATE_CONTAINER_OP if flags == c.CONTAINER else c.CREATE_OP
        return kind, CreateRequest(path, data, acls, flags)
    if operation != c.CREATE_TTL_OP:
        raise MarshallingErrorException(path)
    return part


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
