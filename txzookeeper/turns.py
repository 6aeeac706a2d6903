"""Calls that are made one after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger

Work: TypeAlias = Callable[[], object]


class Turns:
    """Makes calls, each when the Deferred or coroutine that the last one gave is done.

    ``next_call`` gives the next call, or None if there is none now; it is asked again after
    `wake`. So what there is to tell can be put together when its turn comes. An error is logged
    and ends nothing.
    """

    log = Logger()

    def __init__(self, next_call: Callable[[], Work | None]) -> None:
        self._next_call = next_call
        self._busy = False
        self._over = False

    def wake(self) -> None:
        """Say that there is something to call: now, if nothing else is being done."""
        if not self._busy:
            self._busy = True
            Deferred.fromCoroutine(self._run())

    def stop(self) -> None:
        """Make no further call; one that is under way is left to its own end."""
        self._over = True

    async def _run(self) -> None:
        while not self._over and (call := self._next_call()) is not None:
            try:
                await maybeDeferred(call)
            except Exception:
                self.log.failure("In a watcher's callback")
        self._busy = False
