"""Waiting for callbacks that may return something to be waited for, but not for ever."""

from collections.abc import Callable, Iterable
from inspect import iscoroutine
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from pop.components.errors import CallTimeout

log = Logger()
T = TypeVar("T")


class GoesOn(CancelledError):
    """Whoever waited for a deed waits no more; it had begun, and goes on."""


class InTime(Deferred[None]):
    """Fires once several have, which is in time by itself: whatever they wait for has limits."""

    def __init__(self, several: Iterable[Deferred[Any]]) -> None:
        super().__init__()
        DeferredList(list(several)).addCallback(lambda _: self.callback(None))


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
        if self.clock is None or self.seconds <= 0 or _in_time(result):
            return result
        return _limited(result, self.clock, self.seconds, who)


def _in_time(result: Deferred[Any]) -> bool:
    """Whether it needs no limit. One that has fired may yet wait for another, and does need it."""
    return isinstance(result, InTime) or (result.called and not result.paused)


def _limited(given: Deferred[Any], clock: IReactorTime, seconds: float, who: str) -> Deferred[Any]:
    """The same, which fails when the time is over; even if what is cancelled then goes on."""
    limited: Deferred[Any] = Deferred(lambda _: given.cancel())
    late = False

    def elapsed() -> None:
        nonlocal late
        late = True
        given.cancel()
        if not limited.called:
            limited.errback(CallTimeout(who, seconds))

    timer = clock.callLater(seconds, elapsed)

    def ended(result: Any) -> None:
        if timer.active():
            timer.cancel()
        if late and isinstance(result, Failure) and result.check(CancelledError):
            result = Failure(CallTimeout(who, seconds))
        if not limited.called:
            limited.callback(result)

    given.addBoth(ended)
    return limited


def unharmed(deed: Deferred[T]) -> Deferred[T]:
    """The same for somebody who may stop waiting for it, by cancelling it: the deed goes on.

    A L{GoesOn} says so. If it fails then, that is logged.
    """
    waiting: Deferred[T] = Deferred(lambda it: it.errback(GoesOn()))

    def ended(result: Any) -> None:
        if not waiting.called:
            waiting.callback(result)
        elif isinstance(result, Failure):
            log.failure("What nobody waits for any more has failed", result)

    deed.addBoth(ended)
    return waiting
