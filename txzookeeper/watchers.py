"""Watchers: what is at a node, or which children it has, told at the start and whenever it changes.

They tell the last state, not each event: several changes may be told at once. A callback may give
a Deferred or be a coroutine; then the next call waits for it. What it raises is logged, and
harms nobody. Watchers outlive lost connections, and with a ``ManagedClient`` expired sessions.
What may not be read is tried again after some seconds, as nobody tells when it may.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, Generic, Self, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from txzookeeper.awaiting import Awaiting
from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import NoNodeException
from txzookeeper.event import ClientEvent
from txzookeeper.records import Stat
from txzookeeper.turns import Turns, Work

T = TypeVar("T")
R = TypeVar("R")

Watch = Deferred[ClientEvent]

DataCallback = Callable[[bytes | None, Stat | None], object]
"""(data, stat), both None if there is no node."""

ChildrenCallback = Callable[[tuple[str, ...] | None, tuple[str, ...], tuple[str, ...]], object]
"""(names, added, removed), each in order; ``names`` is None if there is no node."""

_NOTHING: Final = object()


class Watcher(ABC, Generic[T]):
    """What all watchers have in common; ``T`` is the state that they follow."""

    log = Logger()

    def __init__(self, client: ZookeeperClient, path: str) -> None:
        self.path = path
        self._client = client
        self._awaiting = Awaiting()
        self._turns = Turns(self._next_call)
        self._state: T | None = None
        self._told: object = _NOTHING
        self._started: Deferred[Any] = Deferred(lambda _: self._stop())

    def start(self) -> Deferred[Self]:
        """Begin, once; fires when the first state was found and told, or the watcher was stopped.

        Fails if the session ends before that. Cancelling it stops the watcher.
        """
        Deferred.fromCoroutine(self._follow()).addErrback(self._ended)
        return self._started

    def stop(self) -> None:
        """End it: from now on nothing is watched, and no callback called."""
        self._stop()
        if not self._started.called:
            self._started.callback(self)

    def _stop(self) -> None:
        self._turns.stop()
        self._awaiting.call_off()

    @abstractmethod
    async def _look(self) -> tuple[T, Watch]:
        """Read the state, and give a watch for when it changes."""

    @abstractmethod
    def _next_call(self) -> Work | None:
        """Give the call that tells the state, unless it has been told."""

    async def _follow(self) -> None:
        while not self._awaiting.over:
            self._state, changed = await self._awaiting.reading(self._client, self._look)
            self._turns.wake()
            if not self._started.called:
                self._started.callback(self)
            try:
                await self._awaiting(changed)
            finally:
                drop(changed)

    def _ended(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            return
        self.log.info("The watch of {path} has ended: {error}", path=self.path, error=failure.value)
        if not self._started.called:
            self._started.errback(failure)


class NodeWatcher(Watcher[tuple[bytes | None, Stat | None]]):
    """Follows a node's data: ``callback(data, stat)``, with None and None if there is no node.

    A node that is deleted and made again is told anew even if its data are the same.
    """

    def __init__(self, client: ZookeeperClient, path: str, callback: DataCallback) -> None:
        super().__init__(client, path)
        self._callback = callback

    @property
    def data(self) -> bytes | None:
        """The data last seen; None if there was no node, or nothing was seen yet."""
        return None if self._state is None else self._state[0]

    @property
    def stat(self) -> Stat | None:
        """The stat last seen, as ``data``."""
        return None if self._state is None else self._state[1]

    async def _look(self) -> tuple[tuple[bytes | None, Stat | None], Watch]:
        found = await look(self._client, self.path, self._client.get_and_watch)
        return found[0] or (None, None), found[1]

    def _next_call(self) -> Work | None:
        version = None if self.stat is None else (self.stat.czxid, self.stat.mzxid)
        if version == self._told:
            return None
        self._told = version
        return partial(self._callback, self.data, self.stat)


class ChildrenWatcher(Watcher[tuple[str, ...] | None]):
    """Follows which children a node has: ``callback(names, added, removed)``.

    ``names`` is None if there is no node. The others say what is different from the last call; a
    child that was deleted and made again in between is in neither of them.
    """

    def __init__(self, client: ZookeeperClient, path: str, callback: ChildrenCallback) -> None:
        super().__init__(client, path)
        self._callback = callback
        self._before: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...] | None:
        """The names last seen, in order; None if there was no node, or nothing was seen yet."""
        return self._state

    async def _look(self) -> tuple[tuple[str, ...] | None, Watch]:
        found = await look(self._client, self.path, self._client.get_children_and_watch)
        return None if found[0] is None else tuple(sorted(found[0])), found[1]

    def _next_call(self) -> Work | None:
        if self.names == self._told:
            return None
        self._told = self.names
        before, self._before = self._before, self.names or ()
        added, removed = set(self._before) - set(before), set(before) - set(self._before)
        return partial(self._callback, self.names, tuple(sorted(added)), tuple(sorted(removed)))


async def look(
    client: ZookeeperClient, path: str, read: Callable[[str], tuple[Deferred[R], Watch]]
) -> tuple[R | None, Watch]:
    """Read something about a node, and give it with a watch; None with a watch if it is not there.

    No watch is left behind if it fails or is cancelled.
    """
    while True:
        with suppress(NoNodeException):
            return await _both(read(path))
        stat, watch = await _both(client.exists_and_watch(path))
        if stat is None:
            return None, watch
        drop(watch)


def drop(watch: Watch) -> None:
    """Do without a watch."""
    watch.addErrback(lambda _: None)
    watch.cancel()


async def _both(pair: tuple[Deferred[R], Watch]) -> tuple[R, Watch]:
    result, watch = pair
    try:
        return await result, watch
    except Exception:
        drop(watch)
        raise
