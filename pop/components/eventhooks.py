"""Hooks that decide who is told of what happens to registrations.

A hook is registered under L{SERVICE_EVENT_LISTENER_HOOK} and has a method
C{event(event, listeners)}: the listeners that are about to be told, in lists by the context of
their bundle. Those that it takes out are not told; it cannot add any. It is not asked about its own
registration.
"""

from typing import TYPE_CHECKING, Any, Final, Protocol

from twisted.logger import Logger

from pop.components.events import ServiceEvent
from pop.components.interests import Listening
from pop.components.reference import ServiceReference

if TYPE_CHECKING:
    from pop.components.filters import Filter

log = Logger()
SERVICE_EVENT_LISTENER_HOOK: Final = "pelix.internals.hooks.EventListenerHook"


class Looked(Protocol):
    """Where hooks are found, and their objects."""

    def find(self, specifications: Any, wanted: "Filter | None" = None) -> list[ServiceReference]:
        """The registrations under a specification."""

    def supplied(self, reference: ServiceReference) -> Any:
        """What was registered."""


class EventHooks:
    """All hooks of a registry."""

    def __init__(self, registry: Looked) -> None:
        self._registry = registry

    def allowed(self, event: ServiceEvent, due: list[Listening]) -> list[Listening]:
        """Of those who are due to be told, those whom every hook lets be."""
        hooks = [
            reference
            for reference in self._registry.find(SERVICE_EVENT_LISTENER_HOOK)
            if reference is not event.reference
        ]
        if not hooks:
            return due
        listeners: dict[Any, list[Listening]] = {}
        for listening in due:
            listeners.setdefault(listening.bundle_context, []).append(listening)
        for reference in hooks:
            try:
                self._registry.supplied(reference).event(event, listeners)
            except Exception:
                log.failure("The hook {hook} failed at {event}", hook=reference, event=event)
        left = {id(listening) for several in listeners.values() for listening in several}
        return [listening for listening in due if id(listening) in left]
