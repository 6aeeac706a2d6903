"""When a component that failed to become valid tries again."""

from typing import Any, Final

from pop.frozen import frozen

__all__ = ["RETRY", "USUAL", "Retry", "retry_of"]

RETRY: Final = "pop.components.retry"
"""A property with which a component is instantiated: the seconds until it first tries again, or
C{False} for never."""


@frozen
class Retry:
    """After each failure in a row the wait is doubled.

    @ivar first: seconds; 0 for never.
    @ivar longest: no wait is longer.
    """

    first: float = 1.0
    longest: float = 60.0

    def delay(self, failures: int) -> float | None:
        """How long to wait after so many failures in a row; L{None} for ever."""
        if not self.first:
            return None
        return min(self.longest, self.first * 2.0 ** min(failures - 1, 62))


USUAL: Final = Retry()


def retry_of(given: Any, usual: Retry = USUAL) -> Retry:
    """What a component is instantiated with says; if that is nothing, the usual."""
    if given is False or given == 0:
        return Retry(0.0)
    if isinstance(given, int | float) and given > 0 and given is not True:
        return Retry(float(given), max(float(given), usual.longest))
    return usual
