"""What the tests of subtrees share."""

from __future__ import annotations

import contextlib
from typing import Any

from twisted.internet.defer import Deferred

from txzookeeper.cache import Change, join
from txzookeeper.client import ZookeeperClient
from txzookeeper.constants import PERM_ALL, PERM_READ
from txzookeeper.errors import NoAuthException, NoNodeException
from txzookeeper.records import ACL
from txzookeeper.subtree import Subtree

Nodes = dict[str, bytes]

OPEN = [ACL(PERM_ALL, "world", "anyone")]
DENIED = [ACL(PERM_ALL - PERM_READ, "world", "anyone")]


async def nodes_of(client: ZookeeperClient, path: str) -> Nodes:
    """Read all nodes from the server that may be read."""
    found: Nodes = {}
    with contextlib.suppress(NoNodeException, NoAuthException):
        found[path] = (await client.get(path))[0]
        for name in await client.get_children(path):
            found |= await nodes_of(client, join(path, name))
    return found


def held(subtree: Subtree) -> Nodes:
    """Give all nodes that are in memory, and require that they are where their parents say."""
    found = {}
    for path in subtree:
        node = subtree.get(path)
        assert node is not None
        found[path] = node.data
        for name in subtree.children(path):
            assert join(path, name) in subtree
    return found


class Mirror:
    """Applies what it is told."""

    def __init__(self, subtree: Subtree) -> None:
        self.nodes: Nodes = {}
        self.changes: list[Change] = []
        self.leave = subtree.subscribe(self.tell)

    def tell(self, change: Change) -> None:
        """Apply a change."""
        self.changes.append(change)
        if change.node is None:
            del self.nodes[change.path]
        else:
            self.nodes[change.path] = change.node.data

    def words(self) -> list[tuple[str, str]]:
        """Give what was told since the last time."""
        changes, self.changes = self.changes, []
        return [(change.kind.value, change.path) for change in changes]


def changes(other: ZookeeperClient) -> list[Any]:
    """Give some changes to make."""
    family = ("/a/e", "/a/e/f", "/a/e/f/g", "/a/i", "/a/j", "/a/k")

    def make() -> Deferred[Any]:
        work = other.transaction()
        for path in family:
            work.create(path)
        return work.commit()

    def replace() -> Deferred[Any]:
        return other.transaction().delete("/a/b/c").delete("/a/b").create("/a/b", b"2").commit()

    return [
        lambda: other.create("/a/d"),
        lambda: other.create("/a/d/l"),
        lambda: other.create("/a/d/l/m"),
        make,
        lambda: other.create("/a/k/n"),
        replace,
        lambda: other.transaction().set("/a/b", b"3").create("/a/b/h").commit(),
        lambda: other.delete("/a/j"),
    ]
