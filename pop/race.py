"""Several ways to one end, of which the first that leads there is taken."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

T = TypeVar("T")


class Race(Generic[T]):
    """Tries one way, and the next one too when that has failed or takes long: RFC 8305 in small.

    @param ways: at least one; each is begun by a call.
    @param head_start: seconds that each has before the next is begun beside it.
    """

    def __init__(
        self, clock: IReactorTime, head_start: float, ways: Iterable[Callable[[], Deferred[T]]]
    ) -> None:
        self._clock = clock
        self._head_start = head_start
        self._ways = list(ways)
        self._going: list[Deferred[T]] = []
        self._timer: IDelayedCall | None = None
        self._ended = False
        self._over: Deferred[T] = Deferred(lambda _: self._end())

    def run(self) -> Deferred[T]:
        """The first success; else the failure that came last. To cancel it cancels all."""
        self._next()
        return self._over

    def _next(self) -> None:
        self._timer = None
        way = self._ways.pop(0)()
        if self._ways:
            self._timer = self._clock.callLater(self._head_start, self._next)
        self._going.append(way)
        way.addCallbacks(self._arrived, self._failed)
        way.addBoth(lambda _: None)

    def _arrived(self, result: T) -> None:
        if not self._ended:
            self._end()
            self._over.callback(result)

    def _failed(self, failure: Failure) -> None:
        self._going = [way for way in self._going if not way.called]
        if self._ended:
            return
        if self._ways:
            self._stop_timer()
            self._next()
        elif not self._going:
            self._over.errback(failure)

    def _end(self) -> None:
        """Begin no more, and go on with none."""
        self._ended = True
        self._ways.clear()
        self._stop_timer()
        going, self._going = self._going, []
        for way in going:
            way.cancel()

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
