"""A node and all that is below it, held in memory and kept up to date.

Note [Order]: events and replies of one connection come in the order in which things happened on
the server. A node's creation is told before it can have children, whose creations are told too.
So the children of a node that is known by its creation need not be listed, unless the connection
was lost meanwhile: events are lost with it.

Note [Looking again]: on a new connection the stat of each known node is asked for. Data are read
if its ``mzxid`` has changed, the names of children if its ``pzxid`` has.

Note [Denied]: what may not be read is not held, nor is what is below it, even if that may be read:
else what is held would depend on what was seen before. Nobody tells when an ACL changes; that
is found out at the next change of the node, or on the next connection.

Source of the idea: ``CuratorCache`` of Apache Curator.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from enum import IntEnum
from functools import partial
from typing import Final, TypeVar

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from txzookeeper import constants as c
from txzookeeper.awaiting import Awaiting
from txzookeeper.cache import Cache, CachedNode, ChangeCallback, is_within, join, split
from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import (
    ConnectionException,
    NoAuthException,
    NoNodeException,
    ZooKeeperException,
)
from txzookeeper.event import ClientEvent
from txzookeeper.retry import retry
from txzookeeper.standing import StandingWatch
from txzookeeper.waiters import Waiters

T = TypeVar("T")

LIMIT: Final = 100
"""How many nodes are read at a time."""

_ANSWERS: Final = (NoNodeException, NoAuthException)
_LOOK_AGAIN: Final = (c.CONNECTED_STATE, c.READONLY_STATE)


class Reason(IntEnum):
    """Why a node is to be visited; each is reason enough for what those before it ask for."""

    CHANGED = 0
    """It was made, or its data have changed: they are to be read."""

    UNSURE = 1
    """Anything may have happened to it: all is to be read that is different."""

    UNKNOWN = 2
    """Nothing is known of its children: they are to be listed."""


class Subtree:
    """A node and all nodes below it, as far as they may be read.

    It is kept up to date by one standing watch (ZooKeeper 3.6 and later), and outlives lost
    connections, and expired sessions of a ``ManagedClient``. The node need not be there: it may
    come and go. While the client is disconnected it says what was known last; see ``current``.
    """

    log = Logger()

    def __init__(self, client: ZookeeperClient, path: str, *, limit: int = LIMIT) -> None:
        self.path = path
        self._client = client
        self._limit = limit
        self._cache = Cache()
        self._watch: StandingWatch | None = None
        self._adding = False
        self._over = False
        self._added: Waiters[None] = Waiters()
        self._started: Deferred[Subtree] = Deferred(self._give_up)
        self._denied: set[str] = set()
        self._todo: OrderedDict[str, Reason] = OrderedDict()
        self._again: dict[str, Reason] = {}
        self._visits: dict[str, Awaiting] = {}

    # What is there.

    def get(self, path: str) -> CachedNode | None:
        """Give a node's data and stat, or None if it is not there."""
        return self._cache.get(path)

    def children(self, path: str) -> tuple[str, ...]:
        """Give the names of a node's children, in order; none if it is not there."""
        return self._cache.children(path)

    def __contains__(self, path: object) -> bool:
        """Say whether there is a node at this path."""
        return isinstance(path, str) and self._cache.get(path) is not None

    def __iter__(self) -> Iterator[str]:
        """Give the paths of all nodes, each after that of its parent."""
        return iter(self._cache)

    def __len__(self) -> int:
        """Count the nodes."""
        return len(self._cache)

    @property
    def current(self) -> bool:
        """Whether the client is connected, and all that it was told has been read."""
        reading = self._visits or self._todo
        return self._watch is not None and self._client.connected and not reading

    def subscribe(self, callback: ChangeCallback) -> Callable[[], None]:
        """Have ``callback(change)`` called: first for each node that is there, then for changes.

        A `Change` compares what is there to what the callback was told of before: several may be
        told as one. The callback may give a Deferred or be a coroutine; then its next call waits
        for it. What it raises is logged. Call what this gives to end it.
        """
        return self._cache.join(callback)

    # The beginning and the end.

    def start(self) -> Deferred[Subtree]:
        """Begin, once; fires when all nodes have been read, or it was stopped.

        Fails if the session ends before that, or if the server is too old. Cancelling it stops it.
        """
        self._adding = True
        Deferred.fromCoroutine(self._begin()).addErrback(self._failed)
        return self._started

    def stop(self) -> Deferred[None]:
        """End it: nothing is read and nobody told of anything from now on; what is held stays.

        Fires when the server has forgotten the watch, or is gone.
        """
        self._cache.dismiss()
        removed = self._halt()
        if not self._started.called:
            self._started.callback(self)
        return removed

    def _give_up(self, _: Deferred[Subtree]) -> None:
        self._halt()

    def _halt(self) -> Deferred[None]:
        self._over = True
        self._todo.clear()
        self._again.clear()
        for awaiting in list(self._visits.values()):
            awaiting.call_off()
        if self._watch is not None:
            return self._watch.remove()
        return self._added.wait() if self._adding else succeed(None)

    async def _begin(self) -> None:
        try:
            self._watch = await retry(self._client, self._add)
            if self._over:
                await self._watch.remove()
        finally:
            self._adding = False
            self._added.fire(None)
        if not self._over:
            self._demand(self.path, Reason.UNKNOWN)

    def _add(self) -> Deferred[StandingWatch]:
        if self._over:
            raise CancelledError
        return self._client.add_watch(self.path, self._told, recursive=True)

    def _failed(self, failure: Failure) -> None:
        if self._over:
            return
        self._halt()
        if not failure.check(ZooKeeperException):
            self.log.failure("While reading {path}", failure, path=self.path)
        self.log.info("The watch of {path} has ended: {error}", path=self.path, error=failure.value)
        if not self._started.called:
            self._started.errback(failure)

    # What happens.

    def _told(self, event: ClientEvent) -> None:
        path = event.path
        if self._over:
            return
        if event.type == c.SESSION_EVENT and event.connection_state in _LOOK_AGAIN:
            self._look_again()
        elif event.type in (c.SESSION_EVENT, c.PERSISTENT_WATCH_REMOVED_EVENT):
            message = f"The watch is gone: {event.type_name}, {event.state_name}."
            self._failed(Failure(ConnectionException(path, message)))
        elif event.type == c.DELETED_EVENT:
            self._gone(path)
            if path in self._visits:
                self._demand(path, Reason.CHANGED)
        else:
            new = event.type == c.CREATED_EVENT or path in self
            self._demand(path, Reason.CHANGED if new else Reason.UNKNOWN)

    def _look_again(self) -> None:
        if self._watch is None:
            return
        for path in self._visits:
            # What is read only now does not say what was missed before.
            self._again[path] = Reason.UNKNOWN
        for path in dict.fromkeys([self.path, *self._cache, *self._denied, *self._todo]):
            self._demand(path, Reason.UNSURE)

    def _below_denied(self, path: str) -> bool:
        while self._denied and path != self.path:
            path = split(path)[0]
            if path in self._denied:
                return True
        return False

    # One visit after the other.

    def _demand(self, path: str, why: Reason) -> None:
        places = self._again if path in self._visits else self._todo
        places[path] = max(why, places.get(path, why))
        self._visit_next()

    def _visit_next(self) -> None:
        while self._todo and len(self._visits) < self._limit:
            path, why = self._todo.popitem(last=False)
            self._visits[path] = awaiting = Awaiting()
            visit = Deferred.fromCoroutine(self._visit(path, why, awaiting))
            visit.addErrback(self._failed).addCallback(self._visited, path)

    def _visited(self, _: None, path: str) -> None:
        del self._visits[path]
        if path in self._again:
            self._todo[path] = self._again.pop(path)
        self._visit_next()
        if not (self._visits or self._over or self._started.called):
            self._started.callback(self)

    async def _visit(self, path: str, why: Reason, awaiting: Awaiting) -> None:
        known = self._cache.get(path) if why is Reason.UNSURE else None
        try:
            node = await self._read(path, known, awaiting)
            names: list[str] = []
            if why is not Reason.CHANGED and has_other_children(known, node):
                names = await self._ask(awaiting, self._client.get_children, path)
        except NoNodeException:
            self._gone(path)
        except NoAuthException as error:
            self.log.info("Left out: {error}", error=error)
            self._gone(path)
            self._denied.add(path)
        else:
            self._found(path, node, names)

    async def _read(self, path: str, known: CachedNode | None, awaiting: Awaiting) -> CachedNode:
        if known is not None:
            stat = await self._ask(awaiting, self._client.exists, path)
            if stat is None:
                raise NoNodeException(path)
            if (stat.czxid, stat.mzxid, stat.aversion) == (*known.version, known.stat.aversion):
                return CachedNode(known.data, stat)
        return CachedNode(*await self._ask(awaiting, self._client.get, path))

    async def _ask(self, awaiting: Awaiting, ask: Callable[[str], Deferred[T]], path: str) -> T:
        return await awaiting.reading(self._client, partial(ask, path), _ANSWERS)

    def _found(self, path: str, node: CachedNode, names: list[str]) -> None:
        if self._below_denied(path):
            return
        self._denied.discard(path)
        self._cache.put(path, node)
        for name in names:
            if join(path, name) not in self:
                self._demand(join(path, name), Reason.UNKNOWN)

    def _gone(self, path: str) -> None:
        self._denied = {each for each in self._denied if not is_within(each, path)}
        self._cache.remove(path)


def has_other_children(known: CachedNode | None, now: CachedNode) -> bool:
    """Say whether a node may have children that it had not when it was known."""
    changed = known is None or known.stat.pzxid != now.stat.pzxid
    return changed and now.stat.num_children > 0
