"""A requirement that is still met for a while after what met it has gone."""

from collections.abc import Callable
from math import isfinite
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall

from pop.components.dependency import SimpleDependency
from pop.components.factory import TEMPORAL_TIMEOUTS
from pop.components.reference import ServiceReference
from pop.components.requirement import Requirement

if TYPE_CHECKING:
    from pop.components.component import Component

__all__ = ["Standin", "TemporalDependency", "TemporalException"]

Call = Callable[[Any], Any]


class TemporalException(Exception):
    """What was called went away, and no other came in time."""


class Standin:
    """Stands for the object of a registration, and outlives its absence.

    While there is an object, this does what that does. Otherwise a call gives a Deferred, and is
    made once another is there.
    """

    __slots__ = ("_dependency", "_path")

    def __init__(self, dependency: "TemporalDependency", path: tuple[str, ...] = ()) -> None:
        self._dependency = dependency
        self._path = path

    def __bool__(self) -> bool:
        return self._dependency.present

    def __repr__(self) -> str:
        return f"<stand-in {'.'.join((self._dependency.field, *self._path))}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)  # what Python itself looks for is not for later
        if self._dependency.present:
            return getattr(_reached(self._dependency.service, self._path), name)
        return Standin(self._dependency, (*self._path, name))

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call it, now or once it is there."""
        return self._dependency.called(
            lambda service: _reached(service, self._path)(*arguments, **keywords)
        )


def _reached(found: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        found = getattr(found, name)
    return found


class TemporalDependency(SimpleDependency):
    """The first that matches; when it goes, the next, if that comes in time."""

    __slots__ = ("calls", "expired", "timeout", "timer")

    def __init__(self, component: "Component", field: str, requirement: Requirement) -> None:
        super().__init__(component, field, requirement)
        given = component.given.get(TEMPORAL_TIMEOUTS)
        own = given.get(field) if isinstance(given, dict) else None
        self.timeout = requirement.timeout if own is None else _timeout(own, requirement.timeout)
        self.timer: IDelayedCall | None = None
        self.expired = False
        self.calls: list[tuple[Deferred[Any], Call]] = []

    @property
    def present(self) -> bool:
        """Whether there is an object to call."""
        return self.reference is not None and not self.gone

    def called(self, call: Call) -> Any:
        """Do something with the object: at once, or as soon as there is one."""
        if self.present:
            return call(self.service)
        result: Deferred[Any] = Deferred()
        if self.timer is None:
            result.errback(self._late())
        else:
            self.calls.append((result, call))
        return result

    def left(self, reference: ServiceReference) -> None:
        """Time runs, unless there is another."""
        clock = self.component.clock
        if reference is self.reference and clock and self.best() is None:
            self._stop_timer()
            self.expired = False
            self.timer = clock.callLater(self.timeout, self._expire)
        super().left(reference)

    def breaks(self) -> bool:
        """When the time is over, and there is no other."""
        lost = self.gone or self.reference is None
        return lost and not self.requirement.optional and not self._waits() and self.best() is None

    def satisfied(self) -> bool:
        """It is, as long as there is time."""
        return super().satisfied() or self._waits()

    def _waits(self) -> bool:
        return self.timer is not None and self.gone and not self.expired

    async def settle(self) -> None:
        """What went is bound until another comes, or the time is over."""
        if self._waits() and self.best() is None:
            return
        self._stop_timer()
        await super().settle()
        if self.present:
            self._catch_up()
        else:
            self._give_up()

    async def unbind_all(self) -> None:
        """The component is gone, and nobody will ever answer."""
        self._stop_timer()
        await super().unbind_all()
        self._give_up()

    def value(self) -> Any:
        """The stand-in, as long as there is anything to stand for."""
        return Standin(self) if self.reference is not None else None

    def _expire(self) -> None:
        self.timer, self.expired = None, True
        self.touched()

    def _stop_timer(self) -> None:
        timer, self.timer = self.timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def _catch_up(self) -> None:
        calls, self.calls = self.calls, []
        for result, call in calls:
            if not result.called:
                maybeDeferred(call, self.service).chainDeferred(result)

    def _give_up(self) -> None:
        calls, self.calls = self.calls, []
        for result, _ in calls:
            if not result.called:
                result.errback(self._late())

    def _late(self) -> TemporalException:
        return TemporalException(
            f"nothing has come for {self.field} of {self.component.name}"
            f" within {self.timeout:g} seconds"
        )


def _timeout(value: Any, otherwise: float) -> float:
    """A number of seconds that makes sense."""
    sensible = isinstance(value, int | float) and isfinite(value) and value > 0
    return float(value) if sensible else otherwise
