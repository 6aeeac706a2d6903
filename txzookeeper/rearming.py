"""What a client does with its watches on a new connection: arm them again, and hear of the past.

Source: ``DataTree.setWatches`` of ZooKeeper 3.8.
"""

from __future__ import annotations

from collections.abc import Iterator

from txzookeeper import constants as c
from txzookeeper.datanode import ROOT, Node
from txzookeeper.nodes import Nodes
from txzookeeper.records import SetWatches2Request, SetWatchesRequest
from txzookeeper.watchtable import Fired, Kind, Mode, WatchTable


def rearm(
    request: SetWatchesRequest | SetWatches2Request,
    session: int,
    nodes: Nodes,
    watches: WatchTable,
) -> Iterator[Fired]:
    """Arm watches again, and fire those whose moment passed while nobody could tell.

    The standing ones hear of nothing that they missed.
    """
    missed = _Missed(request.relative_zxid, nodes)
    for paths, event, kind in [
        (request.data, missed.change, Kind.NODE),
        (request.exist, missed.creation, Kind.NODE),
        (request.child, missed.children, Kind.CHILDREN),
    ]:
        for path in paths:
            happened = event(path)
            if happened:
                yield Fired(session, happened, path)
            else:
                watches.arm(kind, path, session)
    if isinstance(request, SetWatches2Request):
        _stand(request.persistent, session, watches, Mode.STANDING)
        _stand(request.recursive, session, watches, Mode.RECURSIVE)


def _stand(paths: tuple[str, ...], session: int, watches: WatchTable, mode: Mode) -> None:
    for path in paths:
        for kind in Kind:
            watches.arm(kind, path, session, mode)


class _Missed:
    """The event that a watch of each sort missed since a transaction, or 0."""

    def __init__(self, since: int, nodes: Nodes) -> None:
        self._since = since
        self._nodes = nodes

    def change(self, path: str) -> int:
        node = self._find(path)
        if node is None:
            return c.DELETED_EVENT
        return c.CHANGED_EVENT if node.mzxid > self._since else 0

    def creation(self, path: str) -> int:
        return 0 if self._find(path) is None else c.CREATED_EVENT

    def children(self, path: str) -> int:
        node = self._find(path)
        if node is None:
            return c.DELETED_EVENT
        return c.CHILD_EVENT if node.pzxid > self._since else 0

    def _find(self, path: str) -> Node | None:
        return self._nodes.get(path or ROOT)
