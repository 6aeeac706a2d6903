"""Small transactions that travel together: those that come while one is under way are the next.

A machine that starts a hundred services has three nodes to make for each. One transaction for each
service costs the server a round and a sync every time; together they cost it a few (group commit,
as in Gawlick and Kinkade, 1985). One that comes alone leaves at once.
"""

from collections.abc import Callable
from typing import NamedTuple

from twisted.internet.defer import Deferred, DeferredList

from txzookeeper import ZookeeperClient
from txzookeeper.errors import ConnectionLossException
from txzookeeper.transaction import Transaction

MOST = 100
"""So many of them in one, so that a packet stays well below what a server takes (1 MB)."""

Changes = Callable[[Transaction], object]
"""Adds changes to a transaction."""


class _Waiting(NamedTuple):
    changes: Changes
    done: Deferred[None]

    def succeed(self) -> None:
        if not self.done.called:
            self.done.callback(None)

    def fail(self, error: Exception) -> None:
        if not self.done.called:
            self.done.errback(error)


class GroupCommit:
    """Commits changes, each of them wholly or not at all.

    Those that travel together happen together as well, unless one of them cannot: then each is
    tried by itself.
    """

    def __init__(self, client: ZookeeperClient) -> None:
        self._client = client
        self._waiting: list[_Waiting] = []
        self._under_way = False

    def commit(self, changes: Changes) -> Deferred[None]:
        """Make these changes soon; fires when they are made, fails as a transaction does.

        Cancelled, it is not known whether they are made.
        """
        waiting = _Waiting(changes, Deferred())
        self._waiting.append(waiting)
        if not self._under_way:
            self._under_way = True
            Deferred.fromCoroutine(self._work())
        return waiting.done

    async def _work(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            await self._commit([each for each in group if not each.done.called])
        self._under_way = False

    async def _commit(self, group: list[_Waiting]) -> None:
        try:
            transaction = self._client.transaction()
            for each in group:
                each.changes(transaction)
            await transaction.commit()
        except ConnectionLossException as error:
            _fail(group, error)
        except Exception as error:
            if len(group) > 1:
                await DeferredList([Deferred.fromCoroutine(self._commit([each])) for each in group])
            else:
                _fail(group, error)
        else:
            for each in group:
                each.succeed()


def _fail(group: list[_Waiting], error: Exception) -> None:
    for each in group:
        each.fail(error)
