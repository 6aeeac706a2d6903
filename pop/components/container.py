"""Where components live: which factories there are, and which components."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from pop.components.assembly import assemble, construct
from pop.components.bundle import Bundle
from pop.components.code import reason_of
from pop.components.component import Component
from pop.components.context import BundleContext
from pop.components.errors import (
    FactoryTaken,
    NameTaken,
    NoComponents,
    NotAName,
    NotConstructed,
    SingletonTaken,
    TooLate,
)
from pop.components.events import ServiceEvent, ServiceEventKind
from pop.components.explanation import circle, sentence_of
from pop.components.factory import (
    FactoryManipulationError,
    context_of,
)
from pop.components.followers import Follower
from pop.components.hooks import HANDLER_ID, SERVICE_HANDLER_FACTORY, Handler
from pop.components.inventory import Factory, Inventory
from pop.components.life import Event, Phase
from pop.components.lingering import Lingering
from pop.components.notices import IPopoEvent, Kind
from pop.components.patience import InTime
from pop.components.reference import ServiceReference
from pop.components.requirement import KINDS
from pop.components.retry import USUAL

__all__ = ["SERVICE_IPOPO", "Container", "use_ipopo"]

log = Logger()
SERVICE_IPOPO: Final = "pelix.ipopo.core"
"""The name under which the container is registered."""


class Container(Inventory):
    """All factories and components of a framework.

    @ivar patience: how long a callback may take.
    @ivar afterwards: has a component look when all have been told what happens to a registration.
    @ivar retry: when a component that failed tries again, unless it says so itself.
    @ivar lingering: who still uses what has gone.
    @ivar listeners: are told what happens to factories and components.
    """

    def __init__(self, context: BundleContext) -> None:
        super().__init__()
        self.context = context
        self.patience = context.get_framework().patience
        self.afterwards = context.get_framework().registry.listeners.afterwards
        self.retry = USUAL
        self.lingering = Lingering()
        self.listeners: list[Any] = []
        self._follower = Follower(self)
        self._stopping = False

    # Its own life

    def start(self) -> None:
        """Make components of what bundles define, those that are active and those to come."""
        context = self.context
        context.add_framework_stop_listener(self)
        context.add_service_listener(self, None, SERVICE_HANDLER_FACTORY)
        for reference in context.get_all_service_references(SERVICE_HANDLER_FACTORY):
            self._add_handler(reference)
        self._follower.start()

    def stop(self) -> Deferred[Any]:
        """Kill all components, and forget all factories; fires when that is done."""
        self._stopping = True
        self._follower.stop()
        self.context.remove_framework_stop_listener(self)
        self.context.remove_service_listener(self)
        ended = self._kill(list(self.components.values()))
        for name in list(self.factories):
            self._forget_factory(name)
        return ended

    def framework_stopping(self) -> None:
        """For the framework: nothing new is made any more."""
        self._stopping = True

    # Factories

    def let_go(self, bundle: Bundle) -> Deferred[Any]:
        """Kill all components of a bundle, and forget its factories; fires when that is done."""
        ended = self._kill(
            component for component in self.components.values() if component.bundle is bundle
        )
        for name, factory in list(self.factories.items()):
            if factory.context.get_bundle() is bundle:
                self._forget_factory(name)
        return ended

    def register_factory(self, bundle_context: BundleContext, factory: type) -> bool:
        """Make components of a class possible.

        @raise FactoryTaken: another has that name.
        @raise FactoryManipulationError: the class is not decorated as a factory.
        """
        declared = context_of(factory) if isinstance(factory, type) else None
        if declared is None or not declared.complete:
            raise FactoryManipulationError(f"{factory!r} is not decorated with @ComponentFactory")
        name = declared.name
        if (known := self.factories.get(name)) is not None:
            bundle = known.context.get_bundle().get_symbolic_name()
            raise FactoryTaken(factory=name, bundle=bundle)
        self.factories[name] = Factory(factory, declared, bundle_context)
        self.tell(Kind.REGISTERED, name)
        return True

    def unregister_factory(self, factory_name: str) -> Deferred[bool]:
        """Kill its components and forget it; fires with whether there was one."""
        known = factory_name in self.factories
        ended = self._kill(
            component
            for component in self.components.values()
            if component.declared.name == factory_name
        )
        if known:
            self._forget_factory(factory_name)
        return ended.addCallback(lambda ignored: known)

    def _forget_factory(self, name: str) -> None:
        del self.factories[name]
        self.tell(Kind.UNREGISTERED, name)

    # Components

    def instantiate(
        self, factory_name: str, name: str, properties: Mapping[str, Any] | None = None
    ) -> Any:
        """Make a component; gives its object.

        If its requirements are met, it is valid when this returns, unless its callbacks take their
        time.
        @raise BundleException: there is no such factory, the name is taken, and so on.
        """
        factory = self.factory(factory_name)
        self._check_name(name, factory)
        instance = construct(factory.cls, name, factory.declared)
        given = dict(properties or {})
        component = assemble(self, factory.declared, factory.context, name, instance, given)
        equipped = self._equip(component)
        self._add(component)
        self.tell(Kind.INSTANTIATED, factory_name, name)
        self._begin(component, equipped)
        return instance

    def _check_name(self, name: Any, factory: Factory) -> None:
        if not isinstance(name, str) or not name.strip():
            raise NotAName(name=repr(name))
        if self._stopping:
            raise TooLate(component=name)
        if name in self.components:
            raise NameTaken(component=name, factory=self.components[name].declared.name)
        if factory.declared.singleton:
            for component in self.components.values():
                if component.declared is factory.declared:
                    raise SingletonTaken(factory=factory.declared.name, component=component.name)

    def _add(self, component: Component) -> None:
        self.components[component.name] = component
        self.promises.add(component)

    def _equip(self, component: Component) -> bool:
        """Give it its handlers, if all that make them are there; whether they are.

        @raise NotConstructed: one makes none.
        """
        needed = component.declared.handler_ids() - KINDS
        if not self._handlers.keys() >= needed:
            return False
        made: list[Handler] = []
        for handler_id in needed:
            _, makes = self._handlers[handler_id]
            try:
                made += makes.get_handlers(component, component.instance)
            except Exception as error:
                reason = f"its handler {handler_id} cannot be made: {reason_of(error)}"
                raise NotConstructed(
                    component=component.name, factory=component.declared.name, reason=reason
                ) from error
        component.handlers += made
        return True

    def _begin(self, component: Component, equipped: bool) -> None:
        """Start it, or let it wait for those handlers that are not there."""
        if self.components.get(component.name) is not component:
            return  # whoever was told of it has killed it
        if not equipped:
            self.waiting[component.name] = component
            return
        component.start()
        if found := circle(component, self.promises):
            log.warn("{sentence}", sentence=sentence_of(found))

    def forget(self, component: Component) -> None:
        """A component is gone."""
        if self.components.get(component.name) is component:
            del self.components[component.name]
            self.promises.discard(component)
        self.waiting.pop(component.name, None)

    def kill(self, name: str) -> Deferred[None]:
        """Let a component be gone; fires once it is.

        @raise NoSuchComponent: there is none of that name.
        """
        return self.component(name).kill()

    def _kill(self, components: Iterable[Component]) -> Deferred[Any]:
        """The latest first; fires once all are gone."""
        return InTime([component.kill() for component in reversed(list(components))])

    def invalidate(self, name: str) -> None:
        """Let a component be invalid until L{retry_erroneous} is asked for."""
        self.component(name).ask(Event.HOLD)

    def retry_erroneous(
        self, name: str, properties_update: Mapping[str, Any] | None = None
    ) -> Phase:
        """Let a component that failed, or was invalidated, try again; gives its state.

        @param properties_update: properties to change first.
        """
        component = self.component(name)
        if component.state in (Phase.ERRONEOUS, Phase.INVALID):
            component.given.update(properties_update or {})
            component.set_properties(properties_update or {})
            component.ask(Event.RETRY)
        return component.state

    def reconfigure(
        self, name: str, properties: Mapping[str, Any], removed: Iterable[str] = ()
    ) -> None:
        """Change properties of a component; a hidden one by its name with a dot before it.

        @param removed: the names of those that are to be as if they had not been given.
        """
        component = self.component(name)
        for each in removed:
            component.given.pop(each, None)
            component.reset_property(each)
        component.set_properties(properties)

    # Handlers

    def service_changed(self, event: ServiceEvent) -> None:
        """For the registry: what makes handlers comes and goes."""
        if event.kind is ServiceEventKind.REGISTERED:
            self._add_handler(event.reference)
        elif event.kind is ServiceEventKind.UNREGISTERING:
            self._remove_handler(event.reference)

    def _add_handler(self, reference: ServiceReference) -> None:
        handler_id = reference.get_property(HANDLER_ID)
        if not handler_id or handler_id in self._handlers:
            return
        try:
            makes = self.context.get_service(reference)
        except Exception:
            log.failure("{reference} gives no handlers", reference=reference)
            return
        self._handlers[handler_id] = (reference, makes)
        for component in list(self.waiting.values()):
            still = self.waiting.get(component.name) is component
            if still and not self.missing(component):
                self._wait_no_more(component)

    def _wait_no_more(self, component: Component) -> None:
        """Begin; if a handler cannot be made, it waits on for another."""
        try:
            equipped = self._equip(component)
        except NotConstructed as error:
            log.error("{error}", error=error)
            self.waiting[component.name] = component
        else:
            self.waiting.pop(component.name, None)
            self._begin(component, equipped)

    def _remove_handler(self, reference: ServiceReference) -> None:
        """Those that need it wait; another that was registered for the same takes its place."""
        handler_id = reference.get_property(HANDLER_ID)
        if handler_id not in self._handlers or self._handlers[handler_id][0] is not reference:
            return
        del self._handlers[handler_id]
        self.context.unget_service(reference)
        for component in list(self.components.values()):
            if handler_id in component.declared.handler_ids() and not self._stopping:
                component.kill().addCallback(self._again, component)
        for other in self.context.get_all_service_references(SERVICE_HANDLER_FACTORY):
            self._add_handler(other)

    def _again(self, ignored: None, before: Component) -> None:
        """Start a component afresh, around the same object."""
        if before.declared.name in self.factories and before.name not in self.components:
            component = assemble(
                self,
                before.declared,
                before.context,
                before.name,
                before.instance,
                before.lasting(),
            )
            self._add(component)
            self.tell(Kind.INSTANTIATED, component.declared.name, component.name)
            self._wait_no_more(component)

    # Listeners

    def add_listener(self, listener: Any) -> bool:
        """Tell it from now on, by C{handle_ipopo_event}; C{False} if it is told already."""
        if listener in self.listeners or not hasattr(listener, "handle_ipopo_event"):
            return False
        self.listeners.append(listener)
        return True

    def remove_listener(self, listener: Any) -> bool:
        """Tell it no more; whether it was told."""
        if listener not in self.listeners:
            return False
        self.listeners.remove(listener)
        return True

    def tell(self, kind: Kind, factory: str, component: str | None = None) -> None:
        """Tell all; what one raises is logged, and the others are told."""
        for listener in tuple(self.listeners):
            try:
                listener.handle_ipopo_event(IPopoEvent(kind, factory, component))
            except Exception:
                log.failure("a listener to components failed")


@contextmanager
def use_ipopo(bundle_context: BundleContext) -> Iterator[Container]:
    """The container of a framework, for as long as the block lasts.

    @raise BundleException: there is none.
    """
    reference = bundle_context.get_service_reference(SERVICE_IPOPO)
    if reference is None:
        raise NoComponents
    try:
        yield bundle_context.get_service(reference)
    finally:
        bundle_context.unget_service(reference)
