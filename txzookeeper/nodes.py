"""All nodes of a server by their paths, and the lists that save searching among them.

Source: ``DataTree.java`` of ZooKeeper 3.8.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from txzookeeper.datanode import ROOT, Node

_NONE: dict[str, None] = {}


class Nodes(dict[str, Node]):
    """Nodes by path; change them by `take` alone, which keeps the lists."""

    def __init__(self, nodes: Iterable[tuple[str, Node]]) -> None:
        super().__init__()
        self._children: dict[str, dict[str, None]] = {}
        self._ephemerals: dict[int, dict[str, None]] = {}
        self._mortals: dict[str, None] = {}
        for path, node in nodes:
            self[path] = node
            above, _, name = path.rpartition("/")
            if name:
                self._children.setdefault(above or ROOT, {})[name] = None
            if node.owner:
                self._own(path, node.owner)

    def take(self, path: str, node: Node | None) -> None:
        """Put a node in its place, or away."""
        before = self.get(path)
        had, has = (each.owner if each is not None else 0 for each in (before, node))
        if had != has:
            self._disown(path, had)
            self._own(path, has)
        if node is None:
            self._remove(path)
            return
        self[path] = node
        if before is None and path != ROOT:
            above, _, name = path.rpartition("/")
            self._children.setdefault(above or ROOT, {})[name] = None

    def children(self, path: str) -> Collection[str]:
        """Give the names of a node's children."""
        return self._children.get(path, _NONE)

    def below(self, path: str) -> int:
        """Count the nodes below a node, at whatever depth; the root is below the empty path."""
        if path in ("", ROOT):
            return len(self) - len(path)
        count, places = 0, [path]
        while places:
            place = places.pop()
            names = self._children.get(place, _NONE)
            count += len(names)
            places += [f"{place}/{name}" for name in names]
        return count

    def ephemerals(self, session: int) -> Collection[str]:
        """Give the paths of a session's ephemeral nodes."""
        return self._ephemerals.get(session, _NONE)

    def outlived(self, now: int) -> list[str]:
        """Give the containers and nodes with a time to live whose time is over (``now`` in ms)."""
        return [path for path in self._mortals if self[path].is_outlived(now)]

    def _remove(self, path: str) -> None:
        above, _, name = path.rpartition("/")
        self.pop(path, None)
        self._children.get(above or ROOT, {}).pop(name, None)
        self._children.pop(path, None)

    def _own(self, path: str, owner: int) -> None:
        if owner > 0:
            self._ephemerals.setdefault(owner, {})[path] = None
        elif owner < 0:
            self._mortals[path] = None

    def _disown(self, path: str, owner: int) -> None:
        if owner < 0:
            del self._mortals[path]
        elif owner > 0:
            paths = self._ephemerals[owner]
            del paths[path]
            if not paths:
                del self._ephemerals[owner]
