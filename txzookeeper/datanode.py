"""A node of the tree as a server keeps it, and the kinds of nodes there are.

Source: ``DataNode.java``, ``EphemeralType.java`` and ``DataTree.java`` of ZooKeeper 3.8.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from txzookeeper import constants as c
from txzookeeper.records import ACL, Stat

ROOT: Final = "/"
QUOTA: Final = "/zookeeper/quota"
SPECIAL_PATHS: Final = frozenset({ROOT, "/zookeeper", QUOTA, "/zookeeper/config"})
"""Nodes that every server has from its birth, and that cannot be deleted."""

CONTAINER_OWNER: Final = -(1 << 63)
"""The owner of a container: a node that the server deletes when its last child is gone."""

MAX_TTL: Final = (1 << 40) - 1
"""The longest time to live in ms: about 34 years."""

_TTL_OWNER: Final = -(1 << 56)


def ttl_owner(ttl: int) -> int:
    """Give the owner of a node that lives for 1 to `MAX_TTL` ms after its last change."""
    return _TTL_OWNER + ttl


class Node(NamedTuple):
    """A node as it is kept; ``creates`` counts the children it ever had, and numbers sequences.

    ``owner`` is the session of an ephemeral node, 0 for a node that stays, and negative for those
    that the server deletes in time: `CONTAINER_OWNER`, or what `ttl_owner` gives. Clients can write
    null instead of ``data``, and read it again.
    """

    data: bytes | None
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
        """Give what clients see: there, ``cversion`` counts creations and deletions of children.

        Of an owner they see a session only.
        """
        return Stat(
            czxid=self.czxid,
            mzxid=self.mzxid,
            ctime=self.ctime,
            mtime=self.mtime,
            version=self.version,
            cversion=self.creates * 2 - self.children,
            aversion=self.aversion,
            ephemeral_owner=max(self.owner, 0),
            data_length=len(self.data or b""),
            num_children=self.children,
            pzxid=self.pzxid,
        )

    def is_outlived(self, now: int) -> bool:
        """Say whether the time is over of a container or a node with a time to live.

        A container's is when it has had children and has none; the other's when it has none and
        its data has not changed for longer than it was to live.
        """
        if self.children or self.owner >= 0:
            return False
        if self.owner == CONTAINER_OWNER:
            return self.creates > 0
        return now - self.mtime > self.owner - _TTL_OWNER


def born() -> Iterable[tuple[str, Node]]:
    """Give the nodes that a new server has, parents first."""
    anyone = (ACL(c.PERM_ALL, "world", "anyone"),)
    yield ROOT, Node(b"", anyone, children=1)
    yield "/zookeeper", Node(b"", anyone, children=2)
    yield QUOTA, Node(b"", anyone)
    yield "/zookeeper/config", Node(b"", (ACL(c.PERM_READ, "world", "anyone"),), aversion=-1)
