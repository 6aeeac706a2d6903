"""A framework: bundles and their registrations, in one process and in the reactor's thread."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from pop.components import code, packages
from pop.components.audience import Audience
from pop.components.bundle import Bundle, BundleState
from pop.components.errors import (
    BundleException,
    FrameworkException,
    FrameworkStays,
    NoSuchBundle,
    Uninstalled,
)
from pop.components.events import BundleEvent
from pop.components.patience import Patience
from pop.components.registry import Registry

log = Logger()
NAME = "pop.framework"
UID = "framework.uid"


class Framework(Bundle, Service):
    """Bundles and their registrations; itself bundle 0, and a service of Twisted.

    There may be any number in one process.

    @param properties: those of the framework; C{framework.uid} is there anyway.
    @param clock: what limits how long a callback may take; without it, nothing does.
    @param call_timeout: that limit, in seconds.
    @param environment: where properties are looked for that the framework does not have.
    """

    def __init__(
        self,
        properties: Mapping[str, Any] | None = None,
        *,
        clock: IReactorTime | None = None,
        call_timeout: float = 30.0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.patience = Patience(clock, call_timeout)
        self.registry = Registry(self.adopt)
        self.bundle_listeners = Audience("bundle_changed", self.patience)
        self.stop_listeners = Audience("framework_stopping", self.patience)
        self._environment = os.environ if environment is None else environment
        self._properties = {UID: _new_uid(), **(properties or {})}
        self._bundles: dict[int, Bundle] = {}
        self._by_name: dict[str, Bundle] = {}
        self._ids = count(1)
        self._adopted: set[Deferred[Any]] = set()
        self._stopping: list[Deferred[None]] = []
        super().__init__(self, 0, sys.modules[__name__])
        self._name = NAME

    # Twisted's side

    def startService(self) -> Deferred[bool]:
        """Start, as L{start}."""
        super().startService()
        return self.start()

    def stopService(self) -> Deferred[bool]:
        """Stop, as L{stop}."""
        super().stopService()
        return self.stop()

    # Its life

    def runs(self) -> bool:
        """Whether bundles may start."""
        return self._state in (BundleState.STARTING, BundleState.ACTIVE)

    def may_act(self) -> bool:
        """The framework may register, use and listen at any time."""
        return True

    def update(self) -> Deferred[None]:
        """Stop and start, if it is active."""

        async def again() -> None:
            if await self.stop():
                await self.start()

        return Deferred.fromCoroutine(again())

    def uninstall(self) -> Deferred[None]:
        """It cannot be.

        @raise FrameworkStays: always.
        """
        raise FrameworkStays(deed="uninstalled")

    async def delete(self) -> None:
        """Stop, and uninstall all bundles."""
        await self.stop()
        for bundle in reversed(self.get_bundles()):
            await bundle.uninstall()

    def wait_for_stop(self) -> Deferred[None]:
        """Fires when the framework has stopped; at once if it does not run."""
        waiting: Deferred[None] = Deferred()
        if self._state is BundleState.RESOLVED:
            waiting.callback(None)
        else:
            self._stopping.append(waiting)
        return waiting

    def stop_for(self, reason: FrameworkException) -> Deferred[bool]:
        """Stop, since a part cannot live with what happened."""
        log.error("The framework stops: {reason}", reason=reason)
        return self.stop()

    async def _start(self) -> bool:
        if self.runs():
            return False
        self._state = BundleState.STARTING
        await self._tell(BundleEvent.STARTING)
        for bundle in self.get_bundles():
            try:
                await bundle.start_in_framework()
            except BundleException as error:
                log.error("{error}", error=error)
                cause = error.__cause__
                if isinstance(cause, FrameworkException) and cause.needs_stop:
                    await self._stop()
                    return False
        self._state = BundleState.ACTIVE
        await self._tell(BundleEvent.STARTED)
        return True

    async def _stop(self) -> bool:
        if not self.runs():
            return False
        self._state = BundleState.STOPPING
        await self._tell(BundleEvent.STOPPING)
        await self.stop_listeners.tell()
        for bundle in reversed(self.get_bundles()):
            try:
                await bundle.stop()
            except Uninstalled:
                continue
            except BundleException as error:
                log.error("{error}", error=error)
        await self._tell(BundleEvent.STOPPING_PRECLEAN)
        await self.release(self)
        self._state = BundleState.RESOLVED
        await self._tell(BundleEvent.STOPPED)
        waiting, self._stopping = self._stopping, []
        for deferred in waiting:
            deferred.callback(None)
        return True

    async def release(self, bundle: Bundle) -> None:
        """Take back whatever a bundle has, and wait for those whom that concerns."""
        if bundle is not self:
            self.bundle_listeners.end(bundle)
            self.stop_listeners.end(bundle)
            self.registry.listeners.end(bundle)
        before = set(self._adopted)
        self.registry.end(bundle)
        self.registry.uses.end(bundle)
        await DeferredList(list(self._adopted - before))

    def adopt(self, result: Any, who: str) -> None:
        """A listener returned something that may take its time."""
        if (deferred := self.patience.deferred(who, result)) is None:
            return
        self._adopted.add(deferred)

        def failed(failure: Any) -> None:
            log.failure("{who} failed", failure, who=who)

        def done(_: Any) -> None:
            self._adopted.discard(deferred)

        deferred.addErrback(failed)
        deferred.addBoth(done)

    # Properties

    def get_property(self, name: str) -> Any:
        """A property of the framework, or a variable of the environment of that name."""
        value = self._properties.get(name)
        return self._environment.get(name) if value is None else value

    def get_properties(self) -> dict[str, Any]:
        """A copy of the framework's properties."""
        return dict(self._properties)

    def add_property(self, name: str, value: Any) -> bool:
        """Set a property that is not set yet; whether it was not."""
        if name in self._properties:
            return False
        self._properties[name] = value
        return True

    # Bundles

    def get_bundles(self) -> list[Bundle]:
        """All that are installed, in that order, but the framework itself."""
        return list(self._bundles.values())

    def get_bundle_by_id(self, bundle: Bundle | int) -> Bundle:
        """The bundle with a number; 0 is the framework.

        @raise NoSuchBundle: there is none.
        """
        id = bundle.get_bundle_id() if isinstance(bundle, Bundle) else bundle
        if id == 0:
            return self
        if id not in self._bundles:
            raise NoSuchBundle(bundle=id)
        return self._bundles[id]

    def get_bundle_by_name(self, name: str) -> Bundle | None:
        """The bundle of a module's name, if it is installed."""
        return self if name == NAME else self._by_name.get(name)

    def install_bundle(self, name: str, path: str | None = None) -> Bundle:
        """Import a module as a bundle; the one that there is if it is installed already.

        @param path: a directory to look for it first; L{sys.path} is as before afterwards.
        @raise NotImported: it cannot be imported.
        """
        if known := self._by_name.get(name):
            return known
        module = code.load(name, path)
        bundle = Bundle(self, next(self._ids), module, path)
        self._bundles[bundle.get_bundle_id()] = self._by_name[name] = bundle
        self.adopt(
            self.bundle_listeners.tell(BundleEvent(BundleEvent.INSTALLED, bundle)),
            f"listeners to the installation of {name}",
        )
        return bundle

    def install_package(self, path: str, recursive: bool = False) -> packages.Installed:
        """Install the package in a directory with its modules.

        @return: the bundles, and the names of modules that could not be imported.
        """
        return packages.install(
            self, path, lambda name, is_package, where: recursive or not is_package
        )

    def install_visiting(
        self, path: str, visitor: Callable[[str, bool, str], bool]
    ) -> packages.Installed:
        """As L{install_package}, with the modules that C{visitor(name, is_package, path)} wants."""
        return packages.install(self, path, visitor)

    def forget(self, bundle: Bundle) -> None:
        """For bundles only: it is uninstalled."""
        del self._bundles[bundle.get_bundle_id()]
        del self._by_name[bundle.get_symbolic_name()]
        code.forget(bundle.get_symbolic_name())


def _new_uid() -> str:
    import secrets

    return secrets.token_hex(16)


def create_framework(
    bundles: Iterable[str] = (),
    properties: Mapping[str, Any] | None = None,
    *,
    clock: IReactorTime | None = None,
) -> Framework:
    """A framework with bundles installed; it is not started.

    @raise NotImported: a bundle cannot be imported.
    """
    framework = Framework(properties, clock=clock)
    for name in bundles:
        framework.install_bundle(name)
    return framework
