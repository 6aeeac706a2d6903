"""Objects that are registered under a name in order to be told of something, or asked."""

from collections.abc import Callable, Iterator
from typing import Any

from twisted.logger import Logger

from pop.components.context import BundleContext
from pop.components.events import ServiceEvent
from pop.components.reference import ServiceReference

log = Logger()


class Whiteboard:
    """Whoever is registered under a name, the best first.

    One that cannot be had is not. One that goes is no longer among them when C{gone} is told. A
    L{pop.components.Tracker} does it the other way round, for those who want to use it once more.

    @param came, gone: called with an object.
    """

    def __init__(
        self,
        context: BundleContext,
        name: str,
        came: Callable[[Any], object] = lambda one: None,
        gone: Callable[[Any], object] = lambda one: None,
    ) -> None:
        self._context = context
        self._name = name
        self._came = came
        self._gone = gone
        self._known: dict[ServiceReference, Any] = {}

    def start(self) -> None:
        """Know those that there are, and those to come."""
        self._context.add_service_listener(self, None, self._name)
        for reference in self._context.get_all_service_references(self._name):
            self._add(reference)

    def stop(self) -> None:
        """Know none any more; C{gone} is not told."""
        self._context.remove_service_listener(self)
        while self._known:
            self._context.unget_service(self._known.popitem()[0])

    def __iter__(self) -> Iterator[Any]:
        return iter([self._known[reference] for reference in sorted(self._known)])

    def service_changed(self, event: ServiceEvent) -> None:
        """For the registry."""
        reference = event.reference
        if event.kind is not ServiceEvent.UNREGISTERING:
            self._add(reference)
        elif reference in self._known:
            self._gone(self._known.pop(reference))
            self._context.unget_service(reference)

    def _add(self, reference: ServiceReference) -> None:
        if reference in self._known:
            return
        try:
            one = self._known[reference] = self._context.get_service(reference)
        except Exception:
            log.failure("{reference} cannot be had", reference=reference)
        else:
            self._came(one)

    def tell(self, method: str, *arguments: Any) -> None:
        """Call a method of each; what one raises is logged, and what takes its time not waited
        for."""
        for one in self:
            self.tell_one(one, method, *arguments)

    def tell_one(self, one: Any, method: str, *arguments: Any) -> None:
        """The same, for one of them."""
        who = f"{method} of a {self._name}"
        try:
            result = getattr(one, method)(*arguments)
        except Exception:
            log.failure("{who} failed", who=who)
        else:
            self._context.get_framework().adopt(result, who)
