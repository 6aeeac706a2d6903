"""Locks that work across machines, and do not claim to hold when they do not.

Who holds one is told when he has lost it, and has a number with which those he talks to can tell
an old holder from a new one: see ``Lock.token``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from random import Random, SystemRandom
from types import TracebackType
from typing import Self, TypeVar

from twisted.internet.defer import CancelledError, Deferred, fail

from txzookeeper.client import ZookeeperClient
from txzookeeper.place import Place
from txzookeeper.records import ACL
from txzookeeper.waiting_line import Rule, among_first, behind_all, behind_kind, identifiers

T = TypeVar("T")


class LockError(Exception):
    """The lock cannot be taken or released in this way."""


class LockLost(LockError):
    """The lock was lost while it was held, for the reason in the message."""

    def __init__(self, lock: Lock, reason: str) -> None:
        super().__init__(f"The lock {lock.path} was lost: {reason}")
        self.lock = lock
        self.reason = reason


class Lock:
    """A lock that one holder has at a time, and that is given in the order of asking.

    ``path`` is the node below which those who want the lock have theirs. If it is missing it is
    made, as a container: some time after the last one has left, the server deletes it.
    ``identifier`` is for people: it says in `contenders` who we are. ``acls`` are for
    all nodes made here, ``random`` is for their names. The same object can be acquired again
    after it was released; two of them exclude each other even in one program.

    Broken connections cost nothing. If the session is lost, so is the lock, and `lost` tells;
    on a ``ManagedClient`` it can be acquired again, and who was waiting goes on from the end of
    the line.
    """

    kind = "lock"

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
        self._identifier = identifier
        self._acls = None if acls is None else tuple(acls)
        self._random = random or SystemRandom()
        self._place: Place | None = None

    @property
    def acquired(self) -> bool:
        """Whether we hold it, as far as can be known at this very moment.

        A process that was stopped and goes on knows it at once, before it is told anything.
        """
        place = self._place
        return place is not None and place.held and self._client.session_left > 0

    @property
    def token(self) -> int:
        """The fencing token: a number that is higher for each next holder (the node's czxid).

        A resource that is told it with each request, and refuses lower ones than it has seen, is
        safe even from a holder who was stopped for an hour and does not know it yet. Raises
        ``LockError`` if the lock is not held.
        """
        number = None if self._place is None else self._place.number
        if number is None:
            raise LockError(f"The lock {self.path} is not held.")
        return number

    def acquire(self) -> Deferred[Self]:
        """Wait until we hold it, and give this lock.

        Cancelling gives up, and takes our node out of the line. Fails with ``LockError`` if it is
        held or waited for already, and with ``SessionExpiredException`` and the like.
        """
        if self._place is not None and self._place.why_lost is None:
            return fail(LockError(f"The lock {self.path} is held or waited for already."))
        place = self._place = self._new_place()
        return Deferred.fromCoroutine(self._acquire(place))

    def release(self) -> Deferred[None]:
        """Give it to the next; fires when our node is gone.

        It is not held any more from now on, whenever that may be. Fails with ``LockError`` if it
        was not held, with ``LockLost`` if it was lost before.
        """
        place = self._place
        if place is not None and place.why_lost is not None:
            self._place = None
            return fail(LockLost(self, place.why_lost))
        if place is None or not place.held:
            return fail(LockError(f"The lock {self.path} is not held."))
        self._place = None
        return place.leave()

    def lost(self) -> Deferred[str]:
        """Fire with the reason as soon as the lock now held is lost without being released.

        It is when the session has expired, was closed, or must be taken for expired by the
        client's own clock, or when somebody deleted our node. Each call gives a Deferred of its
        own. Fails with ``LockError`` if the lock is not held.
        """
        place = self._place
        if place is None or not (place.held or place.why_lost):
            return fail(LockError(f"The lock {self.path} is not held."))
        return place.lost()

    def contenders(self) -> Deferred[list[bytes]]:
        """Give the identifiers of those who hold the lock or wait for it, in their order."""
        return Deferred.fromCoroutine(identifiers(self._client, self.path))

    def run(self, work: Callable[[int], Awaitable[T]]) -> Deferred[T]:
        """Acquire it, do the work, release it, and give the result; the work gets the `token`.

        The work is cancelled if the lock is lost; then, when it has ended, ``LockLost`` is
        raised. Cancelling this cancels the waiting or the work.
        """
        return Deferred.fromCoroutine(self._run(work))

    async def __aenter__(self) -> Self:
        return await self.acquire()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self.release()
        except LockError:
            if error is None:
                raise

    def _rule(self) -> Rule:
        return behind_all

    def _new_place(self) -> Place:
        return Place(
            self._client,
            self.path,
            self.kind,
            self._rule(),
            self._identifier,
            self._acls,
            self._random,
        )

    async def _acquire(self, place: Place) -> Self:
        try:
            await place.take()
        except Exception:
            self._place = None
            raise
        return self

    async def _run(self, work: Callable[[int], Awaitable[T]]) -> T:
        async with self:
            working = Deferred.fromCoroutine(_begun(work, self.token))
            self.lost().addCallback(lambda _: working.cancel())
            try:
                return await working
            except CancelledError:
                if not self.acquired:
                    await self.release()
                raise


async def _begun(work: Callable[[int], Awaitable[T]], token: int) -> T:
    return await work(token)


class ReadLock(Lock):
    """A lock that any number hold at a time, while no `WriteLock` of the same path is held.

    The order of asking is kept: who reads waits for those who asked to write before him.
    """

    kind = "read"

    def _rule(self) -> Rule:
        return behind_kind(WriteLock.kind)


class WriteLock(Lock):
    """A lock that one holder has alone, while no `ReadLock` of the same path is held either."""

    kind = "write"


class Semaphore(Lock):
    """A lock that up to ``leases`` hold at a time.

    All who share its path must be of one mind about ``leases``. Each who waits watches so many
    nodes; so it is meant for few.
    """

    kind = "lease"

    def __init__(
        self,
        path: str,
        client: ZookeeperClient,
        leases: int,
        identifier: bytes = b"",
        *,
        acls: Iterable[ACL] | None = None,
        random: Random | None = None,
    ) -> None:
        super().__init__(path, client, identifier, acls=acls, random=random)
        if leases < 1:
            raise ValueError(f"A semaphore has at least one lease, not {leases}.")
        self.leases = leases

    def _rule(self) -> Rule:
        return among_first(self.leases)
