"""Rounds: something is done once for many who ask for it, and never twice at a time."""

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure


class Rounds:
    """One round after the other, for as long as there is a reason for the next.

    @param go: what a round does.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, go: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._clock = clock
        self._go = go
        self._running = False
        self._due = False
        self._round: Deferred[None] | None = None

    def begin(self) -> None:
        """Do what is asked for from now on."""
        self._running = True

    def stop(self) -> None:
        """Give up the present round, and begin no other."""
        self._running = False
        if self._round:
            self._round.cancel()

    def ask(self) -> None:
        """Do it soon: many calls in one turn of the reactor are one round."""
        if not self._due:
            self._due = True
            self._clock.callLater(0, self._begin)

    def _begin(self) -> None:
        if self._round is not None:
            return  # the end of that one begins it
        self._due = False
        if self._running:
            self._round = Deferred.fromCoroutine(self._go())
            self._round.addErrback(self._failed)
            self._round.addBoth(self._end)

    def _failed(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._log.failure("A round failed", failure=failure)

    def _end(self, _: object) -> None:
        self._round = None
        if self._due:
            self._begin()
