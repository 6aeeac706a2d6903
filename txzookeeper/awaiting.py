"""What a coroutine awaits, and can be called off from.

Note [Called off]: a coroutine's own Deferred cannot be cancelled while the coroutine runs. But
then callbacks of the program are called, and these may well want to stop it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import (
    AuthFailedException,
    ClosingException,
    NotConnectedException,
    SessionExpiredException,
    ZooKeeperException,
)
from txzookeeper.patience import pause
from txzookeeper.retry import is_retryable, retry

T = TypeVar("T")

PATIENCE: Final = 5.0
"""Seconds until something that ZooKeeper refused to read is tried again."""

_SESSION_OVER: Final = (
    AuthFailedException,
    ClosingException,
    NotConnectedException,
    SessionExpiredException,
)


class Awaiting:
    """The waiting of one coroutine, for one thing after the other."""

    log = Logger()

    def __init__(self) -> None:
        self.over = False
        self._awaited: Deferred[Any] | None = None

    async def __call__(self, awaited: Deferred[T]) -> T:
        """Wait for a result; raises ``CancelledError`` if that is called off."""
        if self.over:
            awaited.cancel()
        self._awaited = awaited
        try:
            return await awaited
        finally:
            self._awaited = None

    def interrupt(self) -> None:
        """Call off what is awaited at this moment, if anything is."""
        if self._awaited is not None:
            self._awaited.cancel()

    def call_off(self) -> None:
        """Call off what is awaited now and later."""
        self.over = True
        self.interrupt()

    async def reading(
        self,
        client: ZookeeperClient,
        read: Callable[[], Awaitable[T]],
        answers: tuple[type[ZooKeeperException], ...] = (),
    ) -> T:
        """Read something, as often as it takes, and give it.

        Raises a ``ZooKeeperException`` if that is an answer, or if the session is over.
        """
        while not self.over:
            try:
                return await self(retry(client, read))
            except ZooKeeperException as error:
                # What is worth a retry comes from there only when the session is over.
                if is_retryable(error) or isinstance(error, (*_SESSION_OVER, *answers)):
                    raise
                self.log.warn("{error} Another try follows in a while.", error=error)
                await self(Deferred.fromCoroutine(pause(client, PATIENCE)))
        raise CancelledError
