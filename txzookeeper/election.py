"""The election of a leader, who knows when he is none any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from random import Random
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from txzookeeper.client import ZookeeperClient
from txzookeeper.lock import Lock, LockError, LockLost
from txzookeeper.records import ACL
from txzookeeper.waiters import Waiters
from txzookeeper.waiting_line import identifiers

T = TypeVar("T")


class _Candidacy(Lock):
    kind = "candidate"


class Election:
    """An election among all who stand with the same ``path``: the first in line leads.

    ``identifier`` tells the others who we are; ``acls`` and ``random`` are as for `Lock`. Either
    `run` does it all; or ``stand``, heed ``lost``, and ``resign``.
    """

    log = Logger()

    def __init__(
        self,
        path: str,
        client: ZookeeperClient,
        identifier: bytes = b"",
        *,
        acls: Iterable[ACL] | None = None,
        random: Random | None = None,
    ) -> None:
        self.path = path
        self._client = client
        self._candidacy = _Candidacy(path, client, identifier, acls=acls, random=random)
        self._under_way: Deferred[Any] | None = None
        self._ended: Waiters[None] = Waiters()

    @property
    def leading(self) -> bool:
        """Whether we lead, as far as can be known."""
        return self._candidacy.acquired

    @property
    def token(self) -> int:
        """The fencing token, higher for each next leader; ``LockError`` if we do not lead.

        See ``Lock.token`` for what it is good for.
        """
        return self._candidacy.token

    def run(self, lead: Callable[[int], Awaitable[T]]) -> Deferred[T]:
        """Stand for election, and lead by ``await lead(token)`` whenever we are elected.

        If leadership is lost, ``lead`` is cancelled, and when it has ended we stand again. If it
        returns or raises by itself, we resign, and its result or error is what this gives.
        Cancelling this cancels ``lead``, and resigns.
        """
        return self._begin(Deferred.fromCoroutine(self._run(lead)))

    def stand(self) -> Deferred[int]:
        """Stand for election, and give the fencing token once we lead.

        Cancelling gives up. Fails with ``LockError`` if we lead or stand already.
        """
        return self._begin(self._candidacy.acquire().addCallback(lambda lock: lock.token))

    def resign(self) -> Deferred[None]:
        """Stand or lead no more; what `stand` or `run` gave fails with ``CancelledError``.

        Fires when we do not lead any more and ``lead``, if it ran, has ended.
        """
        if self._under_way is None:
            return self._candidacy.release().addErrback(_not_held)
        self._under_way.cancel()
        return succeed(None) if self._under_way is None else self._ended.wait()

    def lost(self) -> Deferred[str]:
        """Fire with the reason as soon as leadership is lost; ``LockError`` if we do not lead."""
        return self._candidacy.lost()

    def contenders(self) -> Deferred[list[bytes]]:
        """Give the identifiers of all who stand, in their order: the leader's is the first."""
        return self._candidacy.contenders()

    def leader(self) -> Deferred[bytes | None]:
        """Give the identifier of the leader, or None if there is none."""
        first = Deferred.fromCoroutine(identifiers(self._client, self.path, 1))
        return first.addCallback(lambda found: found[0] if found else None)

    async def _run(self, lead: Callable[[int], Awaitable[T]]) -> T:
        try:
            return await self._lead_again_and_again(lead)
        finally:
            # Not in a callback of the Deferred that was given: who resigned may await that now.
            self._ended.fire(None)

    async def _lead_again_and_again(self, lead: Callable[[int], Awaitable[T]]) -> T:
        while True:
            try:
                return await self._candidacy.run(lead)
            except LockLost as error:
                if error.lock is not self._candidacy:
                    raise
                # Who is cancelled while ``lead`` is still busy ending must not stand again.
                if self._under_way is None or self._under_way.called:
                    raise CancelledError from error
                self.log.info("Standing again at {path}: {reason}", path=self.path, reason=error)

    def _begin(self, under_way: Deferred[T]) -> Deferred[T]:
        if under_way.called:
            return under_way
        self._under_way = under_way
        return under_way.addBoth(self._end, under_way)

    def _end(self, result: T, under_way: Deferred[Any]) -> T:
        if self._under_way is under_way:
            self._under_way = None
        return result


def _not_held(failure: Failure) -> None:
    failure.trap(LockError)
