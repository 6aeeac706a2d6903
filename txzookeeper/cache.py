"""Nodes that are held in memory, and what is told of their changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from enum import Enum
from functools import partial
from typing import NamedTuple

from txzookeeper.records import Stat
from txzookeeper.turns import Turns, Work


class CachedNode(NamedTuple):
    """A node's data, and its stat as of when it was last looked at.

    What a stat says of children may be older than what is known of them.
    """

    data: bytes
    stat: Stat

    @property
    def version(self) -> tuple[int, int]:
        """What is different if somebody has written the data, be they the same."""
        return self.stat.czxid, self.stat.mzxid


class Kind(Enum):
    """What has become of a node, in comparison to what was told of it before."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class Change(NamedTuple):
    """What has become of a node; ``node`` is what is there now (None: it was removed)."""

    kind: Kind
    path: str
    node: CachedNode | None


ChangeCallback = Callable[[Change], object]


class Cache:
    """Nodes by their paths, and those who are told of their changes."""

    def __init__(self) -> None:
        self._nodes: dict[str, CachedNode] = {}
        self._children: dict[str, set[str]] = {}
        self._listeners: list[_Listener] = []

    def __len__(self) -> int:
        """Count the nodes."""
        return len(self._nodes)

    def __iter__(self) -> Iterator[str]:
        """Give the paths, each after that of its parent."""
        return iter(sorted(self._nodes))

    def get(self, path: str) -> CachedNode | None:
        """Give a node, or None if it is not there."""
        return self._nodes.get(path)

    def children(self, path: str) -> tuple[str, ...]:
        """Give the names of a node's children, in order."""
        return tuple(sorted(self._children.get(path, ())))

    def put(self, path: str, node: CachedNode) -> None:
        """Hold a node, in place of what was there."""
        before = self._nodes.get(path)
        self._nodes[path] = node
        if before is None:
            parent, name = split(path)
            self._children.setdefault(parent, set()).add(name)
        self._note(path, before)

    def remove(self, path: str) -> None:
        """Let go of a node, after all that are below it."""
        family = [path]
        for each in family:
            family += [join(each, name) for name in self._children.get(each, ())]
        for each in reversed(family):
            before = self._nodes.pop(each, None)
            if before is not None:
                self._forget_child(each)
                self._note(each, before)

    def join(self, callback: ChangeCallback) -> Callable[[], None]:
        """Tell somebody of all nodes, and then of their changes; gives how to end that."""
        listener = _Listener(self, callback)
        self._listeners.append(listener)
        for path in self:
            listener.note(path, None)

        def leave() -> None:
            listener.stop()
            if listener in self._listeners:
                self._listeners.remove(listener)

        return leave

    def dismiss(self) -> None:
        """Tell nobody anything any more."""
        for listener in self._listeners:
            listener.stop()
        self._listeners.clear()

    def _forget_child(self, path: str) -> None:
        parent, name = split(path)
        siblings = self._children[parent]
        siblings.discard(name)
        if not siblings:
            del self._children[parent]

    def _note(self, path: str, before: CachedNode | None) -> None:
        for listener in list(self._listeners):
            listener.note(path, before)


class _Listener:
    """Is told, of each node that changed, the difference between what he knows and what is now."""

    def __init__(self, cache: Cache, callback: ChangeCallback) -> None:
        self._cache = cache
        self._callback = callback
        self._known: OrderedDict[str, CachedNode | None] = OrderedDict()
        self._turns = Turns(self._next_call)
        self.stop = self._turns.stop

    def note(self, path: str, before: CachedNode | None) -> None:
        """Remember what he knows of a node that is another now."""
        self._known.setdefault(path, before)
        self._turns.wake()

    def _next_call(self) -> Work | None:
        while self._known:
            path, before = self._known.popitem(last=False)
            change = difference(path, before, self._cache.get(path))
            if change is not None:
                return partial(self._callback, change)
        return None


def difference(path: str, before: CachedNode | None, now: CachedNode | None) -> Change | None:
    """Say what has become of a node, or None if there is nothing to say."""
    if now is None:
        return None if before is None else Change(Kind.REMOVED, path, None)
    if before is None:
        return Change(Kind.ADDED, path, now)
    return None if before.version == now.version else Change(Kind.CHANGED, path, now)


def join(path: str, name: str) -> str:
    """Give the path of a node's child."""
    return f"/{name}" if path == "/" else f"{path}/{name}"


def split(path: str) -> tuple[str, str]:
    """Give the path of a node's parent, and its own name."""
    parent, _, name = path.rpartition("/")
    return parent or "/", name


def is_within(path: str, above: str) -> bool:
    """Say whether a path is this one, or below it."""
    return path == above or path.startswith(above.rstrip("/") + "/")
