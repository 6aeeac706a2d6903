"""What clients ask without changing a node: reads, and the watches that belong to a connection.

Source: ``FinalRequestProcessor.java`` and ``DataTree.java`` of ZooKeeper 3.8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from txzookeeper import constants as c
from txzookeeper.access import allows, info, masked
from txzookeeper.changes import Caller
from txzookeeper.datanode import ROOT, Node
from txzookeeper.errors import (
    BadArgumentsException,
    MarshallingErrorException,
    NoAuthException,
    NoNodeException,
    NoWatcherException,
    UnimplementedException,
    ZooKeeperException,
)
from txzookeeper.multi import Part
from txzookeeper.nodes import Nodes
from txzookeeper.records import (
    AddWatchRequest,
    CheckWatchesRequest,
    DataResponse,
    Empty,
    ErrorResponse,
    ExistsRequest,
    GetACLRequest,
    GetACLResponse,
    GetAllChildrenNumberRequest,
    GetAllChildrenNumberResponse,
    GetChildren2Request,
    GetChildren2Response,
    GetChildrenRequest,
    GetChildrenResponse,
    GetDataRequest,
    GetEphemeralsRequest,
    GetEphemeralsResponse,
    RemoveWatchesRequest,
    StatResponse,
    SyncRequest,
    SyncResponse,
    WhoAmIResponse,
)
from txzookeeper.watchtable import Kind, Mode, WatchTable


class Queries:
    """Answers about the nodes; a question may leave a watch."""

    def __init__(self, nodes: Nodes, watches: WatchTable) -> None:
        self._nodes = nodes
        self._watches = watches

    def answer(self, operation: int, request: Any, caller: Caller) -> Any:
        """Give the reply's record; raises what ZooKeeper would answer."""
        if operation not in _QUERIES:
            raise UnimplementedException
        return _QUERIES[operation](self, request, caller)

    def several(self, parts: Sequence[Part], caller: Caller) -> list[Part]:
        """Answer several reads at once, each for itself; they leave no watches."""
        return [self._part(operation, request, caller) for operation, request in parts]

    def _part(self, operation: int, request: Any, caller: Caller) -> Part:
        try:
            return operation, self.answer(operation, request._replace(watch=False), caller)
        except ZooKeeperException as error:
            return c.ERROR_OP, ErrorResponse(error.code or 0)

    def _node(self, path: str) -> Node:
        """Give a node; as on a real server, reading the empty path reads the root."""
        node = self._nodes.get(path or ROOT)
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

    def _get(self, request: GetDataRequest, caller: Caller) -> DataResponse:
        node = self._readable(request.path, caller)
        if request.watch:
            self._watches.arm(Kind.NODE, request.path, caller.session)
        return DataResponse(node.data, node.stat())

    def _list(
        self, request: GetChildrenRequest | GetChildren2Request, caller: Caller
    ) -> GetChildrenResponse:
        self._readable(request.path, caller)
        if request.watch:
            self._watches.arm(Kind.CHILDREN, request.path, caller.session)
        return GetChildrenResponse(tuple(self._nodes.children(request.path or ROOT)))

    def _list2(self, request: GetChildren2Request, caller: Caller) -> GetChildren2Response:
        names = self._list(request, caller).children
        return GetChildren2Response(names, self._node(request.path).stat())

    def _count(
        self, request: GetAllChildrenNumberRequest, caller: Caller
    ) -> GetAllChildrenNumberResponse:
        self._readable(request.path, caller)
        return GetAllChildrenNumberResponse(self._nodes.below(request.path))

    def _ephemerals(self, request: GetEphemeralsRequest, caller: Caller) -> GetEphemeralsResponse:
        prefix = ROOT if request.prefix.strip(_BLANKS) in ("", ROOT) else request.prefix
        own = self._nodes.ephemerals(caller.session)
        return GetEphemeralsResponse(tuple(path for path in own if path.startswith(prefix)))

    def _get_acl(self, request: GetACLRequest, caller: Caller) -> GetACLResponse:
        node = self._readable(request.path, caller, c.PERM_READ | c.PERM_ADMIN)
        is_admin = allows(node.acls, c.PERM_ADMIN, caller.identities)
        return GetACLResponse(node.acls if is_admin else masked(node.acls), node.stat())

    def _sync(self, request: SyncRequest, caller: Caller) -> SyncResponse:
        return SyncResponse(request.path)

    def _who(self, request: Empty, caller: Caller) -> WhoAmIResponse:
        return WhoAmIResponse(tuple(info(identity) for identity in caller.identities))

    def _add_watch(self, request: AddWatchRequest, caller: Caller) -> ErrorResponse:
        mode = _MODES.get(request.mode)
        if mode is None:
            raise MarshallingErrorException(request.path)
        for kind in Kind:
            self._watches.arm(kind, request.path, caller.session, mode)
        return ErrorResponse(0)

    def _check_watches(self, request: CheckWatchesRequest, caller: Caller) -> Empty:
        """Say whether there is such a watch; ZooKeeper 3.8 does not look whose it is.

        It fails at a path without a slash, and sees nothing at the empty one.
        """
        path, kinds = request.path, _kinds(request)
        if path and ROOT not in path:
            raise MarshallingErrorException(path)
        if not (path and any(self._watches.is_watched(kind, path) for kind in kinds)):
            raise NoWatcherException(path)
        return Empty()

    def _remove_watches(self, request: RemoveWatchesRequest, caller: Caller) -> Empty:
        kinds = _kinds(request)
        removed = [self._watches.disarm(kind, request.path, caller.session) for kind in kinds]
        if not any(removed):
            raise NoWatcherException(request.path)
        return Empty()


_BLANKS: Final = "".join(map(chr, range(33)))
"""What Java takes for blanks."""

_QUERIES: Final[dict[int, Callable[[Queries, Any, Caller], Any]]] = {
    c.EXISTS_OP: Queries._exists,
    c.GET_DATA_OP: Queries._get,
    c.GET_ACL_OP: Queries._get_acl,
    c.GET_CHILDREN_OP: Queries._list,
    c.GET_CHILDREN2_OP: Queries._list2,
    c.GET_ALL_CHILDREN_NUMBER_OP: Queries._count,
    c.GET_EPHEMERALS_OP: Queries._ephemerals,
    c.SYNC_OP: Queries._sync,
    c.WHO_AM_I_OP: Queries._who,
    c.ADD_WATCH_OP: Queries._add_watch,
    c.CHECK_WATCHES_OP: Queries._check_watches,
    c.REMOVE_WATCHES_OP: Queries._remove_watches,
}

_MODES: Final = {
    c.PERSISTENT_WATCH: Mode.STANDING,
    c.PERSISTENT_RECURSIVE_WATCH: Mode.RECURSIVE,
}

_KINDS: Final = {
    c.CHILD_WATCHES: (Kind.CHILDREN,),
    c.DATA_WATCHES: (Kind.NODE,),
    c.ANY_WATCHES: (Kind.CHILDREN, Kind.NODE),
}


def _kinds(request: CheckWatchesRequest | RemoveWatchesRequest) -> tuple[Kind, ...]:
    if request.type not in _KINDS:
        raise MarshallingErrorException(request.path)
    return _KINDS[request.type]
