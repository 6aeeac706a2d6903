"""A number that many clients add to."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from random import Random, SystemRandom

from twisted.internet.defer import Deferred, DeferredLock

from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import BadVersionException, NoNodeException
from txzookeeper.receipt import Receipt
from txzookeeper.records import ACL, Stat
from txzookeeper.retry import retry
from txzookeeper.transaction import Transaction
from txzookeeper.utils import ensure_path


class Counter:
    """A whole number in a node, as decimal text: 0 if there is no node, or no data in it.

    Nothing is added twice, and nothing is lost, whatever happens to the connection: below the
    node each who adds leaves an ephemeral node of its own, which proves what it did. So
    the counter's own node cannot be ephemeral. What is missing is made, with these ``acls``.
    """

    def __init__(
        self,
        path: str,
        client: ZookeeperClient,
        *,
        acls: Iterable[ACL] | None = None,
        random: Random | None = None,
    ) -> None:
        self.path = path
        self._client = client
        self._acls = None if acls is None else tuple(acls)
        chance = random or SystemRandom()
        self._receipt = Receipt(client, f"{path.rstrip('/')}/receipt-", self._acls, chance)
        self._adding = DeferredLock()

    def value(self) -> Deferred[int]:
        """Give the number; ``ValueError`` if the node has something else in it."""
        return Deferred.fromCoroutine(self._read()).addCallback(lambda read: read[0])

    def add(self, n: int = 1) -> Deferred[int]:
        """Add to the number (a negative ``n`` subtracts), and give what it comes to.

        Fails with ``ConnectionLossException`` only if an answer was lost and then the session
        too: then it may have been added or not. So it may if this is cancelled.
        """
        return self._adding.run(self._add, n)

    async def _add(self, n: int) -> int:
        while True:
            value, stat = await self._read()
            if stat is None:
                await ensure_path(self._client, self.path, self._acls)
                continue
            try:
                await self._receipt.commit(partial(self._write, value + n, stat.version))
            except (BadVersionException, NoNodeException):
                continue
            return value + n

    async def _read(self) -> tuple[int, Stat | None]:
        try:
            data, stat = await retry(self._client, self._client.get, self.path)
        except NoNodeException:
            return 0, None
        try:
            return int(data or b"0"), stat
        except ValueError:
            raise ValueError(f"The counter {self.path} has no number in it: {data!r}") from None

    def _write(self, value: int, version: int, transaction: Transaction) -> None:
        transaction.set(self.path, str(value).encode(), version)
