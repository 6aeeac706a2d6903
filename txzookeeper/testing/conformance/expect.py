"""What promises are checked with: they belong to no test case, so neither do these."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import ZooKeeperException
from txzookeeper.event import ClientEvent
from txzookeeper.permissions import make_digest_acl
from txzookeeper.testing.world import CREDENTIALS

_USER, _, _PASSWORD = CREDENTIALS.partition(":")
OURS = make_digest_acl(_USER, _PASSWORD)
"""Everything for those who have proven the suite's own credentials."""

E = TypeVar("E", bound=ZooKeeperException)


def equal(actual: object, expected: object) -> None:
    """Require that two values are equal."""
    if actual != expected:
        raise AssertionError(f"{actual!r} is not the expected {expected!r}")


async def refused(call: Awaitable[Any], error: type[E], path: str | None = None) -> E:
    """Require that a call fails with this error about this path, and give the error."""
    try:
        result = await call
    except error as refusal:
        if path is not None:
            equal(refusal.path, path)
        return refusal
    raise AssertionError(f"{result!r} came instead of {error.__name__}")


def collected(watch: Deferred[ClientEvent], *others: Deferred[ClientEvent]) -> list[Any]:
    """Give a list to which each watch's event is added as (type name, path) when it fires."""
    events: list[Any] = []
    for each in (watch, *others):
        each.addCallback(lambda event: events.append((event.type_name, event.path)))
    return events


def reached(client: ZookeeperClient, state: int) -> Deferred[ClientEvent]:
    """Fire when the client's session next comes to this state."""
    arrival: Deferred[ClientEvent] = Deferred()

    def changed(_: ZookeeperClient, event: ClientEvent) -> None:
        if event.connection_state == state and not arrival.called:
            arrival.callback(event)

    client.set_session_callback(changed)
    return arrival
