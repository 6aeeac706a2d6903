"""When an instance is looked at: its readiness check, its liveness check and its watchdog."""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from pop.alarm import Alarm
from pop.events import Event, Failed, Passed, Unhealthy
from pop.policy import Checks
from pop.series import SOON, Probe, Series, Verdict


class Checker:
    """Looks after one process, from its start to its end.

    @param told: takes what came out: L{Passed}, L{Failed}, L{Unhealthy}. After the last there is
        nothing more to tell.
    @param chance: gives numbers from 0 to 1.
    """

    def __init__(
        self,
        clock: IReactorTime,
        probe: Probe,
        checks: Checks,
        told: Callable[[Event], None],
        chance: Callable[[], float],
    ) -> None:
        def series(description: str | None, judge: Verdict, first: float) -> Series | None:
            if description is None:
                return None
            return Series(clock, probe, description, checks, judge, first, chance)

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
        self._bite(f"it has not said WATCHDOG=1 for {self._seconds:g} s")
