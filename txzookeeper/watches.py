"""The watches of a session: which are armed, what an event fires, how to arm them again.

A one-shot watch is a Deferred; a standing one calls back for every event until it is removed. A
server of ZooKeeper 3.8 knows one mode for each node and connection: a one-shot watch set where a
standing one is would replace it. So where one stands, one-shot watches are armed here only, and
live on its events; see Note [Recursive] for those that it lacks.

Note [Recursive]: a recursive watch is told of a child's creation and deletion, but not that the
list of children has changed. Where the server has such a watch, the latter is inferred.

Source: ``ZKWatchManager.materialize``, ``ClientCnxn.primeConnection`` and ``WatchManager`` of
ZooKeeper 3.8. Paths are the server's, chroot included.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from twisted.internet.defer import Deferred

from txzookeeper import constants as c
from txzookeeper.bundles import Bundles
from txzookeeper.event import ClientEvent
from txzookeeper.records import SetWatches2Request, SetWatchesRequest, WatcherEvent
from txzookeeper.standing import StandingWatch

DATA: Final = 0
EXIST: Final = 1
CHILD: Final = 2
_PERSISTENT: Final = 3
_RECURSIVE: Final = 4

_FIRED_BY: Final[dict[int, tuple[int, ...]]] = {
    c.CREATED_EVENT: (DATA, EXIST),
    c.CHANGED_EVENT: (DATA, EXIST),
    c.DELETED_EVENT: (DATA, EXIST, CHILD),
    c.CHILD_EVENT: (CHILD,),
}

REMOVED_KINDS: Final[dict[int, tuple[int, ...]]] = {
    c.DATA_WATCHES: (DATA, EXIST),
    c.CHILD_WATCHES: (CHILD,),
    c.ANY_WATCHES: (DATA, EXIST, CHILD),
}
"""The kinds of one-shot watches that a type of removal takes away."""

Watch = Deferred[ClientEvent]
Rearming = SetWatchesRequest | SetWatches2Request


class OneShot(Deferred[ClientEvent]):
    """A one-shot watch, which knows its path and so needs no canceller of its own."""

    def __init__(self, forget: Callable[[Watch], None], full: str) -> None:
        super().__init__(forget)
        self.full = full


class Watches:
    """The armed watches: one-shot by kind (``DATA``, ``EXIST``, ``CHILD``) and path, and standing.

    ``modes`` is what standing watch the server has, or has been asked for, at each path.
    """

    def __init__(self) -> None:
        self.modes: dict[str, int] = {}
        self._armed: tuple[Bundles[Watch], ...] = (Bundles(), Bundles(), Bundles())
        self._standing: dict[str, list[StandingWatch]] = {}
        # Held, so that all watches share it.
        self._forget = self.forget
        self._leaning: Counter[str] = Counter()

    def __len__(self) -> int:
        """Count the watches."""
        return sum(map(len, self._armed)) + len(self.standing())

    def deliver(self, event: WatcherEvent, seen: Callable[[WatcherEvent], ClientEvent]) -> None:
        """Tell all watches that an event is for; ``seen`` gives it as the program sees it."""
        if not (self._standing or self.modes):
            fire(self.fired(event.type, event.path), seen(event))
            return
        told = list(self.told(event.type, event.path))
        fire(self.fired(event.type, event.path), seen(event))
        above = self._inferred(event.type, event.path)
        if above is not None:
            changed = WatcherEvent(c.CHILD_EVENT, event.state, above)
            fire(self.fired(c.CHILD_EVENT, above), seen(changed))
        for watch, kind, path in told:
            watch.tell(seen(WatcherEvent(kind, event.state, path)))

    # One-shot watches.

    def new(self, path: str) -> Watch:
        """Make a one-shot watch that is not armed yet; cancelled, it is forgotten."""
        return OneShot(self._forget, path)

    def arm(self, kind: int, path: str, watch: Watch) -> None:
        """Remember a watch that the server has armed, unless it was cancelled meanwhile."""
        if not watch.called:
            self._armed[kind].add(path, watch)

    def forget(self, watch: Watch) -> None:
        """Drop a cancelled watch, so that it is not armed again."""
        path = watch.full if isinstance(watch, OneShot) else ""
        for armed in self._armed:
            armed.discard(path, watch)

    def fired(self, event_type: int, path: str) -> list[Watch]:
        """Take out the one-shot watches that an event fires."""
        kinds = _FIRED_BY.get(event_type, ())
        return self.taken(path, kinds)

    def armed(self, path: str, kinds: tuple[int, ...]) -> bool:
        """Say whether there are one-shot watches of some kinds at a path."""
        return any(path in self._armed[kind] for kind in kinds)

    def taken(self, path: str, kinds: tuple[int, ...]) -> list[Watch]:
        """Take out the one-shot watches of some kinds from a path."""
        return [watch for kind in kinds for watch in self._armed[kind].take(path)]

    def clear(self) -> list[Watch]:
        """Take out all one-shot watches."""
        return [watch for armed in self._armed for watch in armed.take_all()]

    # Standing watches.

    def stand(self, watch: StandingWatch) -> None:
        """Remember a standing watch; the mode at its path grows to what all of them need."""
        self._standing.setdefault(watch.full, []).append(watch)
        self.keep_standing(watch.full)

    def keep_standing(self, path: str) -> None:
        """Have the mode at a path that all standing watches there need."""
        modes = [watch.mode for watch in self.standing(path)]
        if modes:
            self.modes[path] = max(*modes, self.modes.get(path, c.PERSISTENT_WATCH))

    def retire(self, watch: StandingWatch) -> bool:
        """Drop a standing watch, and say whether it was there."""
        watches = self._standing.get(watch.full, [])
        if watch not in watches:
            return False
        watches.remove(watch)
        if not watches:
            del self._standing[watch.full]
        return True

    def standing(self, path: str | None = None) -> list[StandingWatch]:
        """Give the standing watches of a path, or all."""
        if path is not None:
            return list(self._standing.get(path, ()))
        return [watch for watches in self._standing.values() for watch in watches]

    def told(self, event_type: int, path: str) -> Iterator[tuple[StandingWatch, int, str]]:
        """Give the standing watches that an event is for, with the event's type and path."""
        for watch in self.standing(path):
            if not watch.recursive or event_type != c.CHILD_EVENT:
                yield watch, event_type, path
        if event_type != c.CHILD_EVENT:
            for above in _ancestors(path) if self._standing else ():
                for watch in self.standing(above):
                    if watch.recursive:
                        yield watch, event_type, path
        parent = self._inferred(event_type, path)
        for watch in self.standing(parent) if parent is not None else ():
            if not watch.recursive:
                yield watch, c.CHILD_EVENT, watch.full

    def lean(self, path: str) -> bool:
        """Say whether a one-shot watch can live on the standing one that the server has there.

        Then it counts as one that needs it, until ``leaned`` is called: it is on its way.
        """
        if path not in self.modes:
            return False
        self._leaning[path] += 1
        return True

    def leans(self, path: str) -> bool:
        """Say whether a one-shot watch that is on its way lives on the standing one there."""
        return path in self._leaning

    def leaned(self, path: str) -> None:
        """Take back a ``lean``: the one-shot watch has been armed, or will not be."""
        self._leaning[path] -= 1
        if not self._leaning[path]:
            del self._leaning[path]

    def needs(self, path: str) -> bool:
        """Say whether any watch at this path lives on what the server has there."""
        kept = path in self._standing or path in self._leaning
        return kept or any(path in paths for paths in self._armed)

    def _inferred(self, event_type: int, path: str) -> str | None:
        # See Note [Recursive].
        if not self.modes or event_type not in (c.CREATED_EVENT, c.DELETED_EVENT):
            return None
        parent = path[: path.rindex("/")] or "/"
        return parent if self.modes.get(parent) == c.PERSISTENT_RECURSIVE_WATCH else None

    # All of them.

    def rearming(self, last_zxid: int) -> Iterator[Rearming]:
        """Give the requests that arm all watches on another server, each below 128 kB.

        The server fires at once those one-shot watches whose node has changed since
        ``last_zxid``; those that stand are told nothing.
        """
        self.modes = {path: mode for path, mode in self.modes.items() if self.needs(path)}
        chunk: tuple[list[str], ...] = ([], [], [], [], [])
        size = 0
        for kind, path in self._places():
            cost = 4 + len(path.encode())
            if size and size + cost > c.SET_WATCHES_CHUNK - 64:
                yield _request(last_zxid, chunk)
                chunk, size = ([], [], [], [], []), 0
            chunk[kind].append(path)
            size += cost
        if size:
            yield _request(last_zxid, chunk)

    def _places(self) -> list[tuple[int, str]]:
        armed = [(kind, path) for kind in (DATA, EXIST, CHILD) for path in self._armed[kind]]
        kinds = {c.PERSISTENT_WATCH: _PERSISTENT, c.PERSISTENT_RECURSIVE_WATCH: _RECURSIVE}
        return armed + [(kinds[mode], path) for path, mode in self.modes.items()]


def fire(watches: list[Watch], event: ClientEvent) -> None:
    """Fire one-shot watches, except for those that were cancelled."""
    for watch in watches:
        if not watch.called:
            watch.callback(event)


def _request(last_zxid: int, chunk: tuple[list[str], ...]) -> Rearming:
    data, exist, child, persistent, recursive = map(tuple, chunk)
    if persistent or recursive:
        return SetWatches2Request(last_zxid, data, exist, child, persistent, recursive)
    return SetWatchesRequest(last_zxid, data, exist, child)


def _ancestors(path: str) -> Iterator[str]:
    while path != "/":
        path = path[: path.rindex("/")] or "/"
        yield path
