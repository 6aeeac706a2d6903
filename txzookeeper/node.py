"""A node as an object that remembers which version of it was seen."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple, Self

from twisted.internet.defer import Deferred

from txzookeeper.client import Operations
from txzookeeper.constants import ANY_VERSION
from txzookeeper.event import ClientEvent
from txzookeeper.records import ACL, Stat


class NodeEvent(NamedTuple):
    """What a node's watch is told: a `ClientEvent` and the `ZNode` it is about."""

    type: int
    connection_state: int
    path: str
    node: ZNode

    @property
    def type_name(self) -> str:
        """The event's type as a word."""
        return ClientEvent(*self[:3]).type_name

    @property
    def state_name(self) -> str:
        """The session's state as a word."""
        return ClientEvent(*self[:3]).state_name

    def __repr__(self) -> str:
        """Say it in words, for logs."""
        return f"<NodeEvent {self.type_name} at {self.node.path}, {self.state_name}>"


NodeWatch = Deferred[NodeEvent]


class ZNode:
    """A node of which the program knows some version, and which it changes only from there.

    The version is that of the data last read or written through this object, or, before any were,
    of the node last seen. ``set_data`` and ``delete`` fail with ``BadVersionException`` if the
    node is at another one: read it again. ``set_acl`` does so with the ACL last read. Whatever was
    not seen yet is changed at any version.

    ``context`` is the client, or a ``RetryClient``, or the like.
    """

    def __init__(self, path: str, context: Operations) -> None:
        self.path = path
        self._context = context
        self._version = ANY_VERSION
        self._acl_version = ANY_VERSION
        self._read = False

    def __repr__(self) -> str:
        """Say it in words, for logs."""
        return f"<ZNode {self.path}>"

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def version(self) -> int:
        """The version of the node's data that a change will be based on; -1 before any is known."""
        return self._version

    def create(
        self, data: bytes = b"", acls: Iterable[ACL] | None = None, flags: int = 0
    ) -> Deferred[Self]:
        """Make the node, and give this object; a sequence node's ``path`` gets its number."""
        return self._context.create(self.path, data, acls, flags).addCallback(self._created)

    def delete(self) -> Deferred[None]:
        """Delete the node at the version known, which is then known no more."""
        return self._context.delete(self.path, self._version).addCallback(self._deleted)

    def exists(self) -> Deferred[Stat | None]:
        """Give the node's stat, or None if there is no such node."""
        return self._context.exists(self.path).addCallback(self._seen)

    def exists_and_watch(self) -> tuple[Deferred[Stat | None], NodeWatch]:
        """Give the stat or None, and a Deferred of the next creation, change or deletion."""
        result, watch = self._context.exists_and_watch(self.path)
        return result.addCallback(self._seen), watch.addCallback(self._event)

    def get_data(self) -> Deferred[bytes]:
        """Give the node's data."""
        return self._context.get(self.path).addCallback(self._got)

    def get_data_and_watch(self) -> tuple[Deferred[bytes], NodeWatch]:
        """Give the data, and a Deferred of the next change or deletion."""
        result, watch = self._context.get_and_watch(self.path)
        return result.addCallback(self._got), watch.addCallback(self._event)

    def set_data(self, data: bytes) -> Deferred[Stat]:
        """Replace the data at the version known, and give the new stat."""
        return self._context.set(self.path, data, self._version).addCallback(self._written)

    def get_acl(self) -> Deferred[list[ACL]]:
        """Give the node's ACL."""
        return self._context.get_acl(self.path).addCallback(self._got_acl)

    def set_acl(self, acls: Iterable[ACL]) -> Deferred[Stat]:
        """Replace the ACL at the version last read, and give the new stat."""
        changed = self._context.set_acl(self.path, acls, self._acl_version)
        return changed.addCallback(self._set_acl)

    def get_children(self, prefix: str | None = None) -> Deferred[list[ZNode]]:
        """Give the children whose names start with the prefix, by their names' order."""
        return self._context.get_children(self.path).addCallback(partial(self._children, prefix))

    def get_children_and_watch(
        self, prefix: str | None = None
    ) -> tuple[Deferred[list[ZNode]], NodeWatch]:
        """Give the children, and a Deferred of the next change of their list: of any of them."""
        result, watch = self._context.get_children_and_watch(self.path)
        return result.addCallback(partial(self._children, prefix)), watch.addCallback(self._event)

    def _created(self, path: str) -> Self:
        self.path, self._version, self._acl_version, self._read = path, 0, 0, True
        return self

    def _deleted(self, _: None) -> None:
        self._version, self._acl_version, self._read = ANY_VERSION, ANY_VERSION, False

    def _seen(self, stat: Stat | None) -> Stat | None:
        if stat is not None and not self._read:
            self._version = stat.version
        return stat

    def _got(self, result: tuple[bytes, Stat]) -> bytes:
        data, stat = result
        self._written(stat)
        return data

    def _written(self, stat: Stat) -> Stat:
        self._version, self._read = stat.version, True
        return stat

    def _got_acl(self, result: tuple[list[ACL], Stat]) -> list[ACL]:
        acls, stat = result
        self._set_acl(stat)
        return acls

    def _set_acl(self, stat: Stat) -> Stat:
        self._acl_version = stat.aversion
        return stat

    def _children(self, prefix: str | None, names: list[str]) -> list[ZNode]:
        above = self.path.rstrip("/")
        wanted = sorted(name for name in names if name.startswith(prefix or ""))
        return [ZNode(f"{above}/{name}", self._context) for name in wanted]

    def _event(self, event: ClientEvent) -> NodeEvent:
        return NodeEvent(event.type, event.connection_state, event.path, self)
