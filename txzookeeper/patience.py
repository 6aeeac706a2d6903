"""When a call is worth another try, and how long to wait before it."""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import Deferred

from txzookeeper import constants as c
from txzookeeper.client import ZookeeperClient
from txzookeeper.doubt import ANSWER_LOST
from txzookeeper.errors import (
    ConnectionLossException,
    SessionMovedException,
    ThrottledOpException,
)
from txzookeeper.event import ClientEvent

_OVER: Final = (c.CLOSED_STATE, c.EXPIRED_SESSION_STATE, c.AUTH_FAILED_STATE)


class RetryException(Exception):
    """A function given to `retry` asks to be called once more."""


RETRYABLE: Final = (
    *ANSWER_LOST,
    SessionMovedException,
    ThrottledOpException,
    RetryException,
)
"""Errors after which the same call may fare better a moment later."""


def is_retryable(error: BaseException) -> bool:
    """Say whether the same call may fare better a moment later, on the same session.

    The end of the session, by closing or expiry, is not such an error.
    """
    return isinstance(error, RETRYABLE)


def get_delay(session_timeout: float, max_delay: float = 5, session_fraction: float = 30) -> float:
    """Give how many seconds to wait before the next try: a fraction of the session's time (ms)."""
    return min(session_timeout / session_fraction / 1000, max_delay)


async def before_next(client: ZookeeperClient, tries: int, error: Exception) -> None:
    """Wait for the moment of the next try, or raise the error if the session is over by then.

    ``tries`` counts those before the one that failed.
    """
    if tries or not isinstance(error, ConnectionLossException):
        await pause(client, get_delay(client.session_timeout))
    if client.state in _OVER:
        raise error


async def pause(client: ZookeeperClient, delay: float) -> None:
    """Wait some seconds, but no longer than the session lasts.

    Else something of it would be left in the reactor.
    """
    passed: Deferred[None] = Deferred()
    call = client.reactor.callLater(delay, passed.callback, None)

    def changed(event: ClientEvent) -> None:
        # A managed client's session has a successor only after this was told.
        if event.connection_state in _OVER and call.active():
            call.reset(0)

    unsubscribe = client.subscribe_session(changed)
    try:
        await passed
    finally:
        unsubscribe()
        if call.active():
            call.cancel()
