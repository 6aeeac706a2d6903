"""The outcome of work that needs the reactor, which runs just as long."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import click
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

TIDYING = 3.0
"""Seconds that work has to tidy up when it is interrupted."""

T = TypeVar("T")


def outcome(reactor: Any, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run the reactor until some work is done, and give its result or raise its error.

    Ctrl-C cancels it; so what it began elsewhere is ended there, and what it did to the terminal is
    undone.

    @param work: begins it, within the reactor.
    @raise click.Abort: it was interrupted.
    """
    errand = _Errand(reactor)
    reactor.callWhenRunning(lambda: errand.begin(Deferred.fromCoroutine(work())))
    reactor.run()
    if not errand.result:
        raise click.Abort
    [result] = errand.result
    if isinstance(result, Failure):
        if errand.interrupted and result.check(CancelledError):
            raise click.Abort
        result.raiseException()
    found: T = result
    return found


class _Errand:
    def __init__(self, reactor: Any) -> None:
        self.result: list[Any] = []
        self.interrupted = False
        self._reactor = reactor

    def begin(self, work: "Deferred[Any]") -> None:
        self._work = work
        work.addBoth(self.result.append)
        self._reactor.addSystemEventTrigger("before", "shutdown", self._leave)
        work.addBoth(lambda _: None if self.interrupted else self._reactor.stop())

    def _leave(self) -> "Deferred[None] | None":
        if self.result:
            return None
        self.interrupted = True
        tidied: Deferred[None] = Deferred()
        self._work.addBoth(tidied.callback)
        self._work.cancel()
        return tidied.addTimeout(TIDYING, self._reactor, lambda *_: None)
