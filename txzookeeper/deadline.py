"""When a session must be taken for expired, by the client's own clock.

A server ends a session that it has not heard of for the session's time-out. It heard of it at the
latest request that was answered, or later: so the session is sure to live until that request's
sending plus the time-out, and not for a moment longer. A client cut off from all servers learns
this from nobody but its clock, which has to be a monotonic one.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Deadline:
    """Watches for the end of a session while there is no connection.

    ``now`` is the monotonic clock (seconds), ``clock`` only wakes us; ``overdue`` is called once
    for each time that it was started and ran out.
    """

    def __init__(
        self, clock: IReactorTime, now: Callable[[], float], overdue: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._now = now
        self._overdue = overdue
        self._at = 0.0
        self._call: IDelayedCall | None = None

    def start(self, at: float) -> None:
        """Call ``overdue`` when it is this late, unless stopped before."""
        self.stop()
        self._at = at
        self._call = self._clock.callLater(max(at - self._now(), 0), self._woken)

    def stop(self) -> None:
        """Do not call any more."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    @property
    def at(self) -> float:
        """The moment it was last started for."""
        return self._at

    def _woken(self) -> None:
        self._call = None
        # The clock that wakes us may be one that people set.
        if self._at - self._now() > _A_MOMENT:
            self.start(self._at)
        else:
            self._overdue()


_A_MOMENT = 0.001
