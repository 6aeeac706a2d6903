"""Bytes on their way, which may be late or held up, but keep their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Flow:
    """One direction of a line: what is put in is delivered in this order, at once or later."""

    def __init__(self, clock: IReactorTime, deliver: Callable[[bytes], object]) -> None:
        self._clock = clock
        self._deliver = deliver
        self._deeds: deque[tuple[float, Callable[[], object]]] = deque()
        self._held = False
        self._going = False
        self._call: IDelayedCall | None = None

    def put(self, data: bytes, delay: float = 0.0) -> None:
        """Deliver bytes, after some seconds and all that was put in before."""
        self.then(partial(self._deliver, data), delay)

    def then(self, deed: Callable[[], object], delay: float = 0.0) -> None:
        """Do something after all that was put in before."""
        self._deeds.append((self._clock.seconds() + delay, deed))
        self._go_on()

    def hold(self) -> None:
        """Deliver nothing from now on."""
        self._held = True

    def release(self) -> None:
        """Deliver what was held."""
        self._held = False
        self._go_on()

    def clear(self) -> None:
        """Forget everything that is under way."""
        self._deeds.clear()
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _go_on(self) -> None:
        if self._going or self._call is not None:
            return
        self._going = True
        while self._deeds and not self._held and self._call is None:
            moment, deed = self._deeds[0]
            wait = moment - self._clock.seconds()
            if wait > 0:
                self._call = self._clock.callLater(wait, self._woken)
            else:
                self._deeds.popleft()
                deed()
        self._going = False

    def _woken(self) -> None:
        self._call = None
        self._go_on()
