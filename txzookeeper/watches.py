"""The one-shot watches of a session: which are armed, what an event fires, how to arm them again.

Source: ``ZKWatchManager.materialize`` and ``ClientCnxn.primeConnection`` of ZooKeeper 3.8. Paths
are the server's, chroot included.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from twisted.internet.defer import Deferred

from txzookeeper.constants import (
    CHANGED_EVENT,
    CHILD_EVENT,
    CREATED_EVENT,
    DELETED_EVENT,
    SET_WATCHES_CHUNK,
)
from txzookeeper.event import ClientEvent
from txzookeeper.records import SetWatchesRequest

DATA: Final = 0
EXIST: Final = 1
CHILD: Final = 2

_FIRED_BY: Final[dict[int, tuple[int, ...]]] = {
    CREATED_EVENT: (DATA, EXIST),
    CHANGED_EVENT: (DATA, EXIST),
    DELETED_EVENT: (DATA, EXIST, CHILD),
    CHILD_EVENT: (CHILD,),
}

Watch = Deferred[ClientEvent]


class Watches:
    """The armed watches, by kind (``DATA``, ``EXIST``, ``CHILD``) and path."""

    def __init__(self) -> None:
        self._armed: tuple[dict[str, list[Watch]], ...] = ({}, {}, {})

    def __len__(self) -> int:
        """Count the watches."""
        return sum(len(watches) for paths in self._armed for watches in paths.values())

    def arm(self, kind: int, path: str, watch: Watch) -> None:
        """Remember a watch that the server has armed, unless it was cancelled meanwhile."""
        if not watch.called:
            self._armed[kind].setdefault(path, []).append(watch)

    def forget(self, path: str, watch: Watch) -> None:
        """Drop a cancelled watch, so that it is not armed again."""
        for paths in self._armed:
            if watch in paths.get(path, ()):
                paths[path].remove(watch)
                if not paths[path]:
                    del paths[path]

    def fired(self, event_type: int, path: str) -> list[Watch]:
        """Take out the watches that an event fires."""
        kinds = _FIRED_BY.get(event_type, ())
        return [watch for kind in kinds for watch in self._armed[kind].pop(path, ())]

    def clear(self) -> list[Watch]:
        """Take out all watches."""
        everything = [watch for paths in self._armed for group in paths.values() for watch in group]
        for paths in self._armed:
            paths.clear()
        return everything

    def rearming(self, last_zxid: int) -> Iterator[SetWatchesRequest]:
        """Give the requests that arm all watches on another server, each below 128 kB.

        The server fires at once those whose node has changed since ``last_zxid``.
        """
        chunk: tuple[list[str], ...] = ([], [], [])
        size = 0
        for kind, path in self._places():
            cost = 4 + len(path.encode())
            if size and size + cost > SET_WATCHES_CHUNK - 64:
                yield _request(last_zxid, chunk)
                chunk, size = ([], [], []), 0
            chunk[kind].append(path)
            size += cost
        if size:
            yield _request(last_zxid, chunk)

    def _places(self) -> list[tuple[int, str]]:
        return [(kind, path) for kind in (DATA, EXIST, CHILD) for path in self._armed[kind]]


def _request(last_zxid: int, chunk: tuple[list[str], ...]) -> SetWatchesRequest:
    data, exist, child = map(tuple, chunk)
    return SetWatchesRequest(last_zxid, data, exist, child)
