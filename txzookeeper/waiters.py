"""Those who wait for one moment: each has a Deferred of its own, and may give up."""

from __future__ import annotations

from typing import Generic, TypeVar

from twisted.internet.defer import Deferred

T = TypeVar("T")


class Waiters(Generic[T]):
    """The Deferreds of all who wait."""

    def __init__(self) -> None:
        self._waiting: list[Deferred[T]] = []

    def wait(self) -> Deferred[T]:
        """Give a Deferred that fires with the others."""
        waiting: Deferred[T] = Deferred()
        self._waiting.append(waiting)
        return waiting

    def fire(self, result: T) -> None:
        """Tell all who wait, and have not given up."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.called:
                each.callback(result)

    def fail(self, error: Exception) -> None:
        """Tell all who wait that they do so in vain."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.called:
                each.errback(error)
