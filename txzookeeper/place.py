"""One's place in a line: taken, waited in, held when the turn has come, and left or lost.

Note [Protected names]: the answer to a creation can be lost, and nobody would know the number of
the node, which would block the line for as long as the session lasts. So a random token is part
of each name, by which the node is found again. Before looking, a ``barrier`` makes sure that it
has been made, or never will be.

Note [Lost turns]: whose session is lost by the client's own clock has lost his turn, even if the
server turns out to have kept it: he was told so and stopped, and cannot be told to go on.

Source of the idea: the protected nodes of Apache Curator.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from txzookeeper import constants as c
from txzookeeper.client import ZookeeperClient
from txzookeeper.doubt import barrier
from txzookeeper.errors import (
    AuthFailedException,
    ClosingException,
    NoNodeException,
    NotConnectedException,
    NotReadOnlyException,
    SessionExpiredException,
    ZooKeeperException,
)
from txzookeeper.event import ClientEvent
from txzookeeper.patience import before_next, is_retryable
from txzookeeper.records import ACL, Stat
from txzookeeper.retry import retry, retry_watch
from txzookeeper.utils import ensure_path
from txzookeeper.waiters import Waiters
from txzookeeper.waiting_line import Rule, Ticket, below, tickets

_LOST: Final = frozenset(
    {
        c.LOST_STATE,
        # Such a server is cut off from the others, who may expire the session meanwhile.
        c.READONLY_STATE,
        c.EXPIRED_SESSION_STATE,
        c.AUTH_FAILED_STATE,
        c.CLOSED_STATE,
    }
)
_SESSION_OVER: Final = (
    AuthFailedException,
    ClosingException,
    NotConnectedException,
    NotReadOnlyException,
    SessionExpiredException,
)


class Place:
    """A node in a line, from its creation to its end; it serves once.

    ``kind`` and ``data`` are for the others to see, ``rule`` says when it is our turn.
    """

    log = Logger()

    def __init__(
        self,
        client: ZookeeperClient,
        line: str,
        kind: str,
        rule: Rule,
        data: bytes,
        acls: tuple[ACL, ...] | None,
        random: Random,
    ) -> None:
        self.held = False
        self.why_lost: str | None = None
        self._client = client
        self._line = line
        self._kind = kind
        self._rule = rule
        self._data = data
        self._acls = acls
        self._token = f"{random.getrandbits(64):016x}"
        self._name: str | None = None
        self._stat: Stat | None = None
        self._waiting: Waiters[str] = Waiters()
        self._guarding: Deferred[Any] | None = None
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def number(self) -> int | None:
        """The transaction that made the node: later ones have higher numbers (None: not held)."""
        return self._stat.czxid if self.held and self._stat is not None else None

    def lost(self) -> Deferred[str]:
        """Fire with the reason when the turn, once it has come, is lost without having been left.

        Each call gives a Deferred of its own; cancel it if it is of no interest any more.
        """
        if self.why_lost is not None:
            return succeed(self.why_lost)
        return self._waiting.wait()

    async def take(self) -> None:
        """Stand in line until it is our turn; if that fails or is cancelled, leave."""
        try:
            while not await self._turn_has_come():
                pass
        except Exception:
            self._leave_behind()
            raise
        self._hold()

    def leave(self) -> Deferred[None]:
        """Give the turn, or the place in the line, to the next; fires when the node is gone.

        That is known only once the client is connected. It goes on if the Deferred is cancelled.
        """
        self._let_go()
        left: Deferred[None] = Deferred()
        leaving = Deferred.fromCoroutine(self._withdraw())
        leaving.addBoth(lambda result: None if left.called else left.callback(result))
        return left

    # Until it is our turn.

    async def _turn_has_come(self) -> bool:
        if self._name is None:
            self._name, self._stat = await self._stand()
        before = await self._before()
        if before is None:
            self._name = None
            return False
        watched = self._rule(before)
        if watched:
            await self._any_moved(watched)
        return not watched

    async def _stand(self) -> tuple[str, Stat]:
        """Make our node, once; see Note [Protected names]."""
        path, flags = below(self._line, f"{self._kind}-{self._token}-"), c.EPHEMERAL | c.SEQUENCE
        tries = 0
        while True:
            try:
                made, stat = await self._client.create2(path, self._data, self._acls, flags)
                return made.rpartition("/")[2], stat
            except NoNodeException:
                await ensure_path(self._client, self._line, self._acls, container=True)
            except Exception as error:
                if not is_retryable(error):
                    raise
                await before_next(self._client, tries, error)
                tries += 1
                found = await self._found()
                if found is not None:
                    return found

    async def _found(self) -> tuple[str, Stat] | None:
        for ticket in await self._ours():
            stat = await retry(self._client, self._client.exists, below(self._line, ticket.name))
            if stat is not None:
                return ticket.name, stat
        return None

    async def _ours(self) -> list[Ticket]:
        await retry(self._client, barrier, self._client)
        in_line = await tickets(self._client, self._line)
        return [each for each in in_line if each.token == self._token]

    async def _before(self) -> list[Ticket] | None:
        """Give those before us; None if our node is gone, or soon will be with an old session."""
        in_line = await tickets(self._client, self._line)
        if self._client.state == c.READONLY_STATE:
            raise NotReadOnlyException(self._line)
        names = [each.name for each in in_line]
        session = self._client.client_id[0]
        if self._name not in names or self._stat is None or self._stat.ephemeral_owner != session:
            return None
        return in_line[: names.index(self._name)]

    async def _any_moved(self, watched: list[Ticket]) -> None:
        """Wait until something happens to one of these."""
        moved: Deferred[None] = Deferred()
        pairs = [
            retry_watch(self._client, self._client.get_and_watch, below(self._line, each.name))
            for each in watched
        ]
        for result, watch in pairs:
            result.addErrback(_missing, moved)
            watch.addCallbacks(lambda _: _fire(moved), _cancelled)
        try:
            await moved
        finally:
            for result, watch in pairs:
                result.cancel()
                watch.cancel()

    # While we hold it.

    def _hold(self) -> None:
        self.held = True
        self._unsubscribe = self._client.subscribe_session(self._session_changed)
        self._guarding = Deferred.fromCoroutine(self._guard())
        self._guarding.addCallbacks(self._lose, _cancelled)

    async def _guard(self) -> str:
        """Wait until our node is gone, and say so."""
        path = below(self._line, self._name or "")
        try:
            while True:
                result, watch = retry_watch(self._client, self._client.get_and_watch, path)
                await result
                await watch
        except ZooKeeperException as error:
            return str(error)

    def _session_changed(self, event: ClientEvent) -> None:
        if event.connection_state in _LOST:
            self._lose(f"The session is {event.state_name}.")

    def _lose(self, reason: str) -> None:
        if not self.held:
            return
        self._let_go()
        self.why_lost = reason
        self.log.warn("Lost the place in {line}: {reason}", line=self._line, reason=reason)
        self._waiting.fire(reason)
        self._leave_behind()

    def _let_go(self) -> None:
        self.held = False
        if self._unsubscribe is not None:
            self._unsubscribe()
        if self._guarding is not None:
            self._guarding.cancel()

    # The end.

    def _leave_behind(self) -> None:
        """Take our node away, while nobody waits for that."""
        Deferred.fromCoroutine(self._withdraw()).addErrback(self._not_withdrawn)

    async def _withdraw(self) -> None:
        """Delete our node; one whose session is over goes with that."""
        try:
            names = [each.name for each in await self._ours()] if self._name is None else []
            for name in names or filter(None, [self._name]):
                await self._delete(below(self._line, name))
        except _SESSION_OVER:
            return

    async def _delete(self, path: str) -> None:
        try:
            await retry(self._client, self._client.delete, path)
        except NoNodeException:
            return

    def _not_withdrawn(self, failure: Failure) -> None:
        self.log.failure("A node could not be taken out of {line}", failure, line=self._line)


def _fire(moved: Deferred[None]) -> None:
    if not moved.called:
        moved.callback(None)


def _missing(failure: Failure, moved: Deferred[None]) -> None:
    if failure.check(NoNodeException):
        _fire(moved)
    elif not failure.check(CancelledError) and not moved.called:
        moved.errback(failure)


def _cancelled(failure: Failure) -> None:
    failure.trap(CancelledError)
