"""How much there is below the nodes that have a quota.

A client gives ``/a`` a quota by making two nodes, ``zookeeper_limits`` and ``zookeeper_stats``
below ``/zookeeper/quota/a``. From then on the server writes into the latter how many nodes there
are from ``/a`` on, and how many bytes they hold, as a part of each transaction that changes it; it
counts for the nearest quota only. No watch tells of that, and no version. More than the limits is
not refused: ZooKeeper 3.8 does that only if it is started for it (``enforceQuota``).

Source: ``DataTree.java``, ``Quotas.java`` and ``StatsTrack.java`` of ZooKeeper 3.8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, Self

from txzookeeper.datanode import QUOTA, ROOT, Node
from txzookeeper.nodes import Nodes

_LIMITS: Final = "/zookeeper_limits"
_USAGE: Final = "/zookeeper_stats"
_COUNTS: Final = re.compile(rb"count=(-?\d{1,18}),bytes=(-?\d{1,18})(?!\d)")


class Usage(NamedTuple):
    """How many nodes, and how many bytes are in them."""

    nodes: int = 0
    size: int = 0

    @classmethod
    def of(cls, node: Node | None, sign: int = 1) -> Self:
        """Give what one node makes, or the lack of one."""
        return cls() if node is None else cls(sign, sign * len(node.data or b""))

    def plus(self, other: Usage) -> Usage:
        """Give both together."""
        return Usage(self.nodes + other.nodes, self.size + other.size)

    def written(self) -> bytes:
        """Give it as it is kept."""
        return b"count=%d,bytes=%d" % self


def counted(before: Mapping[str, Node | None], nodes: Nodes) -> dict[str, Node]:
    """Give the nodes that tell of usage as they have to be after a transaction.

    ``before`` has what it changed, as that was; ``nodes`` all, as they are now.
    """
    grown: dict[str, Usage] = {}
    for path, old in before.items():
        limited = _limited(path, nodes)
        if limited is not None:
            growth = Usage.of(nodes.get(path)).plus(Usage.of(old, -1))
            grown[limited] = grown.get(limited, Usage()).plus(growth)
    told = [(f"{QUOTA}{limited}{_USAGE}", growth) for limited, growth in grown.items()]
    changed = {path: _grown(nodes[path], growth) for path, growth in told if path in nodes}
    new = [path for path, old in before.items() if old is None and _tells(path, nodes)]
    return changed | {path: _begun(path, nodes) for path in new}


def _limited(path: str, nodes: Nodes) -> str | None:
    """Give the nearest node, from this one upwards, that has a quota."""
    while path != ROOT:
        if f"{QUOTA}{path}{_LIMITS}" in nodes:
            return path
        path = path[: path.rindex("/")] or ROOT
    return None


def _grown(node: Node, growth: Usage) -> Node:
    found = _COUNTS.match(node.data or b"")
    if found is None:
        return node
    usage = Usage(*map(int, found.groups())).plus(growth)
    return node._replace(data=usage.written() + found.string[found.end() :])


def _tells(path: str, nodes: Nodes) -> bool:
    return path.startswith(f"{QUOTA}/") and path.endswith(_USAGE) and path in nodes


def _begun(path: str, nodes: Nodes) -> Node:
    usage = Usage()
    for node in _from(path[len(QUOTA) : -len(_USAGE)], nodes):
        usage = usage.plus(Usage.of(node))
    return nodes[path]._replace(data=usage.written())


def _from(path: str, nodes: Nodes) -> Iterator[Node]:
    """Give a node and all below it; none if it is not there."""
    places = [path] if path in nodes else []
    while places:
        place = places.pop()
        yield nodes[place]
        places += [f"{place}/{name}" for name in nodes.children(place)]
