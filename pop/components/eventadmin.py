"""Events by topic, from anybody to whoever registered a handler for it.

A handler is registered under L{SERVICE_EVENT_HANDLER} with the property C{event.topics}, a pattern
or several, or C{event.filter}, a filter over an event's properties, or both. It has a method
C{handle_event(topic, properties)}, which may return a Deferred or be a coroutine function.
"""

from collections import deque
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final, NamedTuple

from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger

from pop.components.bundle import BundleActivator
from pop.components.context import BundleContext
from pop.components.errors import BadFilter, BadTopic
from pop.components.events import ServiceEvent
from pop.components.filters import Filter
from pop.components.reference import ServiceReference
from pop.components.syntax import get_ldap_filter
from pop.components.topics import Topics

log = Logger()
SERVICE_EVENT_ADMIN: Final = "pelix.services.eventadmin"
SERVICE_EVENT_HANDLER: Final = "pelix.services.eventadmin.handler"
PROP_EVENT_TOPICS: Final = "event.topics"
PROP_EVENT_FILTER: Final = "event.filter"
EVENT_PROP_TIMESTAMP: Final = "event.timestamp"
EVENT_PROP_FRAMEWORK_UID: Final = "event.sender.framework.uid"
MOST: Final = 10_000
"""Events that may wait for one handler."""

Event = tuple[str, dict[str, Any]]


class _Handler:
    """Whoever handles events, and what waits for it: one event at a time, in order.

    @ivar active: whether it is still registered.
    @ivar missed: how many it did not get since too many waited, since the last time that none did.
    """

    def __init__(self, reference: ServiceReference, handler: Any, wanted: Filter | None) -> None:
        self.reference = reference
        self.handler = handler
        self.filter = wanted
        self.waiting: deque[Event] = deque()
        self.busy = False
        self.active = True
        self.missed = 0

    @property
    def name(self) -> str:
        return f"handle_event of bundle {self.reference.bundle.get_symbolic_name()}"


class _Said(NamedTuple):
    """What a registration says of the events it wants."""

    topics: tuple[str, ...]
    filter: Filter | None


class EventAdmin:
    """Hands events on, those that are sent at once and those that are posted soon after."""

    def __init__(self, context: BundleContext) -> None:
        self._context = context
        self._patience = context.get_framework().patience
        self._uid = context.get_property("framework.uid")
        self._topics: Topics[_Handler] = Topics()
        self._handlers: dict[ServiceReference, _Handler] = {}

    def start(self) -> None:
        """Know the handlers that there are, and those to come."""
        self._context.add_service_listener(self, None, SERVICE_EVENT_HANDLER)
        for reference in self._context.get_all_service_references(SERVICE_EVENT_HANDLER):
            self._add(reference)

    def stop(self) -> None:
        """Deliver nothing any more, not even what was posted."""
        for handler in self._handlers.values():
            handler.active = False

    def send(self, topic: str, properties: Mapping[str, Any] | None = None) -> Deferred[None]:
        """Hand an event to all who want it now, the best of them first.

        All were called when this returns; the Deferred fires when those that take their time are
        done. What a handler raises is logged.
        @raise BadTopic: it is none.
        """
        event = self._event(topic, properties)
        called = [
            Deferred.fromCoroutine(self._call(handler, event))
            for handler in self._wanting(event)
            if handler.active
        ]
        return DeferredList(called).addCallback(lambda results: None)

    def post(self, topic: str, properties: Mapping[str, Any] | None = None) -> None:
        """Hand an event, soon, to those who want it now and are still there then.

        Each gets its events one at a time, in the order in which they were posted; while L{MOST}
        wait for one, it gets no others.
        @raise BadTopic: it is none.
        """
        event = self._event(topic, properties)
        for handler in self._wanting(event):
            if len(handler.waiting) >= MOST:
                self._complain(handler)
                continue
            handler.waiting.append(event)
            if not handler.busy:
                handler.busy = True
                self._soon(handler)

    def _complain(self, handler: _Handler) -> None:
        handler.missed += 1
        if handler.missed == 1:
            text = "{who} misses events until it has caught up: {most} wait for it"
            log.error(text, who=handler.name, most=MOST)

    def _soon(self, handler: _Handler) -> None:
        clock = self._patience.clock
        if clock is None:
            Deferred.fromCoroutine(self._work(handler))
        else:
            clock.callLater(0, lambda: Deferred.fromCoroutine(self._work(handler)))

    async def _work(self, handler: _Handler) -> None:
        while handler.waiting and handler.active:
            await self._call(handler, handler.waiting.popleft())
        if handler.missed:
            log.error("{who} has missed {n} events", who=handler.name, n=handler.missed)
        handler.busy, handler.missed = False, 0

    async def _call(self, handler: _Handler, event: Event) -> None:
        topic, properties = event
        try:
            call = handler.handler.handle_event
            await self._patience.call(handler.name, call, topic, deepcopy(properties))
        except Exception:
            log.failure("{who} failed at {topic}", who=handler.name, topic=topic)

    def _event(self, topic: str, properties: Mapping[str, Any] | None) -> Event:
        """What is handed on: whatever the sender changes afterwards, is not."""
        if not isinstance(topic, str) or not topic.strip():
            raise BadTopic(topic=topic)
        said = deepcopy(dict(properties or {}))
        said[EVENT_PROP_FRAMEWORK_UID] = self._uid
        if self._patience.clock is not None:
            said[EVENT_PROP_TIMESTAMP] = self._patience.clock.seconds()
        return topic, said

    def _wanting(self, event: Event) -> list[_Handler]:
        topic, properties = event
        found = [
            handler
            for handler in self._topics.wanting(topic)
            if handler.filter is None
            or handler.filter.matches({**properties, PROP_EVENT_TOPICS: topic})
        ]
        return sorted(found, key=lambda handler: handler.reference.order)

    # Handlers

    def service_changed(self, event: ServiceEvent) -> None:
        """For the registry: handlers come, change and go."""
        if event.kind is ServiceEvent.UNREGISTERING:
            self._remove(event.reference)
        elif event.kind is ServiceEvent.REGISTERED or event.reference not in self._handlers:
            self._add(event.reference)
        else:
            self._change(event.reference)

    def _add(self, reference: ServiceReference) -> None:
        """Whose object cannot be had is told nothing."""
        if (said := _said(reference)) is None:
            return
        try:
            found = self._context.get_service(reference)
        except Exception:
            log.failure("{reference} is told no events", reference=reference)
            return
        handler = self._handlers[reference] = _Handler(reference, found, said.filter)
        self._topics.add(said.topics, handler)

    def _change(self, reference: ServiceReference) -> None:
        """It wants something else; what waits for it already, it gets."""
        handler, said = self._handlers[reference], _said(reference)
        self._topics.discard(handler)
        if said is not None:
            handler.filter = said.filter
            self._topics.add(said.topics, handler)

    def _remove(self, reference: ServiceReference) -> None:
        if handler := self._handlers.pop(reference, None):
            handler.active = False
            self._topics.discard(handler)
            self._context.unget_service(reference)


def _said(reference: ServiceReference) -> _Said | None:
    """What a handler wants; nothing if it does not say, or nothing that can be understood."""
    topics, text = (reference.get_property(p) for p in (PROP_EVENT_TOPICS, PROP_EVENT_FILTER))
    topics = (topics,) if isinstance(topics, str) else tuple(topics or ())
    try:
        wanted = get_ldap_filter(text)
    except BadFilter as error:
        log.error("{reference} is told no events: {error}", reference=reference, error=error)
        return None
    if not topics and wanted is None:
        return None
    return _Said(topics or ("*",), wanted)


@BundleActivator
class Activator:
    """Registers an L{EventAdmin} while the bundle is active."""

    admin: EventAdmin

    def start(self, context: BundleContext) -> None:
        """Handlers first, so that nobody's first event is lost."""
        self.admin = EventAdmin(context)
        self.admin.start()
        context.register_service(SERVICE_EVENT_ADMIN, self.admin)

    def stop(self, context: BundleContext) -> None:
        """The framework takes back whatever it has."""
        self.admin.stop()
