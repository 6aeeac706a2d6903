"""Failures, and how long to wait after them."""

from typing import Final

from pop.frozen import frozen
from pop.policy import Restarts


@frozen
class Backoff:
    """How long to wait before the next start; all times in seconds.

    @ivar first: the wait after the second failure in a row; after the first there is none.
    @ivar longest: no wait is longer.
    @ivar good_run: one that was ready so long starts afresh.
    @ivar trial: when to try again what failed.
    """

    first: float = 0.5
    longest: float = 60.0
    good_run: float = 10.0
    trial: float = 60.0

    def delay(self, failures: int, chance: float) -> float:
        """The wait after so many failures in a row."""
        if failures <= 1:
            return 0.0
        full = min(self.longest, self.first * 2.0 ** min(failures - 2, 62))
        return _spread(full, chance)

    def until_trial(self, chance: float) -> float:
        """The wait before the next trial."""
        return _spread(self.trial, chance)


USUAL: Final = Backoff()


def _spread(full: float, chance: float) -> float:
    """Over its upper half, so that what failed together does not come back together."""
    return full * (0.5 + chance / 2)


@frozen
class Failures:
    """The failures of an instance since its last good run.

    @ivar in_a_row: how many there were.
    @ivar times: when those were that may still be in the window.
    @ivar too_many: they were too many within the window; the next one is again, until a good run.
    """

    in_a_row: int = 0
    times: tuple[float, ...] = ()
    too_many: bool = False

    def one_more(self, now: float, restarts: Restarts) -> "Failures":
        """With a failure that happens now."""
        times = (*(time for time in self.times if now - time < restarts.window), now)
        too_many = self.too_many or len(times) >= restarts.max_failures
        return Failures(self.in_a_row + 1, times, too_many)


NO_FAILURES: Final = Failures()
