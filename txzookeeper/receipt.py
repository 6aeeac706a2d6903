"""Proof that a transaction was carried out, even if its answer was lost.

With each transaction a node of this session is written, with a number that only this one has. If
the answer is lost, the node tells: it has the number, or the transaction was not carried out.
Before looking, a ``barrier`` makes sure that it has been carried out, or never will be.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from txzookeeper.client import ZookeeperClient
from txzookeeper.constants import EPHEMERAL
from txzookeeper.doubt import ANSWER_LOST, barrier
from txzookeeper.errors import NodeExistsException, NoNodeException, ZooKeeperException
from txzookeeper.patience import before_next, is_retryable
from txzookeeper.records import ACL
from txzookeeper.retry import retry
from txzookeeper.transaction import Transaction


class Receipt:
    """Commits transactions, one after the other, each once.

    ``prefix`` begins the path of the ephemeral node that it writes, which gets these ``acls``.
    """

    def __init__(
        self, client: ZookeeperClient, prefix: str, acls: tuple[ACL, ...] | None, random: Random
    ) -> None:
        self._client = client
        self._path = f"{prefix}{random.getrandbits(64):016x}"
        self._acls = acls
        self._number = 0
        self._made = False

    async def commit(self, fill: Callable[[Transaction], object]) -> None:
        """Carry out the transaction that ``fill`` adds operations to; it is called at each try.

        Fails as a transaction does, but for lost answers: with ``ConnectionLossException`` only
        if nobody can tell what was done, since the proof went with its session.
        """
        self._number += 1
        tries, done = 0, False
        while not done:
            session = self._client.client_id[0]
            try:
                done = await self._tried(fill)
            except ZooKeeperException as error:
                if not is_retryable(error):
                    raise
                await before_next(self._client, tries, error)
                tries += 1
                done = isinstance(error, ANSWER_LOST) and await self._was_done(session, error)

    async def _tried(self, fill: Callable[[Transaction], object]) -> bool:
        """Try once; False says that nothing was done, as the proof's node was not as expected."""
        transaction = self._client.transaction()
        fill(transaction)
        index, mark = len(transaction), self._mark()
        if self._made:
            transaction.set(self._path, mark)
        else:
            transaction.create(self._path, mark, self._acls, EPHEMERAL)
        try:
            await transaction.commit()
        except (NoNodeException, NodeExistsException) as error:
            there = isinstance(error, NodeExistsException)
            if error.index != index or there == self._made:
                raise
            self._made = there
            return False
        self._made = True
        return True

    async def _was_done(self, session: int, error: ZooKeeperException) -> bool:
        """Say whether the try whose answer was lost had been carried out; raise if nobody can."""
        await retry(self._client, barrier, self._client)
        try:
            data, _ = await retry(self._client, self._client.get, self._path)
        except NoNodeException:
            data = None
        if data == self._mark():
            self._made = True
            return True
        vanished = self._made and data is None
        # What a managed client makes again is what it knew, which is not what was done.
        if vanished or self._client.client_id[0] != session:
            raise error
        return False

    def _mark(self) -> bytes:
        return str(self._number).encode()
