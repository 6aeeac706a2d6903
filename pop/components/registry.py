"""Registrations: who offers what, who uses it, and who is told.

Everything happens at once, in the caller's thread: when L{Registry.register} returns, all listeners
were told.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import count
from typing import Any

from pop.components import specifications as spec
from pop.components.errors import Unregistered
from pop.components.eventhooks import EventHooks
from pop.components.events import ServiceEvent
from pop.components.filters import Filter
from pop.components.index import Index
from pop.components.listeners import Listeners
from pop.components.promises import check_factory, check_promise
from pop.components.properties import Properties
from pop.components.reference import (
    SCOPE_BUNDLE,
    SCOPE_PROTOTYPE,
    SCOPE_SINGLETON,
    SERVICE_RANKING,
    SPECIAL,
    Owner,
    ServiceReference,
    given_properties,
    permitted,
)
from pop.components.supply import OneForAll, OneForEach, OneForEachUse
from pop.components.uses import Uses


class ServiceRegistration:
    """What the bundle that registered an object holds of it: the right to change its properties,
    and to take it back."""

    __slots__ = ("_registry", "reference")

    def __init__(self, registry: "Registry", reference: ServiceReference) -> None:
        self._registry = registry
        self.reference = reference

    def __repr__(self) -> str:
        return f"ServiceRegistration({self.reference!r})"

    def get_reference(self) -> ServiceReference:
        """What others see of it."""
        return self.reference

    def set_properties(self, properties: Mapping[str, Any], removed: Iterable[str] = ()) -> None:
        """Change and add properties, and remove some; all others stay.

        If nothing is other than before, nobody is told.
        @raise Unregistered: it is gone.
        """
        self._registry.change(self.reference, properties, removed)

    def unregister(self) -> None:
        """Take the object back.

        @raise Unregistered: it is gone already.
        """
        self._registry.unregister(self.reference)


class Registry:
    """All registrations of one framework.

    @param adopt: as of L{Listeners}.
    @ivar uses: who uses them.
    @ivar listeners: who is told of them.
    """

    def __init__(self, adopt: Callable[[Any, str], None] = lambda result, who: None) -> None:
        self.uses = Uses()
        self.listeners = Listeners(adopt)
        self.listeners.hook = EventHooks(self).allowed
        self._index = Index()
        self._registered: dict[Owner, dict[ServiceReference, None]] = {}
        self._ids = count(1)

    def register(
        self,
        bundle: Owner,
        specifications: Any,
        object: Any,
        properties: Mapping[str, Any] | None = None,
        *,
        factory: bool = False,
        prototype: bool = False,
        send_event: bool = True,
    ) -> ServiceRegistration:
        """Offer an object under specifications.

        @param factory, prototype: the object makes one for each bundle, or for each use.
        @raise BrokenPromise: it does not do what an interface says.
        """
        names = spec.all_names(specifications)
        scope = SCOPE_PROTOTYPE if prototype else SCOPE_BUNDLE if factory else SCOPE_SINGLETON
        reference = ServiceReference(next(self._ids), bundle, names, scope)
        reference.replace_properties(Properties(given_properties(reference, properties)))
        registration = ServiceRegistration(self, reference)
        self._offer(registration, specifications, object)
        reference.live = True
        self._registered.setdefault(bundle, {})[reference] = None
        self._index.add(reference)
        if send_event:
            self.listeners.tell(ServiceEvent.REGISTERED, reference)
        return registration

    def _offer(self, registration: ServiceRegistration, specifications: Any, object: Any) -> None:
        reference = registration.reference
        check = partial(check_promise, reference.bundle, specifications)
        if reference.scope == SCOPE_SINGLETON:
            check(object)
            self.uses.offer(reference, OneForAll(object))
            return
        prototype = reference.is_prototype()
        check_factory(reference.bundle, object, prototype)
        kind = OneForEachUse if prototype else OneForEach
        self.uses.offer(reference, kind(registration, object, check))

    def change(
        self,
        reference: ServiceReference,
        properties: Mapping[str, Any],
        removed: Iterable[str] = (),
    ) -> None:
        """Change, add and remove properties of a registration.

        @raise Unregistered: it is gone.
        """
        if not reference.live:
            raise Unregistered(id=reference.id)
        before = reference.properties
        after = _changed(before, properties, removed)
        if after is not before:
            reference.replace_properties(after)
            self._index.change(reference, before)
            self.listeners.tell_change(reference, before)

    def unregister(self, reference: ServiceReference) -> None:
        """Take a registration back: it is found no more, listeners are told, all uses end.

        Its object can be had until all were told.
        @raise Unregistered: it is gone already.
        """
        if not reference.live:
            raise Unregistered(id=reference.id)
        reference.live = False
        self._index.discard(reference)
        self._forget(reference)
        self.listeners.tell(ServiceEvent.UNREGISTERING, reference)
        self.uses.withdraw(reference)

    def _forget(self, reference: ServiceReference) -> None:
        held = self._registered[reference.bundle]
        del held[reference]
        if not held:
            del self._registered[reference.bundle]

    def registered(self, bundle: Owner) -> list[ServiceReference]:
        """What a bundle registered, in that order."""
        return list(self._registered.get(bundle, ()))

    def end(self, bundle: Owner) -> None:
        """Take back whatever a bundle registered, the latest first."""
        while held := self._registered.get(bundle):
            self.unregister(next(reversed(held)))

    def find(self, specifications: Any, wanted: Filter | None = None) -> list[ServiceReference]:
        """All registrations under all of the specifications that match, the best first.

        @param specifications: L{None} for any.
        """
        return self._index.find(asked(specifications), wanted)

    def best(self, specifications: Any, wanted: Filter | None = None) -> ServiceReference | None:
        """The best registration under all of the specifications that matches, if there is one."""
        return self._index.best(asked(specifications), wanted)

    def listen(
        self, bundle: Owner, listener: Any, wanted: Filter | None = None, specifications: Any = None
    ) -> bool:
        """Tell a listener of registrations under all of the specifications that match.

        @param specifications: L{None} for any.
        @return: C{False} if it is told already.
        """
        return self.listeners.add(bundle, listener, wanted, asked(specifications))

    def supplied(self, reference: ServiceReference) -> Any:
        """What was registered, for the registry's own use, which is not counted."""
        return self.uses.supplied(reference)


def asked(specifications: Any) -> tuple[str, ...]:
    """The names of specifications that are asked for; none for L{None}, which is for any."""
    if type(specifications) is str:
        return (spec.name(specifications),)
    return () if specifications is None else spec.names(specifications)


def _changed(
    before: Properties, properties: Mapping[str, Any], removed: Iterable[str]
) -> Properties:
    """The properties with what the owner may change; without a ranking it is 0."""
    changes = permitted(properties)
    if not removed:
        return before.changed(changes)
    gone = {name.lower() for name in removed}
    if SERVICE_RANKING in gone:
        changes = {**changes, SERVICE_RANKING: 0}
    return before.changed(changes, gone - SPECIAL)
