"""A timer for what must happen in time, fair to those who are heard late."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Alarm:
    """Rings after some seconds, unless it is stopped.

    When the time is over the reactor goes round once more: if this process stood still itself,
    what others said meanwhile waits to be heard.
    """

    def __init__(self, clock: IReactorTime, seconds: float, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._timer: IDelayedCall | None = clock.callLater(seconds, self._elapsed)

    def stop(self) -> None:
        """It need not ring, or has done so."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _elapsed(self) -> None:
        self._timer = self._clock.callLater(0, self._go_off)

    def _go_off(self) -> None:
        self._timer = None
        self._ring()
