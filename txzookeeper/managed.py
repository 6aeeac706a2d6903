"""A client that outlives its sessions.

Note [Stale ephemerals]: after a session has expired a node of an even older session of the same
program may still be there, and vanish a moment later. So whatever is found in the place of a
node to be made again is deleted if this session does not own it, and made anew.

Note [Lost answers]: a change whose answer was lost may have been carried out or not; the program
that is told so will look and repeat it. Until then the node is not one to be made again: what
was created so is not in the table yet, and what was deleted so leaves it, lest it rise again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from txzookeeper import constants as c
from txzookeeper.call import Call, Observe, nothing
from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import (
    AuthFailedException,
    BadVersionException,
    ClosingException,
    ConnectionLossException,
    NodeExistsException,
    NoNodeException,
    ZooKeeperException,
)
from txzookeeper.jute import encode, reader
from txzookeeper.multi import Part
from txzookeeper.permissions import entries
from txzookeeper.records import (
    ACL,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    ErrorResponse,
    ExistsRequest,
    SetACLRequest,
    SetDataRequest,
    Stat,
)
from txzookeeper.waiters import Waiters

Ephemerals = dict[str, CreateRequest]
"""What would make each ephemeral node again, by the server's path."""


def note_change(ephemerals: Ephemerals, op: int, request: Any) -> None:
    """Keep the table of ephemeral nodes true after a successful change.

    Sequence nodes are left out: made again they would have another number, so another name.
    """
    match request:
        case CreateRequest(path, _, _, flags):
            ephemerals.pop(path, None)
            if flags == c.EPHEMERAL:
                ephemerals[path] = request
        case SetDataRequest(path, data, _) if path in ephemerals:
            ephemerals[path] = ephemerals[path]._replace(data=data)
        case SetACLRequest(path, acls, _) if path in ephemerals:
            ephemerals[path] = ephemerals[path]._replace(acls=acls)
        case DeleteRequest(path, _):
            ephemerals.pop(path, None)


class ManagedClient(ZookeeperClient):
    """A client whose session, once expired, is followed by a new one by itself.

    On the new session it makes its ephemeral nodes again (all but the sequence ones) with their
    last data and ACL, then fires all watches of the old session with a session event, then sends
    the calls that were waiting, then fires ``subscribe_new_session``. The program has to look
    again at whatever it watches.
    """

    log = Logger()

    reestablished = 0
    """How many sessions followed expired ones."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._renewed: Waiters[ManagedClient] = Waiters()
        super().__init__(*args, **options)

    def _use(self, servers: str) -> None:
        # What belonged to a session that the program closed itself is not to come back.
        self._ephemerals: Ephemerals = {}
        super()._use(servers)

    def adopt(self, path: str, data: bytes, acls: Iterable[ACL] | None = None) -> None:
        """Count an ephemeral node of this session among those to be made again.

        It is there for what the client did not see created: by an earlier client of a resumed
        session, or by a call whose answer was lost.
        """
        full = self._full(path)
        self._ephemerals[full] = CreateRequest(full, data, entries(acls), c.EPHEMERAL)

    def abandon(self, path: str) -> None:
        """Count a node no longer among those to be made again.

        What others have deleted would otherwise rise again with the next session; the client learns
        only of its own changes.
        """
        self._ephemerals.pop(self._full(path), None)

    def subscribe_new_session(self) -> Deferred[ManagedClient]:
        """Fire once, when the next session has followed an expired one and is ready for use."""
        return self._renewed.wait()

    def _observer(self, parts: list[Part]) -> Observe | None:
        def observe(code: int, result: Any) -> None:
            if code == 0 and not _refused(result):
                for op, request in parts:
                    note_change(self._ephemerals, op, request)
            elif code == ConnectionLossException.code:
                # See Note [Lost answers].
                for op, request in parts:
                    if op == c.DELETE_OP:
                        note_change(self._ephemerals, op, request)

        return observe

    def _renewal(self) -> Callable[[], None] | None:
        return self._restore

    def _restore(self) -> None:
        Deferred.fromCoroutine(self._make_again()).addCallbacks(self._restored, self._interrupted)

    async def _make_again(self) -> None:
        for request in list(self._ephemerals.values()):
            try:
                await self._make_one(request)
            except (AuthFailedException, ClosingException, ConnectionLossException):
                raise
            except ZooKeeperException as error:
                self.log.warn("An ephemeral node could not be made again: {error}", error=error)

    async def _make_one(self, request: CreateRequest) -> None:
        while not await self._created(request):
            # See Note [Stale ephemerals].
            stat = await self._stat(request.path)
            if stat is not None and stat.ephemeral_owner == self.client_id[0]:
                return
            if stat is not None:
                await self._deleted(request.path, stat.version)

    async def _created(self, request: CreateRequest) -> bool:
        read = reader(CreateResponse)
        try:
            await self._first(Call(c.CREATE_OP, request.path, encode(request), read))
        except NodeExistsException:
            return False
        return True

    async def _stat(self, path: str) -> Stat | None:
        body = encode(ExistsRequest(path, False))
        call: Call[Stat | None] = Call(c.EXISTS_OP, path, body, reader(Stat), optional=True)
        stat: Stat | None = await self._first(call)
        return stat

    async def _deleted(self, path: str, version: int) -> None:
        try:
            await self._first(
                Call(c.DELETE_OP, path, encode(DeleteRequest(path, version)), nothing)
            )
        except (NoNodeException, BadVersionException):
            return

    def _first(self, call: Call[Any]) -> Deferred[Any]:
        self._channel.submit_first(call)
        return call.deferred

    def _restored(self, _: None) -> None:
        self.reestablished += 1
        self.log.info("A new session follows, with {count} nodes", count=len(self._ephemerals))
        self._channel.resume()
        self._renewed.fire(self)

    def _interrupted(self, failure: Failure) -> None:
        # The next connection, or the end, is already on its way and begins this again.
        if not failure.check(ZooKeeperException):
            self.log.failure("While making the ephemeral nodes again", failure)


SessionClient = ManagedClient
"""The original's name for a client that outlives its sessions."""


def _refused(result: Any) -> bool:
    return isinstance(result, list) and any(isinstance(part, ErrorResponse) for _, part in result)
