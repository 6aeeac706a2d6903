"""When an instance is looked at: its readiness check, its liveness check and its watchdog."""

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from pop.alarm import Alarm
from pop.errors import CheckFailed
from pop.events import Event, Failed, Passed, Unhealthy
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


class Checker:
    """Looks after one process, from its start to its end.

    @param told: takes what came out: L{Passed}, L{Failed}, L{Unhealthy}. After the last there is
        nothing more to tell.
    """

    def __init__(
        self, clock: IReactorTime, probe: Probe, checks: Checks, told: Callable[[Event], None]
    ) -> None:
        def series(description: str | None, judge: Verdict, first: float) -> Series | None:
            if description is None:
                return None
            return Series(clock, probe, description, checks, judge, first)

        self._told = told
        self._is_up = False
        soon = min(SOON, checks.interval)
        self._readiness = series(checks.readiness, self._judge, soon)
        self._liveness = series(checks.liveness, self._doubt, checks.interval)
        self._watchdog = (
            None if checks.watchdog is None else Watchdog(clock, checks.watchdog, self._unhealthy)
        )

    def start(self) -> None:
        """The process runs: find out when it is ready."""
        if self._readiness:
            self._readiness.start()

    def ready(self) -> None:
        """It was ready: from now on it must live. Before, it has time to start."""
        if self._is_up:
            return
        self._is_up = True
        if self._liveness:
            self._liveness.start()
        if self._watchdog:
            self._watchdog.start()

    def watchdog_fed(self) -> None:
        """It said that it lives."""
        if self._watchdog:
            self._watchdog.fed()

    def stop(self) -> None:
        """The process ends, or should: look no more."""
        self._is_up = True
        for part in (self._readiness, self._liveness, self._watchdog):
            if part:
                part.stop()

    def _judge(self, fault: str | None) -> None:
        self._told(Passed() if fault is None else Failed(f"its readiness check fails: {fault}"))

    def _doubt(self, fault: str | None) -> None:
        if fault is not None:
            self._unhealthy(f"its liveness check fails: {fault}")

    def _unhealthy(self, why: str) -> None:
        self.stop()
        self._told(Unhealthy(why))


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
    ) -> None:
        self._clock = clock
        self._probe = probe
        self._description = description
        self._checks = checks
        self._judge = judge
        self._wait = first
        self._stopped = False
        self._timer: IDelayedCall | None = None
        self._probing: Deferred[None] | None = None
        self._begun = 0.0
        self._passed = self._failed = 0
        self._judged: str | None = ""

    def start(self) -> None:
        """Begin."""
        if not self._stopped:
            self._timer = self._clock.callLater(self._wait, self._begin)

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
            elapsed = self._clock.seconds() - self._begun
            self._timer = self._clock.callLater(max(0.0, self._next_wait() - elapsed), self._begin)

    def _next_wait(self) -> float:
        good = self._judged is None
        self._wait = (
            self._checks.interval if good else min(self._wait * GROWTH, self._checks.interval)
        )
        return self._wait

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


class Watchdog:
    """Bites unless it is fed in time.

    @param bite: takes why.
    """

    def __init__(self, clock: IReactorTime, seconds: float, bite: Callable[[str], None]) -> None:
        self._clock = clock
        self._seconds = seconds
        self._bite = bite
        self._alarm: Alarm | None = None

    def start(self) -> None:
        """It must be fed from now on."""
        self._alarm = Alarm(self._clock, self._seconds, self._hungry)

    def fed(self) -> None:
        """The time begins anew, if it has begun at all."""
        if self._alarm is not None:
            self._alarm.stop()
            self.start()

    def stop(self) -> None:
        """It need not be fed any more."""
        if self._alarm is not None:
            self._alarm.stop()
            self._alarm = None

    def _hungry(self) -> None:
        self._alarm = None
        self._bite(f"it has not said WATCHDOG=1 for {self._seconds:g} seconds")
