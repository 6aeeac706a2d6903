"""Which registrations there are, so that a lookup costs what it finds and not what there is.

Under each specification lie its registrations. A property's values get an index when the property
is first looked for by C{=}, which costs one look at all registrations; from then on it is kept.
"""

from collections.abc import Iterable, Iterator
from functools import reduce
from heapq import heapify, heappop, heappush
from operator import and_, attrgetter
from typing import Any

from pop.components.filters import And, Equal, Filter, Or
from pop.components.properties import Properties
from pop.components.reference import ServiceReference
from pop.components.values import OPAQUE, any_item, equals, keys_of_text, keys_of_value

Found = set[ServiceReference]
by_order = attrgetter("order")


class Ranked:
    """Some registrations, of which the best is found at once.

    The heap is made when the best is first asked for, and holds some that have left or were moved;
    those are dropped when they come to the top.
    """

    __slots__ = ("heap", "members")

    def __init__(self) -> None:
        self.members: Found = set()
        self.heap: list[tuple[tuple[int, int], ServiceReference]] | None = None

    def add(self, reference: ServiceReference) -> None:
        """Take one in, or note that its order is another one now."""
        self.members.add(reference)
        if self.heap is not None:
            heappush(self.heap, (reference.order, reference))
            if len(self.heap) > 2 * len(self.members) + 16:
                self.heap = None

    def discard(self, reference: ServiceReference) -> None:
        """Let one go."""
        self.members.discard(reference)

    def best(self) -> ServiceReference | None:
        """The first in order."""
        if self.heap is None:
            self.heap = [(reference.order, reference) for reference in self.members]
            heapify(self.heap)
        while self.heap:
            order, reference = self.heap[0]
            if reference.order == order and reference in self.members:
                return reference
            heappop(self.heap)
        return None


class ByValue:
    """The registrations by the values of one property."""

    __slots__ = ("found", "name")

    def __init__(self, name: str, references: Iterable[ServiceReference]) -> None:
        self.name = name
        self.found: dict[Any, Found] = {}
        for reference in references:
            self.add(reference, reference.properties)

    def add(self, reference: ServiceReference, properties: Properties) -> None:
        """Take one in that has these properties."""
        for key in keys_of_value(properties.folded.get(self.name)):
            self.found.setdefault(key, set()).add(reference)

    def discard(self, reference: ServiceReference, properties: Properties) -> None:
        """Let one go that had these properties."""
        for key in keys_of_value(properties.folded.get(self.name)):
            if holding := self.found.get(key):
                holding.discard(reference)
                if not holding:
                    del self.found[key]

    def equal(self, text: str) -> Found:
        """Those whose value equals a text; not to be changed."""
        sets = [self.found[key] for key in keys_of_text(text) if key in self.found]
        if opaque := self.found.get(OPAQUE):
            test = any_item(equals(text))
            sets.append({one for one in opaque if test(one.properties.folded[self.name])})
        return sets[0] if len(sets) == 1 else set().union(*sets)


class Index:
    """All registrations that can be found."""

    def __init__(self) -> None:
        self.all = Ranked()
        self.by_specification: dict[str, Ranked] = {}
        self.by_value: dict[str, ByValue] = {}

    def add(self, reference: ServiceReference) -> None:
        """Let one be found."""
        self.all.add(reference)
        for name in reference.specifications:
            if (ranked := self.by_specification.get(name)) is None:
                ranked = self.by_specification[name] = Ranked()
            ranked.add(reference)
        for values in self.by_value.values():
            values.add(reference, reference.properties)

    def discard(self, reference: ServiceReference) -> None:
        """Let one be found no more."""
        self.all.discard(reference)
        for name in reference.specifications:
            if ranked := self.by_specification.get(name):
                ranked.discard(reference)
                if not ranked.members:
                    del self.by_specification[name]
        for values in self.by_value.values():
            values.discard(reference, reference.properties)

    def change(self, reference: ServiceReference, before: Properties) -> None:
        """One has other properties than before."""
        after = reference.properties
        for name, values in self.by_value.items():
            if before.folded.get(name) is not after.folded.get(name):
                values.discard(reference, before)
                values.add(reference, after)
        if before.folded["service.ranking"] != after.folded["service.ranking"]:
            self.all.add(reference)
            for name in reference.specifications:
                self.by_specification[name].add(reference)

    def find(self, names: tuple[str, ...], wanted: Filter | None) -> list[ServiceReference]:
        """All that are found under all of the names and match, in order."""
        return sorted(self._matching(names, wanted), key=by_order)

    def best(self, names: tuple[str, ...], wanted: Filter | None) -> ServiceReference | None:
        """The first of those that L{find} finds."""
        if wanted is None and len(names) < 2:
            ranked = self.by_specification.get(names[0]) if names else self.all
            return ranked.best() if ranked else None
        return min(self._matching(names, wanted), key=by_order, default=None)

    def _matching(
        self, names: tuple[str, ...], wanted: Filter | None
    ) -> Iterable[ServiceReference]:
        sets = [
            self.by_specification[name].members for name in names if name in self.by_specification
        ]
        if len(sets) < len(names):
            return ()
        exact = True
        if wanted is not None:
            narrowed, exact = self._narrow(wanted)
            sets += narrowed
        found = _intersection(sets) if sets else self.all.members
        if exact or wanted is None:
            return found
        test = wanted.test
        return [one for one in found if test(one.properties.folded)]

    def _narrow(self, wanted: Filter) -> tuple[list[Found], bool]:
        """Sets that all matches of a filter are in; and whether all that is in them matches."""
        if isinstance(wanted, Equal):
            return [self._values(wanted.name.lower()).equal(wanted.text)], True
        if isinstance(wanted, And):
            parts = [self._narrow(part) for part in wanted.parts]
            return [one for sets, _ in parts for one in sets], all(exact for _, exact in parts)
        if isinstance(wanted, Or):
            parts = [self._narrow(part) for part in wanted.parts]
            if all(sets for sets, _ in parts):
                joined = set().union(*(_intersection(sets) for sets, _ in parts))
                return [joined], all(exact for _, exact in parts)
        return [], False

    def _values(self, name: str) -> ByValue:
        if (values := self.by_value.get(name)) is None:
            values = self.by_value[name] = ByValue(name, self.all.members)
        return values

    def __iter__(self) -> Iterator[ServiceReference]:
        return iter(self.all.members)


def _intersection(sets: list[Found]) -> Found:
    """What is in all of them; not to be changed."""
    return sets[0] if len(sets) == 1 else reduce(and_, sorted(sets, key=len))
