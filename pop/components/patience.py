"""Waiting for callbacks that may return something to be waited for, but not for ever."""

from collections.abc import Callable
from inspect import iscoroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from pop.components.errors import CallTimeout


class Patience:
    """How long a callback may take.

    @param clock: without one, there is no limit.
    @param seconds: the limit; 0 for none.
    """

    def __init__(self, clock: IReactorTime | None = None, seconds: float = 30.0) -> None:
        self.clock = clock
        self.seconds = seconds

    async def call(self, who: str, call: Callable[..., Any], *arguments: Any) -> Any:
        """What a callback returns, or what comes of the Deferred or coroutine that it returns.

        @param who: is named if it takes too long.
        @raise CallTimeout: it did, and was cancelled.
        """
        result = call(*arguments)
        waiting = self.deferred(who, result)
        return result if waiting is None else await waiting

    async def without_limit(self, result: Any) -> Any:
        """What comes of what a callback returned, however long that takes."""
        if iscoroutine(result):
            result = Deferred.fromCoroutine(result)
        return await result if isinstance(result, Deferred) else result

    def deferred(self, who: str, result: Any) -> Deferred[Any] | None:
        """What a callback returned, as something to be waited for, if it is."""
        if iscoroutine(result):
            result = Deferred.fromCoroutine(result)
        if not isinstance(result, Deferred):
            return None
        if self.clock is not None and self.seconds > 0:
            result.addTimeout(self.seconds, self.clock, _blame(who))
        return result


def _blame(who: str) -> Callable[[Any, float], Any]:
    def late(result: Any, seconds: float) -> Any:
        if isinstance(result, Failure) and result.check(CancelledError):
            raise CallTimeout(who, seconds) from None
        return result

    return late
