"""A window: how much may be on its way to a reader who has not taken it yet."""

from collections import deque
from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred, DeferredLock, succeed
from twisted.python.failure import Failure
from zope.interface import implementer

from pop.interfaces import IOutput
from pop.protocols.requests import LONGEST

WIDTH: Final = 8
"""Pieces that a reader may have yet to take; what a slow one costs at most."""


@implementer(IOutput)
class Window:
    """Sends pieces, a few of them ahead of the reader.

    @param send: sends one piece, of L{LONGEST} bytes at most; fires when it is taken.
    @param broken: called when the reader does not take one.
    """

    def __init__(
        self,
        send: Callable[[str, bytes], Deferred[object]],
        broken: Callable[[], None],
        width: int = WIDTH,
    ) -> None:
        self._send = send
        self._broken = broken
        self._width = width
        self._out = 0
        self._failed: Failure | None = None
        self._room: deque[Deferred[None]] = deque()
        self._order: DeferredLock = DeferredLock()

    def write(self, source: str, data: bytes) -> Deferred[None]:
        """See L{IOutput.write}: fires when all of it is within the window."""
        if len(data) <= LONGEST and self._out < self._width and not self._order.locked:
            self._begin(source, data)
            return succeed(None)
        work: Deferred[None] = self._order.run(
            lambda: Deferred.fromCoroutine(self._write(source, data))
        )
        return work

    async def drained(self) -> None:
        """Wait until the reader has taken all of it."""
        while self._out and not self._failed:
            await self._change()

    async def _write(self, source: str, data: bytes) -> None:
        for start in range(0, len(data), LONGEST):
            while self._out >= self._width and not self._failed:
                await self._change()
            if self._failed:
                self._failed.raiseException()
            self._begin(source, data[start : start + LONGEST])

    def _begin(self, source: str, data: bytes) -> None:
        self._out += 1
        self._send(source, data).addCallbacks(self._taken, self._refused)

    def _taken(self, _: object) -> None:
        self._out -= 1
        self._tell()

    def _refused(self, failure: Failure) -> None:
        self._out -= 1
        if self._failed is None:
            self._failed = failure
            self._broken()
        self._tell()

    def _change(self) -> Deferred[None]:
        change: Deferred[None] = Deferred()
        self._room.append(change)
        return change

    def _tell(self) -> None:
        waiting, self._room = self._room, deque()
        for change in waiting:
            if not change.called:
                change.callback(None)
