"""Repeating what a broken connection interrupted.

A read, or a change that comes to the same when it is made twice, is simply repeated. About the
others see Note [Doubt] in ``txzookeeper.doubt``, on which `RetryClient` stands.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NoReturn, ParamSpec, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from txzookeeper.call import Call, Observe
from txzookeeper.channel import Channel
from txzookeeper.client import Operations, ZookeeperClient
from txzookeeper.doubt import ANSWER_LOST, is_ours, only_once, proves_nothing
from txzookeeper.errors import (
    ConnectionLossException,
    OperationTimeoutException,
    ZooKeeperException,
)
from txzookeeper.jute import decode, encode
from txzookeeper.lifetime import ClientId
from txzookeeper.multi import Part
from txzookeeper.operations import REPLIES, REQUESTS
from txzookeeper.patience import (
    RETRYABLE,
    RetryException,
    before_next,
    get_delay,
    is_retryable,
)
from txzookeeper.records import (
    Create2Response,
    CreateResponse,
    Record,
    Stat,
)

__all__ = [
    "RetryClient",
    "RetryException",
    "before_next",
    "get_delay",
    "is_retryable",
    "retry",
    "retry_watch",
]

T = TypeVar("T")
E = TypeVar("E")
P = ParamSpec("P")


def retry(
    client: ZookeeperClient,
    func: Callable[P, Awaitable[T]],
    *args: P.args,
    **kw: P.kwargs,
) -> Deferred[T]:
    """Call ``func`` until it succeeds, and give its result.

    It is called again after an error that `is_retryable`, for as long as the client's session
    lives (on a ``ManagedClient``: until it is closed); any other error is given at once. A lost
    connection's call is repeated at once, since it waits for the next connection anyway; before
    each further try passes `get_delay`. Cancelling ends it; ``addTimeout`` sets a limit.

    What is repeated may happen twice: see `RetryClient` for what cannot be.
    """
    return Deferred.fromCoroutine(_repeated(client, partial(func, *args, **kw)))


def retry_watch(
    client: ZookeeperClient,
    func: Callable[P, tuple[Awaitable[T], Deferred[E]]],
    *args: P.args,
    **kw: P.kwargs,
) -> tuple[Deferred[T], Deferred[E]]:
    """Call a function that gives a result and a watch, as `retry` does, and give such a pair.

    The watch is that of the try that succeeded; if none does it never fires.
    """
    current: Deferred[E] | None = None

    def attempt() -> Awaitable[T]:
        nonlocal current
        result, current = func(*args, **kw)
        current.addBoth(partial(_hand_on, watch))
        return result

    def cancel(_: Deferred[E]) -> None:
        if current is not None:
            current.cancel()

    watch: Deferred[E] = Deferred(cancel)

    return retry(client, attempt), watch


def _hand_on(watch: Deferred[E], event: E | Failure) -> None:
    if not watch.called:
        watch.callback(event)


async def _repeated(client: ZookeeperClient, attempt: Callable[[], Awaitable[T]]) -> T:
    tries = 0
    while True:
        try:
            return await attempt()
        except RETRYABLE as error:
            await before_next(client, tries, error)
            tries += 1


class RetryClient(Operations):
    """A client's operations, which are repeated for as long as their answers are lost.

    They are repeated as `retry` does it. ``limit`` is how many seconds an operation may take in
    all, waiting for a connection included; then it fails with ``OperationTimeoutException``, and
    may have been carried out or not.

    Not everything can be repeated. Creations of sequence nodes, transactions and
    reconfigurations are sent once. A creation, a deletion, or a change at a version that is
    refused when it is repeated may have succeeded the first time: if that can be known, the
    result tells so. If not, the operation fails with ``ConnectionLossException``, as it does
    without this class.
    """

    def __init__(self, client: ZookeeperClient, limit: float | None = None) -> None:
        self.client = client
        self._limit = limit

    @property
    def _channel(self) -> Channel:  # type: ignore[override]
        return self.client._channel

    @property
    def _chroot(self) -> str:  # type: ignore[override]
        return self.client._chroot

    def _submit(self, call: Call[Any]) -> None:
        self.client._submit(call)

    def _observer(self, parts: list[Part]) -> Observe | None:
        return self.client._observer(parts)

    def _call(self, call: Call[T]) -> Deferred[T]:
        calling = Deferred.fromCoroutine(self._persist(call))
        if self._limit is not None:
            gave_up = partial(_gave_up, call.path)
            calling.addTimeout(self._limit, self.client.reactor, gave_up)
        return calling

    def connect(self, *args: Any, **options: Any) -> Deferred[RetryClient]:
        """Connect the client, with arguments as for its own ``connect``; gives this one."""
        return self.client.connect(*args, **options).addCallback(lambda _: self)

    def close(self) -> Deferred[None]:
        """Close the client."""
        return self.client.close()

    def add_auth(self, scheme: str, identity: str | bytes) -> Deferred[None]:
        """Add a credential to the client, which tells it on each connection anyway."""
        return self.client.add_auth(scheme, identity)

    @property
    def client_id(self) -> ClientId:
        """The session's id and password."""
        return self.client.client_id

    @property
    def session_timeout(self) -> int:
        """The session's time-out in ms."""
        return self.client.session_timeout

    @property
    def state(self) -> int:
        """One of the ``*_STATE`` constants."""
        return self.client.state

    @property
    def connected(self) -> bool:
        """Whether a server answers at this moment."""
        return self.client.connected

    @property
    def unrecoverable(self) -> bool:
        """Whether the session has expired or was refused."""
        return self.client.unrecoverable

    async def _persist(self, call: Call[T]) -> T:
        request: Record | None = None
        tries, lost = 0, False
        while True:
            try:
                return await self.client._call(_copy(call))
            except RETRYABLE as error:
                lost = lost or isinstance(error, ANSWER_LOST)
                request = _request(call)
                if lost and only_once(call.op, request):
                    raise
                await before_next(self.client, tries, error)
                tries += 1
            except ZooKeeperException as refusal:
                if not (lost and proves_nothing(request, refusal)):
                    raise
                return await self._settle(call, request, refusal)

    async def _settle(
        self, call: Call[T], request: Record | None, refusal: ZooKeeperException
    ) -> T:
        """Find out what the first try did; see Note [Doubt]."""
        found = await self._look(call.path or "/")
        ours = found and is_ours(request, self.client.client_id[0], *found)
        if found and ours:
            return _made(call, request, found[1])
        if ours is False:
            raise refusal
        message = f"The answer was lost, and nobody can tell what was done: {refusal}"
        raise ConnectionLossException(call.path, message) from refusal

    async def _look(self, path: str) -> tuple[bytes, Stat] | None:
        try:
            return await retry(self.client, self.client.get, path)
        except ZooKeeperException:
            return None


def _copy(call: Call[T]) -> Call[T]:
    return Call(call.op, call.path, call.body, call.read, call.observe, call.optional)


def _request(call: Call[Any]) -> Record | None:
    kind = REQUESTS.get(call.op)
    return None if kind is None else decode(kind, call.body)


def _made(call: Call[T], request: Any, stat: Stat) -> T:
    """Answer a creation whose node was found."""
    with_stat = REPLIES[call.op] is Create2Response
    reply = Create2Response(request.path, stat) if with_stat else CreateResponse(request.path)
    body = encode(reply)
    result = call.read(body, 0, len(body))
    if call.observe is not None:
        call.observe(0, result)
    return result


def _gave_up(path: str | None, result: object, limit: float) -> NoReturn:
    raise OperationTimeoutException(path, f"No answer within {limit:g} s (asked about {path}).")
