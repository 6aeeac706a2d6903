"""Queues: whoever puts an item in, exactly one of those who get takes it out, first come first.

The queue's node has to be there. Its children that are no items are left alone.

`Queue` gives the data of an item that has been removed: if the program fails then, it is lost.
`ReliableQueue` gives a `QueueItem`, which the program deletes when its work is done: if the
program's session ends before, another worker gets it, so it may be worked on twice.
`SerializedQueue` does the same, and gives no item while another is being worked on.

A broken connection neither loses an item nor gives it twice. There is one exception: when the
answer to the removal of an item is lost, and the session ends before the next connection, nobody
knows any more who has removed it, and a `Queue` does not give it.

Source: the recipe for queues in ZooKeeper's documentation. In difference to it, an item is
claimed before it is removed; see ``txzookeeper.claims``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Coroutine, Iterable
from random import Random
from typing import Any, Generic, TypeVar

from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.logger import Logger
from twisted.python.failure import Failure

from txzookeeper.awaiting import Awaiting
from txzookeeper.claims import Claims, QueueItem
from txzookeeper.client import ZookeeperClient
from txzookeeper.constants import EPHEMERAL, SEQUENCE
from txzookeeper.errors import (
    NoAuthException,
    NoNodeException,
    NotEmptyException,
    RequestTooLargeException,
    ZooKeeperException,
)
from txzookeeper.items import PREFIX, Listing, read_names
from txzookeeper.records import ACL

T = TypeVar("T")

__all__ = ["Queue", "QueueItem", "ReliableQueue", "SerializedQueue"]


class ItemQueue(ABC, Generic[T]):
    """What all queues have in common; ``path`` is the queue's node.

    ``acl`` is for the items and for what marks them as taken: workers need to read, write and
    delete. Items that are not ``persistent`` vanish with the session of who put them in. What
    workers write has names that ``random`` makes different.
    """

    log = Logger()

    def __init__(
        self,
        path: str,
        client: ZookeeperClient,
        acl: Iterable[ACL] | None = None,
        persistent: bool = False,
        *,
        random: Random | None = None,
    ) -> None:
        self.path = path
        self.persistent = persistent
        self._client = client
        self._claims = Claims(client, path, acl, random or Random())
        self._getters: deque[Deferred[T]] = deque()
        self._awaiting = Awaiting()
        self._serving = False
        self._outdated = False
        self._strange: set[str] = set()

    def put(self, data: bytes) -> Deferred[str]:
        """Put an item in at the end, and give its path.

        If it fails with ``ConnectionLossException`` the item may be there or not.
        """
        flags = SEQUENCE if self.persistent else SEQUENCE | EPHEMERAL
        return self._client.create(f"{self.path}/{PREFIX}", data, self._claims.acl, flags)

    def get(self) -> Deferred[T]:
        """Take the first item out, as soon as there is one.

        Cancelling it, also by ``addTimeout``, leaves the item in the queue, or puts it back. Fails
        if the session ends, or if the queue's node is missing or may not be read.
        """
        getter: Deferred[T] = Deferred(self._give_up)
        self._getters.append(getter)
        if not self._serving:
            self._serving = True
            Deferred.fromCoroutine(self._serve()).addErrback(self._failed)
        return getter

    def qsize(self) -> Deferred[int]:
        """Count the items, also those that are being worked on."""
        names = self._client.get_children(self.path)
        return names.addCallback(lambda names: len(read_names(names).items))

    @abstractmethod
    def _free(self, listing: Listing) -> list[str]:
        """Give the items of a list that may be taken, in order."""

    @abstractmethod
    async def _hand_over(self, item: QueueItem) -> None:
        """Give an item to one who waits for it."""

    # One loop serves all who wait, as long as there are any.

    async def _serve(self) -> None:
        while self._getters:
            self._outdated = False
            listed, changed = self._claims.look()
            try:
                listing = await self._awaiting(listed)
                await self._take_all(listing)
                if self._getters and not self._outdated:
                    await self._awaiting(changed)
            except CancelledError:
                continue
            finally:
                changed.addErrback(lambda _: None)
                changed.cancel()
        self._serving = False

    def _give_up(self, getter: Deferred[T]) -> None:
        if getter in self._getters:
            self._getters.remove(getter)
        if not self._getters:
            self._awaiting.interrupt()

    def _failed(self, failure: Failure) -> None:
        self._serving = False
        getters, self._getters = self._getters, deque()
        for getter in getters:
            if not getter.called:
                getter.errback(failure)

    async def _take_all(self, listing: Listing) -> None:
        """Take as many items as are wanted, all at once: their answers come in their order."""
        self._strange.intersection_update(listing.items)
        possible = [name for name in listing.items if name not in self._strange]
        free = deque(self._free(listing._replace(items=possible)))
        while free and self._getters:
            wanted = min(len(free), len(self._getters))
            await _all([self._take(free.popleft(), listing.horizon) for _ in range(wanted)])

    async def _take(self, name: str, horizon: int) -> None:
        try:
            item = await self._claims.claim(name, horizon)
        except (NoAuthException, RequestTooLargeException) as error:
            if error.index == 1:
                raise
            self._set_aside(name, error)
            return
        if item is None:
            self._outdated = True
        elif self._getters:
            await self._hand_over(item)
        else:
            await item.release()

    def _set_aside(self, name: str, error: ZooKeeperException) -> None:
        """Go on without an item that cannot be taken."""
        self.log.warn("Cannot take {name}: {error}", name=f"{self.path}/{name}", error=error)
        self._strange.add(name)


class Queue(ItemQueue[bytes]):
    """A queue whose items are removed when they are taken."""

    def _free(self, listing: Listing) -> list[str]:
        return [name for name in listing.items if name not in listing.claimed]

    async def _hand_over(self, item: QueueItem) -> None:
        try:
            await item.delete()
        except NoNodeException:
            self._outdated = True
        except NotEmptyException as error:
            self._set_aside(item.path.rpartition("/")[2], error)
            await item.release()
        else:
            await self._give(item)

    async def _give(self, item: QueueItem) -> None:
        if self._getters:
            self._getters.popleft().callback(item.data)
            return
        try:
            await self._claims.put_back(item)
        except ZooKeeperException as error:
            self.log.error("{item} may be lost: {error}", item=item, error=error)
            raise


class ReliableQueue(ItemQueue[QueueItem]):
    """A queue whose items are removed when the work on them is done."""

    def _free(self, listing: Listing) -> list[str]:
        return [name for name in listing.items if name not in listing.claimed]

    async def _hand_over(self, item: QueueItem) -> None:
        self._getters.popleft().callback(item)


class SerializedQueue(ReliableQueue):
    """A queue whose items are worked on one after the other, whoever works on them."""

    def _free(self, listing: Listing) -> list[str]:
        return [] if listing.claimed else listing.items[:1]

    def _set_aside(self, name: str, error: ZooKeeperException) -> None:
        # Those behind it have to wait.
        raise error


async def _all(works: list[Coroutine[Deferred[Any], Any, None]]) -> None:
    """Do several things at once to their ends, and raise the first failure."""
    started = [Deferred.fromCoroutine(work) for work in works]
    results: list[tuple[bool, Any]] = await DeferredList(started, consumeErrors=True)
    for succeeded, result in results:
        if not succeeded:
            result.raiseException()
