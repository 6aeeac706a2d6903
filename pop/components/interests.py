"""Who wants to know of which registrations, so that an event costs those whom it concerns.

Listeners that ask for the same are one L{Interest}, whose filter is evaluated once for all of them.
An interest lies where only events that may concern it come by: under a specification, and there
under a property that its filter needs, and there under the value if the filter needs a certain one.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from pop.components.filters import And, Equal, Filter, Like, Or, Ordered, Present
from pop.components.properties import Properties
from pop.components.reference import ServiceReference
from pop.components.values import OPAQUE, keys_of_text, keys_of_value

ANY = object()
"""In place of a value: the property has to be there, whatever it is."""
Trigger = tuple[str, Any]
"""(name in lower case, a value's key or L{ANY})"""


class Listening:
    """One listener with what it asked for.

    @ivar serial: counts up: listeners are told in the order in which they came.
    @ivar active: whether it has not been removed yet.
    """

    __slots__ = ("active", "filter", "interest", "listener", "owner", "serial", "tell")

    def __init__(self, serial: int, owner: Any, listener: Any, tell: Any) -> None:
        self.serial = serial
        self.owner = owner
        self.listener = listener
        self.tell = tell
        self.active = True
        self.interest: Interest

    @property
    def specifications(self) -> tuple[str, ...]:
        """The names under all of which it wants a registration to be."""
        return self.interest.names

    @property
    def bundle_context(self) -> Any:
        """The context of the bundle that listens."""
        return self.owner.get_bundle_context()

    def get_filter(self) -> Filter | None:
        """The filter that a registration has to match."""
        return self.interest.filter


class Interest:
    """What is asked for, and who asks it."""

    __slots__ = ("filter", "listening", "names", "places", "test")

    def __init__(self, names: tuple[str, ...], wanted: Filter | None) -> None:
        self.names = names
        self.filter = wanted
        self.test = wanted.test if wanted else None
        self.listening: dict[Listening, None] = {}
        self.places = list(_places(names, wanted))

    def matches(self, reference: ServiceReference, properties: Properties) -> bool:
        """Whether it concerns a registration that has these properties."""
        if len(self.names) > 1 and not set(self.names).issubset(reference.specifications):
            return False
        return self.test is None or self.test(properties.folded)


class _Place:
    """The interests under one specification, or under none."""

    __slots__ = ("always", "triggered")

    def __init__(self) -> None:
        self.always: dict[Interest, None] = {}
        self.triggered: dict[str, dict[Any, dict[Interest, None]]] = {}

    def add(self, trigger: Trigger | None, interest: Interest) -> None:
        if trigger is None:
            self.always[interest] = None
        else:
            name, key = trigger
            self.triggered.setdefault(name, {}).setdefault(key, {})[interest] = None

    def discard(self, trigger: Trigger | None, interest: Interest) -> None:
        if trigger is None:
            self.always.pop(interest, None)
        else:
            name, key = trigger
            keys = self.triggered[name]
            keys[key].pop(interest, None)
            if not keys[key]:
                del keys[key]
            if not keys:
                del self.triggered[name]

    def collect(self, folded: dict[str, Any], found: dict[Interest, None]) -> None:
        """Add those whom a registration with these properties may concern."""
        found.update(self.always)
        triggered = self.triggered
        for name in triggered if len(triggered) < len(folded) else folded:
            if (keys := triggered.get(name)) and (value := folded.get(name)) is not None:
                for key in (*keys_of_value(value), ANY):
                    if holding := keys.get(key):
                        found.update(holding)


class Interests:
    """All interests, each where the events that may concern it come by."""

    def __init__(self) -> None:
        self._places: dict[str | None, _Place] = {}
        self._known: dict[tuple[tuple[str, ...], Filter | None], Interest] = {}

    def add(self, names: tuple[str, ...], wanted: Filter | None, listening: Listening) -> None:
        """Somebody asks for registrations under all of these names that match."""
        if (interest := self._known.get((names, wanted))) is None:
            interest = self._known[names, wanted] = Interest(names, wanted)
            for name, trigger in interest.places:
                if (place := self._places.get(name)) is None:
                    place = self._places[name] = _Place()
                place.add(trigger, interest)
        interest.listening[listening] = None
        listening.interest = interest

    def discard(self, listening: Listening) -> None:
        """Somebody asks no more."""
        interest = listening.interest
        listening.active = False
        interest.listening.pop(listening, None)
        if not interest.listening and (interest.names, interest.filter) in self._known:
            del self._known[interest.names, interest.filter]
            for name, trigger in interest.places:
                self._places[name].discard(trigger, interest)

    def concerned(self, reference: ServiceReference, *properties: Properties) -> Iterator[Interest]:
        """Those whom a registration may concern that has, or had, these properties."""
        found: dict[Interest, None] = {}
        for name in (*reference.specifications, None):
            if place := self._places.get(name):
                for each in properties:
                    place.collect(each.folded, found)
        return iter(found)


def _places(
    names: tuple[str, ...], wanted: Filter | None
) -> Iterator[tuple[str | None, Trigger | None]]:
    place = names[0] if names else None
    known = triggers(wanted) if wanted else None
    if known:
        yield from ((place, trigger) for trigger in known)
    else:
        yield place, None


def triggers(wanted: Filter) -> list[Trigger] | None:
    """Whatever matches a filter has one of these; L{None} if nothing is known of what matches."""
    if isinstance(wanted, Equal):
        name = wanted.name.lower()
        return [(name, key) for key in (*keys_of_text(wanted.text), OPAQUE)]
    if isinstance(wanted, Present | Like | Ordered):
        return [(wanted.name.lower(), ANY)]
    if isinstance(wanted, And):
        known = [found for part in wanted.parts if (found := triggers(part))]
        return min(known, key=_cost, default=None)
    if isinstance(wanted, Or):
        each = [triggers(part) for part in wanted.parts]
        if all(each):
            return list(dict.fromkeys(trigger for found in each for trigger in found or ()))
    return None


def _cost(found: Iterable[Trigger]) -> tuple[bool, int]:
    """A certain value is seen more rarely than a property, and few values than many."""
    known = list(found)
    return any(key is ANY for _, key in known), len(known)
