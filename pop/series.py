"""One health check, carried out again and again, and what it comes to."""

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from pop.errors import CheckFailed
from pop.policy import Checks

Probe = Callable[[str, float], Coroutine[Any, Any, None]]
"""(description, timeout in seconds): carries a check out.

Raises L{CheckFailed} if it does not pass in time; cancelled, it ends at once.
"""
Verdict = Callable[[str | None], None]
"""Takes what a check has found wrong, or L{None} if it passes."""

SOON = 0.1
"""Seconds until the first look at something that is starting."""
GROWTH = 1.5
"""By which the wait grows from look to look, so that what starts quickly is found ready quickly."""
SPREAD = 0.1
"""The part of a wait that chance may leave out: what began together goes on one by one."""


class Series:
    """One check, carried out again and again, and never twice at a time.

    The interval is counted from the beginning of one to that of the next, unless that one takes
    longer.

    @param judge: is told when so many in a row have passed or failed as it takes; and when as many
        more have failed, if something else is wrong then.
    @param first: seconds until the first one; if that is less than the interval, the waits grow
        up to it until the first verdict is good.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        probe: Probe,
        description: str,
        checks: Checks,
        judge: Verdict,
        first: float,
        chance: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._probe = probe
        self._description = description
        self._checks = checks
        self._judge = judge
        self._wait = first
        self._chance = chance
        self._stopped = False
        self._timer: IDelayedCall | None = None
        self._probing: Deferred[None] | None = None
        self._begun = 0.0
        self._passed = self._failed = 0
        self._judged: str | None = ""

    def start(self) -> None:
        """Begin."""
        if not self._stopped:
            self._begin_after(self._wait)

    def stop(self) -> None:
        """End, whatever is under way; nothing is judged any more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._probing is not None:
            self._probing.cancel()

    def _begin(self) -> None:
        self._timer = None
        self._begun = self._clock.seconds()
        coroutine = self._probe(self._description, self._checks.timeout)
        self._probing = Deferred.fromCoroutine(coroutine)
        self._probing.addCallbacks(lambda _: None, self._fault)
        self._probing.addCallback(self._ended)

    def _fault(self, failure: Failure) -> str:
        if not self._stopped and not failure.check(CheckFailed):
            self._log.failure("A check could not be carried out", failure=failure)
        return str(failure.value).rstrip(".")

    def _ended(self, fault: str | None) -> None:
        self._probing = None
        if self._stopped:
            return
        self._count(fault)
        if not self._stopped:
            longer = self._checks.interval if self._judged is None else self._wait * GROWTH
            self._wait = min(longer, self._checks.interval)
            self._begin_after(self._wait - (self._clock.seconds() - self._begun))

    def _begin_after(self, seconds: float) -> None:
        wait = max(0.0, seconds * (1 - SPREAD * self._chance()))
        self._timer = self._clock.callLater(wait, self._begin)

    def _count(self, fault: str | None) -> None:
        """Judge, once it is known for sure and makes a difference."""
        self._passed = self._passed + 1 if fault is None else 0
        self._failed = 0 if fault is None else self._failed + 1
        sure = (
            self._passed >= self._checks.successes
            if fault is None
            else self._failed % self._checks.failures == 0
        )
        if sure and fault != self._judged:
            self._judged = fault
            self._judge(fault)
