"""A module with a life: installed, started, stopped, updated and uninstalled."""

from collections.abc import Awaitable, Callable, Coroutine
from enum import IntEnum
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

from pop.components import code
from pop.components.context import BundleContext
from pop.components.errors import (
    BundleException,
    FrameworkException,
    NotStarted,
    NotStopped,
    NotUpdated,
    TooEarly,
    Uninstalled,
)
from pop.components.events import BundleEvent, BundleEventKind
from pop.components.patience import unharmed
from pop.components.reference import ServiceReference

if TYPE_CHECKING:
    from pop.components.framework import Framework

log = Logger()
T = TypeVar("T")
Kind = TypeVar("Kind", bound=type)
_ACTIVATOR = "__pop_bundle_activator__"


class BundleState(IntEnum):
    """Where a bundle is in its life; the numbers are OSGi's."""

    UNINSTALLED = 1
    INSTALLED = 2
    RESOLVED = 4
    STARTING = 8
    STOPPING = 16
    ACTIVE = 32


def BundleActivator(kind: Kind) -> Kind:
    """Make a class the activator of the bundle that defines it.

    It is called without arguments at each start of the bundle; then its C{start(context)}, and when
    the bundle stops, its C{stop(context)}. Both may return a Deferred or be coroutine functions.
    """
    setattr(kind, _ACTIVATOR, kind.__module__)
    return kind


class Bundle:
    """One bundle of a framework.

    Starting, stopping, updating and uninstalling happen one after the other; each answers with a
    Deferred, since activators and listeners may take their time. If that is cancelled, what has
    begun goes on, and it fails with L{GoesOn}; what has not begun is not done.
    """

    def __init__(
        self, framework: "Framework", id: int, module: ModuleType, path: str | None = None
    ) -> None:
        self._framework = framework
        self._id = id
        self._name = module.__name__
        self._module = module
        self._path = path
        self._state = BundleState.RESOLVED
        self._lock = DeferredLock()
        self._activator: Any = None
        self._context = BundleContext(framework, self)

    def __repr__(self) -> str:
        return f"Bundle(ID={self._id}, Name={self.get_symbolic_name()})"

    # What it is

    def get_bundle_id(self) -> int:
        """Its number, which no other bundle of the framework ever has."""
        return self._id

    def get_symbolic_name(self) -> str:
        """The module's name."""
        return self._name

    def get_state(self) -> BundleState:
        """Where it is in its life."""
        return self._state

    def get_module(self) -> ModuleType:
        """The module; another one after an update."""
        return self._module

    def get_location(self) -> str:
        """The module's file; the empty text if it has none."""
        return getattr(self._module, "__file__", None) or ""

    def get_version(self) -> str:
        """What the module says of its version, or else the package that it is in."""
        return code.version_of(self._module)

    def get_bundle_context(self) -> BundleContext:
        """What it has of the framework."""
        return self._context

    def get_registered_services(self) -> list[ServiceReference]:
        """What it registered.

        @raise Uninstalled: it is no bundle any more.
        """
        self._check_installed()
        return self._framework.registry.registered(self)

    def get_services_in_use(self) -> list[ServiceReference]:
        """What it uses."""
        return self._framework.registry.uses.used(self)

    def may_act(self) -> bool:
        """Whether it may register, use and listen."""
        return self._state in (BundleState.STARTING, BundleState.ACTIVE, BundleState.STOPPING)

    # Its life

    def start(self) -> Deferred[bool]:
        """Start it; whether it had not been started before.

        @raise NotStarted: its activator failed; nothing of it is left.
        """
        return self._in_turn(self._start)

    def start_in_framework(self) -> Deferred[bool]:
        """Start it, for the framework, which sees for itself to what that means for it."""
        return self._lock.run(lambda: Deferred.fromCoroutine(self._start()))

    def stop(self) -> Deferred[bool]:
        """Stop it; whether it was active.

        @raise NotStopped: its activator failed; it is stopped all the same.
        """
        return self._in_turn(self._stop)

    def update(self) -> Deferred[None]:
        """Load its code anew, beside what runs, and then stop that and start this.

        @raise NotUpdated: the new code cannot be imported, and the old has not been stopped; or it
            cannot be started, and the old runs again.
        """
        return self._in_turn(self._update)

    def uninstall(self) -> Deferred[None]:
        """Stop it and let it go, even if its activator fails."""
        return self._in_turn(self._uninstall)

    def _in_turn(self, deed: Callable[[], Coroutine[Any, Any, T]]) -> Deferred[T]:
        async def done() -> T:
            await self._lock.acquire()
            return await unharmed(Deferred.fromCoroutine(self._done(deed)))

        return Deferred.fromCoroutine(done())

    async def _done(self, deed: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What comes of a deed, once it has been this one's turn."""
        try:
            try:
                return await deed()
            finally:
                self._lock.release()
        except BundleException as error:
            cause = error.__cause__
            # Not before others may act on this bundle: the framework is about to.
            if isinstance(cause, FrameworkException) and cause.needs_stop:
                await self._framework.stop_for(cause)
            raise

    def _check_installed(self) -> None:
        if self._state is BundleState.UNINSTALLED:
            raise Uninstalled(bundle=self._name)

    def _tell(self, kind: BundleEventKind, reason: BaseException | None = None) -> Awaitable[None]:
        return self._framework.bundle_listeners.tell(BundleEvent(kind, self, reason))

    def _call(self, name: str) -> Awaitable[Any]:
        call = getattr(self._activator, name, lambda context: None)
        who = f"{name} of bundle {self._name}"
        return self._framework.patience.call(who, call, self._context)

    async def _start(self) -> bool:
        self._check_installed()
        if self._state is BundleState.ACTIVE:
            return False
        if not self._framework.runs():
            raise TooEarly(bundle=self._name)
        self._state = BundleState.STARTING
        await self._tell(BundleEvent.STARTING)
        try:
            self._activator = _find_activator(self._module)
            await self._call("start")
        except Exception as error:
            await self._release()
            self._state = BundleState.RESOLVED
            await self._tell(BundleEvent.STOPPED, error)
            raise NotStarted(bundle=self._name, reason=code.reason_of(error)) from error
        self._state = BundleState.ACTIVE
        await self._tell(BundleEvent.STARTED)
        return True

    async def _stop(self) -> bool:
        self._check_installed()
        if self._state is not BundleState.ACTIVE:
            return False
        self._state = BundleState.STOPPING
        await self._tell(BundleEvent.STOPPING)
        trouble: Exception | None = None
        try:
            await self._call("stop")
        except Exception as error:
            trouble = error
        await self._tell(BundleEvent.STOPPING_PRECLEAN)
        await self._release()
        self._state = BundleState.RESOLVED
        await self._tell(BundleEvent.STOPPED)
        if trouble is not None:
            raise NotStopped(bundle=self._name, reason=code.reason_of(trouble)) from trouble
        return True

    async def _release(self) -> None:
        """Take back whatever it has of the framework."""
        self._activator = None
        await self._framework.release(self)

    async def _update(self) -> None:
        self._check_installed()
        await self._tell(BundleEvent.UPDATE_BEGIN)
        try:
            old, new = self._module, code.load_beside(self._module, self._path)
        except BundleException as error:
            await self._tell(BundleEvent.UPDATE_FAILED, error)
            raise NotUpdated(bundle=self._name, reason=error.fields["reason"]) from error
        active = await self._stop_anyway()
        self._module = new
        try:
            if active:
                await self._start()
        except NotStarted as error:
            code.publish(old)
            self._module = old
            await self._start()
            await self._tell(BundleEvent.UPDATE_FAILED, error)
            raise NotUpdated(bundle=self._name, reason=error.fields["reason"]) from error.__cause__
        await self._tell(BundleEvent.UPDATED)

    async def _stop_anyway(self) -> bool:
        """Stop it; that its activator fails is logged."""
        try:
            return await self._stop()
        except NotStopped:
            log.failure("The bundle {bundle} did not stop well", bundle=self._name)
            return True

    async def _uninstall(self) -> None:
        self._check_installed()
        await self._stop_anyway()
        self._state = BundleState.UNINSTALLED
        self._framework.forget(self)
        await self._tell(BundleEvent.UNINSTALLED)


def _find_activator(module: ModuleType) -> Any:
    """A new activator, if the module has one: a class that is decorated, or a ready object."""
    for kind in list(vars(module).values()):
        if isinstance(kind, type) and vars(kind).get(_ACTIVATOR) == module.__name__:
            return kind()
    return getattr(module, "activator", None)
