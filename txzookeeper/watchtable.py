"""The server's side of watches: who is to be told, once, of what happens to a node.

A node has two kinds of watches, as in ZooKeeper: those on itself (set by exists and get, whether
or not there is a node) and those on the list of its children.

Source: ``WatchManager.java`` and ``DataTree.java`` of ZooKeeper 3.8.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from txzookeeper import constants as c
from txzookeeper.records import ACL


class Happening(NamedTuple):
    """Something that watches may wait for: an event type of `txzookeeper.constants`, and where.

    Only those who may read by ``acls`` are to hear of it (CVE-2024-23944); empty: everybody.
    """

    type: int
    path: str
    acls: tuple[ACL, ...] = ()


class Fired(NamedTuple):
    """A watch that went off: whose it was, what happened, where, and who may hear of it."""

    session: int
    type: int
    path: str
    acls: tuple[ACL, ...] = ()


class Kind(Enum):
    """What a watch is on: the node itself, or the list of its children."""

    NODE = "node"
    CHILDREN = "children"


_FIRES: Final = {
    c.CREATED_EVENT: (Kind.NODE,),
    c.CHANGED_EVENT: (Kind.NODE,),
    c.DELETED_EVENT: (Kind.NODE, Kind.CHILDREN),
    c.CHILD_EVENT: (Kind.CHILDREN,),
}

_Key = tuple[Kind, str]


class WatchTable:
    """The watches that are armed, by node and by session."""

    def __init__(self) -> None:
        self._sessions: dict[_Key, dict[int, None]] = {}
        self._keys: dict[int, set[_Key]] = {}

    def arm(self, kind: Kind, path: str, session: int) -> None:
        """Set a watch; set twice, it still fires once."""
        key = kind, path
        self._sessions.setdefault(key, {})[session] = None
        self._keys.setdefault(session, set()).add(key)

    def fire(self, happening: Happening) -> list[Fired]:
        """Take away the watches that waited for this; a session that had two is told once."""
        sessions: dict[int, None] = {}
        for kind in _FIRES[happening.type]:
            key = kind, happening.path
            for session in self._sessions.pop(key, ()):
                self._keys[session].discard(key)
                sessions[session] = None
        return [Fired(session, *happening) for session in sessions]

    def forget(self, session: int) -> None:
        """Drop all watches of a session: its connection is gone."""
        for key in self._keys.pop(session, ()):
            waiting = self._sessions[key]
            del waiting[session]
            if not waiting:
                del self._sessions[key]
