"""The server's side of watches: who is to be told of what happens to a node.

A node has two kinds of watches, as in ZooKeeper: those on itself (set by exists and get, whether
or not there is a node) and those on the list of its children. Each waits once, or stands until it
is taken away; one that stands on both kinds of a node may be recursive: then it also hears of all
nodes below, but of no list of children, as it hears of the children themselves.

A session has one watch of a kind at a path, of the mode that was asked for last: a watch that
waits once takes the place of the one that stood there, as in ZooKeeper 3.8.

Source: ``WatchManager.java`` and ``DataTree.java`` of ZooKeeper 3.8.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from enum import IntEnum
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


class Kind(IntEnum):
    """What a watch is on: the node itself, or the list of its children."""

    NODE = 0
    CHILDREN = 1


class Mode(IntEnum):
    """How a watch watches: for one happening, for all at its path, or for all below it too."""

    ONCE = 0
    STANDING = 1
    RECURSIVE = 2


_FIRES: Final = {
    c.CREATED_EVENT: (Kind.NODE,),
    c.CHANGED_EVENT: (Kind.NODE,),
    c.DELETED_EVENT: (Kind.NODE, Kind.CHILDREN),
    c.CHILD_EVENT: (Kind.CHILDREN,),
}


class WatchTable:
    """The watches that are armed, by path and by session."""

    def __init__(self) -> None:
        self._waiting = [[_Waiting() for _ in Mode] for _ in Kind]
        self._everywhere = [waiting for modes in self._waiting for waiting in modes]
        self._paths: dict[int, set[str]] = {}

    def arm(self, kind: Kind, path: str, session: int, mode: Mode = Mode.ONCE) -> None:
        """Set a watch, in the place of any that the session has there."""
        for waiting in self._waiting[kind]:
            waiting.discard(path, session)
        self._waiting[kind][mode].add(path, session)
        self._paths.setdefault(session, set()).add(path)

    def disarm(self, kind: Kind, path: str, session: int) -> bool:
        """Take a session's watch away, and say whether it had one."""
        if not any(waiting.discard(path, session) for waiting in self._waiting[kind]):
            return False
        self._tidy(path, session)
        return True

    def is_watched(self, kind: Kind, path: str) -> bool:
        """Say whether anybody has a watch of this kind at this very path."""
        return any(waiting.at(path) for waiting in self._waiting[kind])

    def armed(self, kind: Kind) -> Iterator[tuple[str, int]]:
        """Give path and session of each watch of this kind."""
        for waiting in self._waiting[kind]:
            yield from waiting.items()

    def fire(self, happening: Happening) -> list[Fired]:
        """Give who is to be told, each session once, and take away what waited for this alone.

        Costs as much as the path has levels and the happening has listeners.
        """
        sessions: dict[int, None] = {}
        for kind in _FIRES[happening.type]:
            sessions.update(dict.fromkeys(self._listeners(kind, happening)))
        return [Fired(session, *happening) for session in sessions]

    def forget(self, session: int) -> None:
        """Drop all watches of a session: its connection is gone."""
        for path in self._paths.pop(session, ()):
            for waiting in self._everywhere:
                waiting.discard(path, session)

    def _listeners(self, kind: Kind, happening: Happening) -> Iterator[int]:
        path = happening.path
        once, standing, recursive = self._waiting[kind]
        for session in once.pop(path):
            self._tidy(path, session)
            yield session
        yield from standing.at(path)
        if recursive and happening.type != c.CHILD_EVENT:
            for place in _upwards(path):
                yield from recursive.at(place)

    def _tidy(self, path: str, session: int) -> None:
        """Forget that a session waits at a path, unless it still does."""
        if not any(session in waiting.at(path) for waiting in self._everywhere):
            paths = self._paths[session]
            paths.discard(path)
            if not paths:
                del self._paths[session]


class _Waiting:
    """Sessions by path: most paths have one, which then costs no more than a dict's entry."""

    def __init__(self) -> None:
        self._sessions: dict[str, int | dict[int, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._sessions)

    def items(self) -> Iterator[tuple[str, int]]:
        for path, sessions in self._sessions.items():
            yield from ((path, session) for session in _several(sessions))

    def at(self, path: str) -> Collection[int]:
        return _several(self._sessions.get(path))

    def pop(self, path: str) -> Collection[int]:
        return _several(self._sessions.pop(path, None))

    def add(self, path: str, session: int) -> None:
        known = self._sessions.setdefault(path, session)
        if isinstance(known, dict):
            known[session] = None
        elif known != session:
            self._sessions[path] = {known: None, session: None}

    def discard(self, path: str, session: int) -> bool:
        known = self._sessions.get(path)
        if session not in _several(known):
            return False
        if isinstance(known, dict) and len(known) > 1:
            del known[session]
        else:
            del self._sessions[path]
        return True


def _several(sessions: int | dict[int, None] | None) -> Collection[int]:
    if sessions is None:
        return ()
    return sessions if isinstance(sessions, dict) else (sessions,)


def _upwards(path: str) -> Iterable[str]:
    """Give a path and all that are above it."""
    yield path
    while len(path) > 1:
        path = path[: path.rindex("/")] or "/"
        yield path
