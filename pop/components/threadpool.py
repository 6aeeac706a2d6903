"""Threads for calls that block, which is all that threads are for here.

Everything else happens in the reactor's thread, and so does what follows from a call: the pool,
which is registered under L{SERVICE_THREAD_POOL}, answers with Deferreds.
"""

from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from threading import Thread
from types import CoroutineType
from typing import Any, Final, ParamSpec, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorFromThreads, IReactorTime
from twisted.python import threadpool

from pop.components.bundle import BundleActivator
from pop.components.context import BundleContext
from pop.components.errors import BundleException

P = ParamSpec("P")
T = TypeVar("T")
SERVICE_THREAD_POOL: Final = "pop.components.threadpool"
PROPERTY_THREADS: Final = "pop.components.threads"
"""A property of the framework: how many threads there are at most; 10, if it is none."""
PROPERTY_QUEUE: Final = "pop.components.threads.queue"
"""A property of the framework: how many calls may wait for a thread; any number, if it is none."""
USUAL_THREADS = 10
IDLE = 60.0
"""Seconds after which a thread ends that was not needed meanwhile."""


class NoThreads(BundleException):
    """Calls in threads need a reactor to come back to: make the framework with clock=reactor."""


class PoolFull(BundleException):
    """The thread pool takes no more calls: {waiting} wait already for its {threads} threads."""


class PoolEnded(BundleException):
    """The thread pool takes no more calls: it has been stopped."""


class NotBlocking(BundleException):
    """What returns a Deferred or a coroutine belongs in the reactor's thread: call it there."""


class ThreadPool:
    """Calls what blocks in threads, which it makes as they are needed, and keeps as long as they
    are.

    Its methods are for the reactor's thread.

    @param most: threads.
    @param queue: calls that may wait for one of them; 0 for any number.
    @param clock: measures how long a thread is idle; the reactor, if it is none.
    """

    def __init__(
        self,
        reactor: Any,
        most: int = USUAL_THREADS,
        queue: int = 0,
        clock: IReactorTime | None = None,
    ) -> None:
        self._reactor = reactor
        self._clock: IReactorTime = clock or reactor
        self._most = most
        self._queue = queue
        self._pool = threadpool.ThreadPool(0, most, "components")
        # A thread that hangs keeps no process from ending.
        self._pool.threadFactory = partial(Thread, daemon=True)  # type: ignore[assignment]
        self._calls: set[_Call] = set()
        self._joining: list[Deferred[None]] = []
        self._ending = False
        self._needed = 0
        self._look_again: IDelayedCall | None = None

    def start(self) -> None:
        """Begin with the calls that there are."""
        self._pool.start()

    def enqueue(self, method: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> Deferred[T]:
        """Call something in a thread, in the context (L{contextvars}) of now; what comes of it.

        A call that is cancelled is not made, unless it has begun; then nobody learns how it ends.
        @raise PoolFull: too many calls wait already.
        @raise PoolEnded: there are no threads any more.
        """
        if self._ending:
            raise PoolEnded
        if self._queue and len(self._calls) >= self._most + self._queue:
            raise PoolFull(waiting=self._queue, threads=self._most)
        context = copy_context()
        call = _Call(lambda: context.run(method, *arguments, **named))
        self._calls.add(call)
        self._needed = max(self._needed, len(self._calls))
        if self._look_again is None:
            self._look_again = self._clock.callLater(IDLE, self._look)
        self._pool.callInThreadWithCallback(partial(self._made, call), call.make)
        return call.answer

    def _made(self, call: "_Call", well: bool, result: Any) -> None:
        self._reactor.callFromThread(self._ended, call, result)  # this is still the other thread

    def _ended(self, call: "_Call", result: Any) -> None:
        self._calls.discard(call)
        self._end()
        call.answer.callback(result)
        if not self._calls:
            joining, self._joining = self._joining, []
            for deferred in joining:
                deferred.callback(None)

    def _look(self) -> None:
        """Give back the threads that were not needed since the last time."""
        self._look_again, pool = None, self._pool
        for _ in range(pool.workers - self._needed):
            pool.stopAWorker()
        pool.threads = [thread for thread in pool.threads if thread.is_alive()]
        self._needed = len(self._calls)
        if self._calls or pool.workers:
            self._look_again = self._clock.callLater(IDLE, self._look)

    def join(self) -> Deferred[None]:
        """Fires when all calls have ended."""
        joined: Deferred[None] = Deferred()
        if self._calls:
            self._joining.append(joined)
        else:
            joined.callback(None)
        return joined

    def clear(self) -> Deferred[None]:
        """Cancel the calls that have not begun; fires when the others have ended."""
        for call in tuple(self._calls):
            if not call.begun:
                call.answer.cancel()
        return self.join()

    def stop(self) -> Deferred[None]:
        """End all threads, as L{clear}; nothing waits for a thread that hangs but this Deferred."""
        self._ending = True
        if self._look_again is not None:
            self._look_again.cancel()
            self._look_again = None
        cleared = self.clear()
        if self._calls and not self._pool.started:
            self._pool.start()  # or calls that were asked for before would never end
        self._end()
        return cleared

    def _end(self) -> None:
        if self._ending and not self._calls and self._pool.started:
            self._pool.stop()  # which waits for threads that have nothing to do any more


class _Call:
    """One call.

    @ivar begun: whether a thread has taken it up.
    @ivar answer: what comes of it.
    """

    def __init__(self, work: Callable[[], Any]) -> None:
        self.answer: Deferred[Any] = Deferred()
        self.begun = False
        self._work = work

    def make(self) -> Any:
        """In a thread: make it, unless it was cancelled."""
        self.begun = not self.answer.called
        result = self._work() if self.begun else None
        if isinstance(result, CoroutineType):
            result.close()
        if isinstance(result, Deferred | CoroutineType):
            raise NotBlocking
        return result


@BundleActivator
class Activator:
    """Registers a L{ThreadPool} while the bundle is active."""

    def start(self, context: BundleContext) -> None:
        """As large as the framework's properties say."""
        reactor: Any = context.get_framework().patience.clock
        if not IReactorFromThreads.providedBy(reactor):
            raise NoThreads
        self.pool = ThreadPool(
            reactor,
            _number(context.get_property(PROPERTY_THREADS)) or USUAL_THREADS,
            _number(context.get_property(PROPERTY_QUEUE)),
        )
        self.pool.start()
        context.register_service(SERVICE_THREAD_POOL, self.pool)

    def stop(self, context: BundleContext) -> Deferred[None]:
        """No thread is left."""
        return self.pool.stop()


def _number(said: Any) -> int:
    text = str(said).strip()
    return int(text) if text.isdecimal() else 0
