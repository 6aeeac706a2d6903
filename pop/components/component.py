"""One component: an object, what is bound to it, and what it registers.

L{pop.components.life} says what is to be done, and this does it, one thing after the other. What
happens meanwhile is only noted: by the dependencies, each of which then is dirty, and by L{ask}.
So no two callbacks of a component ever overlap, however long they take.
"""

from collections import deque
from collections.abc import Callable
from traceback import format_exception
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from pop.components.callbacks import (
    INVALIDATE,
    VALIDATE,
)
from pop.components.calls import advance
from pop.components.context import BundleContext
from pop.components.dependency import Dependency
from pop.components.errors import BundleException, FrameworkException
from pop.components.factory import FactoryContext
from pop.components.fields import COMPONENT
from pop.components.life import BUSY, Deed, Event, Phase, step
from pop.components.notices import Kind
from pop.components.provider import Provider
from pop.components.reference import ServiceReference
from pop.components.retry import RETRY, retry_of

if TYPE_CHECKING:
    from pop.components.container import Container

__all__ = ["Component"]

log = Logger()
_ENDS: Final = frozenset((Event.HOLD, Event.KILL))
"""What is done before anything else."""


class Component(Provider):
    """A named instance of a component factory.

    @ivar given: all that it was instantiated with.
    """

    __slots__ = (
        "_active",
        "_asked",
        "_dirty",
        "_gone",
        "_timer",
        "bundle",
        "clock",
        "given",
    )

    def __init__(
        self,
        container: "Container",
        declared: FactoryContext,
        context: BundleContext,
        name: str,
        instance: Any,
        given: dict[str, Any],
    ) -> None:
        super().__init__(container, declared, context, name, instance)
        self.clock: IReactorTime | None = container.patience.clock
        self.bundle = context.get_bundle()
        self.given = given
        self._active = False
        self._asked: deque[Event] = deque()
        self._dirty: list[Dependency] = []
        self._timer: IDelayedCall | None = None
        self._gone: list[Deferred[None]] = []

    def __repr__(self) -> str:
        return f"<component {self.name} of {self.declared.name}: {self.life.phase.name}>"

    def lasting(self) -> dict[str, Any]:
        """With what another is instantiated that takes its place: also what nobody is shown."""
        return {**self.given, **self.properties, **self.hidden}

    # Beginning, and what may be asked

    def start(self) -> None:
        """See what there is to be bound, and become valid with it if that is enough."""
        self._active = True
        try:
            self.handlers.tell("start")
            for dependency in self.dependencies:
                dependency.start()
        finally:
            self._active = False
        self.look()

    def ask(self, event: Event) -> None:
        """Let it hold, try again, or be gone: at once, or after the callback under way."""
        if self.life.phase is Phase.KILLED:
            return
        self.refused = False
        if self.life.phase in BUSY:
            self.life, _ = step(self.life, event)
        else:
            self._asked.append(event)
            self.look()

    def kill(self) -> Deferred[None]:
        """Let it be gone; fires once it is."""
        gone: Deferred[None] = Deferred()
        if self.life.phase is Phase.KILLED:
            gone.callback(None)
        else:
            self._gone.append(gone)
            self.ask(Event.KILL)
        return gone

    def touched(self, dependency: Dependency) -> None:
        """A dependency has something to settle."""
        if not dependency.dirty:
            dependency.dirty = True
            self._dirty.append(dependency)
        if not self._active:
            self.container.afterwards(self)

    # The loop

    def look(self) -> None:
        """Do what is to be done, unless that is being done already."""
        if not self._active:
            self._active = True
            advance(self._work())

    async def _work(self) -> None:
        try:
            while (event := await self._next()) is not None:
                await self._step(event)
        except Exception:
            self.complain("a defect of pop's")
        finally:
            self._active = False

    async def _next(self) -> Event | None:
        """What has happened since; L{None} if nothing more has."""
        while self.life.phase is not Phase.KILLED:
            if self._asked and self._asked[0] in _ENDS:
                return self._asked.popleft()
            if self.life.phase is Phase.VALID and self._broken():
                return Event.UNSATISFIED
            if self._dirty:
                await self._settle()
            elif self.toggled and self.life.phase is Phase.VALID:
                await self.offer()
            elif (
                self.life.phase is not Phase.VALID and self._satisfied() is not self.life.satisfied
            ):
                return Event.UNSATISFIED if self.life.satisfied else Event.SATISFIED
            else:  # to try again only makes sense with what there is now
                return self._asked.popleft() if self._asked else None
        return None

    async def _settle(self) -> None:
        dirty, self._dirty = self._dirty, []
        for dependency in dirty:
            dependency.dirty = False
            await dependency.settle()

    def _broken(self) -> bool:
        return any(dependency.breaks() for dependency in self._dirty) or not self.handlers.valid()

    def _satisfied(self) -> bool:
        for dependency in self.dependencies:
            if not dependency.satisfied():
                return False
        return self.handlers.valid()

    async def _step(self, event: Event | None) -> None:
        while event is not None:
            self.life, deeds = step(self.life, event)
            event = None
            for deed in deeds:
                event = await _DEEDS[deed](self)

    # The deeds

    async def _validate(self) -> Event:
        self._stop_timer()
        self.handlers.tell("pre_validate")
        error = await self.call_of_life(VALIDATE)
        self.error_trace = None if error is None else _trace(error)
        if error is not None:
            return Event.RAISED
        if self._broken():
            self.life, _ = step(self.life, Event.UNSATISFIED)
        return Event.ENDED

    async def _provide(self) -> None:
        await self.offer()
        self.handlers.tell("post_validate")
        self.tell(Kind.VALIDATED)

    async def _withdraw(self) -> None:
        self.handlers.tell("pre_invalidate")
        for offer in reversed(self.offers):
            await self.take_back(offer)

    async def _invalidate(self) -> Event:
        error = await self.call_of_life(INVALIDATE)
        return Event.ENDED if error is None else Event.RAISED

    async def _release(self) -> None:
        self.handlers.tell("post_invalidate")
        self.tell(Kind.INVALIDATED)

    async def _wait(self) -> None:
        delay = retry_of(self.given.get(RETRY), self.container.retry).delay(self.life.failures)
        if delay is not None and self.clock is not None:
            self._timer = self.clock.callLater(delay, self._elapsed)

    async def _forget(self) -> None:
        self._stop_timer()
        try:
            for dependency in self.dependencies:
                dependency.stop()
                await dependency.unbind_all()
            self.handlers.tell("stop")
            self.handlers.tell("clear")
        finally:  # whoever waits for it, as its bundle does, would wait for ever
            self._end()

    def _end(self) -> None:
        self.instance.__dict__.pop(COMPONENT, None)
        self.container.forget(self)
        self.tell(Kind.KILLED)
        gone, self._gone = self._gone, []
        for waiting in gone:
            waiting.callback(None)

    def _elapsed(self) -> None:
        self._timer = None
        if self.life.phase is Phase.ERRONEOUS:
            self.ask(Event.ELAPSED)

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def hold(self) -> None:
        """It cannot be valid as it is."""
        self._asked.append(Event.HOLD)

    def alarm(self, error: FrameworkException) -> None:
        """A callback says that it cannot go on: with the component, or with the framework."""
        self.ask(Event.KILL)
        if error.needs_stop:
            self.context.get_framework().stop_for(error)

    # Who is still being used

    def lingers(self, reference: ServiceReference) -> None:
        """It uses something that has gone, and lets it go as soon as it can."""
        self.container.lingering.add(reference, self)

    def lingers_not(self, reference: ServiceReference) -> None:
        """It has let it go."""
        self.container.lingering.discard(reference, self)


def _trace(error: BaseException) -> str:
    """What is shown of an error: of one that an operator can mend, the sentence."""
    return str(error) if isinstance(error, BundleException) else "".join(format_exception(error))


_DEEDS: dict[Deed, Callable[[Component], Any]] = {
    Deed.VALIDATE: Component._validate,
    Deed.PROVIDE: Component._provide,
    Deed.WITHDRAW: Component._withdraw,
    Deed.INVALIDATE: Component._invalidate,
    Deed.RELEASE: Component._release,
    Deed.WAIT: Component._wait,
    Deed.FORGET: Component._forget,
}
