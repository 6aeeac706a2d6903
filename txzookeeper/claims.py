"""Who works on which item of a queue: claims, and what becomes of them.

Note [Claims]: a claim is made in one transaction with a write to its item, of the data that it
has, at the version that was read. So of two who claim it at once one is refused, and nobody is
woken by him. Claims are sequence nodes, as a ``ManagedClient`` makes all other ephemeral nodes
again on its next session, when the item may be in other hands.

Note [Horizon]: an item is free if it was read first, and a list that was made later shows no claim
on it. We list first and read then. A claim leaves its zxid in the item (``mzxid``) and in the list
(``pzxid``): if the item's is not above the list's, the list was made after the last claim.

Note [Lost answers]: a random token in a claim's name tells whose it is. So if the answer to a
transaction is lost one looks whether the claim that it makes is there, or that it deletes is gone.
That is certain while the session lasts, and no claim lasts longer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from random import Random
from typing import TypeVar

from twisted.internet.defer import Deferred

from txzookeeper.client import ZookeeperClient
from txzookeeper.constants import EPHEMERAL, SEQUENCE
from txzookeeper.doubt import ANSWER_LOST, barrier
from txzookeeper.errors import BadVersionException, NoNodeException
from txzookeeper.event import ClientEvent
from txzookeeper.items import PREFIX, Listing, claim_prefix, read_names
from txzookeeper.records import ACL, Stat
from txzookeeper.retry import before_next, retry, retry_watch
from txzookeeper.transaction import Transaction

T = TypeVar("T")


class QueueItem:
    """An item that is being worked on, by us alone.

    If the session ends before `delete`, the item becomes another worker's. ``tries`` is how often
    it was claimed before, as far as nobody else writes to the queue's nodes: an item that kills
    its workers can be told by that.
    """

    def __init__(self, claims: Claims, path: str, data: bytes, stat: Stat, claim: str) -> None:
        self.path = path
        self.data = data
        self.tries = stat.version
        self.ephemeral = stat.ephemeral_owner != 0
        self._client = claims.client
        self._claim = claim
        self._session = claims.client.client_id[0]

    def __repr__(self) -> str:
        """Say which it is, for logs."""
        return f"<QueueItem {self.path}>"

    def delete(self) -> Deferred[None]:
        """Delete the item: the work on it is done.

        Fails with ``NoNodeException`` if the item is not ours any more: somebody has removed it,
        or the session in which we got it has ended.
        """
        return Deferred.fromCoroutine(self._delete())

    def release(self) -> Deferred[None]:
        """Give the item back to the queue, at its old place, for whoever asks next."""
        return Deferred.fromCoroutine(self._release())

    async def _delete(self) -> None:
        try:
            await surely(self._client, self._commit, self._gone)
        except NoNodeException as error:
            if error.index == 1:
                await self._release()
            raise

    async def _commit(self) -> bool:
        await self._client.transaction().delete(self._claim).delete(self.path).commit()
        return True

    async def _gone(self) -> bool | None:
        if await self._client.exists(self._claim) is not None:
            return None
        if self._client.client_id[0] != self._session:
            raise NoNodeException(self.path)
        return True

    async def _release(self) -> None:
        with suppress(NoNodeException):
            await retry(self._client, self._client.delete, self._claim)


class Claims:
    """The claims of one client on the items of a queue."""

    def __init__(
        self, client: ZookeeperClient, path: str, acl: Iterable[ACL] | None, random: Random
    ) -> None:
        self.client = client
        self.path = path
        self.acl = None if acl is None else tuple(acl)
        self._random = random
        self._seen = 0

    def look(self) -> tuple[Deferred[Listing], Deferred[ClientEvent]]:
        """List the queue, and give a Deferred of when that changes."""
        seen = self._seen
        listed, changed = retry_watch(self.client, self.client.get_children2_and_watch, self.path)

        def read(result: tuple[list[str], Stat]) -> Listing:
            return read_names(result[0], max(seen, result[1].pzxid))

        return listed.addCallback(read), changed

    async def claim(self, name: str, horizon: int) -> QueueItem | None:
        """Claim an item of a list; None says that the list is out of date: look again."""
        path = f"{self.path}/{name}"
        try:
            data, stat = await retry(self.client, self.client.get, path)
        except NoNodeException:
            return None
        self._seen = max(self._seen, stat.mzxid)
        if stat.mzxid > horizon:
            # See Note [Horizon].
            return None
        try:
            claim = await self._made(name, lambda work: work.set(path, data, stat.version))
        except (BadVersionException, NoNodeException):
            return None
        return QueueItem(self, path, data, stat, claim)

    async def put_back(self, item: QueueItem) -> None:
        """Make an item again that was deleted.

        A persistent one gets its old place, an ephemeral one the last: a ``ManagedClient`` makes
        ephemeral nodes again if they have no number.
        """
        claim = await self._made(item.path.rpartition("/")[2], partial(self._create, item))
        with suppress(NoNodeException):
            await retry(self.client, self.client.delete, claim)

    async def _made(self, name: str, work: Callable[[Transaction], Transaction]) -> str:
        """Make a claim together with some work, and give its path."""
        prefix = claim_prefix(name, self._random)

        async def commit() -> str:
            parts = work(self.client.transaction())
            parts.create(f"{self.path}/{prefix}", b"", self.acl, EPHEMERAL | SEQUENCE)
            return str((await parts.commit())[-1])

        async def found() -> str | None:
            names = await self.client.get_children(self.path)
            return next((f"{self.path}/{each}" for each in names if each.startswith(prefix)), None)

        return await surely(self.client, commit, found)

    def _create(self, item: QueueItem, work: Transaction) -> Transaction:
        if item.ephemeral:
            path = f"{self.path}/{PREFIX}"
            return work.create(path, item.data, self.acl, EPHEMERAL | SEQUENCE)
        return work.create(item.path, item.data, self.acl)


async def surely(
    client: ZookeeperClient,
    change: Callable[[], Awaitable[T]],
    made: Callable[[], Awaitable[T | None]],
) -> T:
    """Make a change; if its answer is lost find out whether it was made, and if not, make it.

    ``made()`` gives what ``change()`` would have given, or None if it was not made. What it finds
    counts only on the session on which the answer was lost.
    """
    tries = 0

    async def look() -> T | None:
        await barrier(client)
        return await made()

    while True:
        try:
            return await change()
        except ANSWER_LOST as error:
            session = client.client_id[0]
            await before_next(client, tries, error)
        tries += 1
        result = await retry(client, look)
        if result is not None and client.client_id[0] == session:
            return result
