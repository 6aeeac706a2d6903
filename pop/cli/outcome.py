"""The outcome of work that needs the reactor, which runs just as long."""

import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import click
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

TIDYING = 3.0
"""Seconds that work has to tidy up when it is interrupted."""
ENDING = 20.0
"""The same, if it has begun what is to be ended elsewhere first."""
SOON = 1.0
"""Seconds of that until people are told what they wait for."""

T = TypeVar("T")


def outcome(
    reactor: Any, work: Callable[[], Coroutine[Any, Any, T]], tidying: float = TIDYING
) -> T:
    """Run the reactor until some work is done, and give its result or raise its error.

    Ctrl-C cancels it; so what it began elsewhere is ended there, and what it did to the terminal is
    undone. A second one leaves at once.

    @param work: begins it, within the reactor.
    @param tidying: seconds that it has for that.
    @raise click.Abort: it was interrupted.
    """
    errand = _Errand(reactor, tidying)
    reactor.callWhenRunning(lambda: errand.begin(Deferred.fromCoroutine(work())))
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    reactor.run()
    for number, handler in before.items():
        signal.signal(number, handler)  # the reactor leaves its own, which do nothing any more
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
    def __init__(self, reactor: Any, tidying: float) -> None:
        self.result: list[Any] = []
        self.interrupted = False
        self._reactor = reactor
        self._tidying = tidying

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
        self._work.addBoth(lambda _: _fire(tidied))
        self._work.cancel()
        signal.signal(signal.SIGINT, lambda *_: self._reactor.callFromThread(_fire, tidied))
        telling = self._reactor.callLater(SOON, _tell)
        giving_up = self._reactor.callLater(self._tidying, _fire, tidied)
        return tidied.addCallback(lambda _: _cancel(telling, giving_up))


def _tell() -> None:
    click.echo("pop: Ending what was begun; Ctrl-C leaves it at once.", err=True)


def _fire(tidied: "Deferred[None]") -> None:
    if not tidied.called:
        tidied.callback(None)


def _cancel(*calls: Any) -> None:
    for call in calls:
        if call.active():
            call.cancel()
