"""Which registrations there are, so that a lookup costs what it finds and not what there is.

Under each specification lie its registrations. A property's values get an index when the property
is first looked for by C{=}, which costs one look at all registrations; from then on it is kept.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import islice
from operator import and_
from typing import Any, NamedTuple

from pop.components.filters import And, Equal, Filter, Or, Test
from pop.components.properties import Properties
from pop.components.ranking import Ranking, by_order
from pop.components.reference import ServiceReference
from pop.components.values import OPAQUE, any_item, equals, keys_of_text, keys_of_value

Found = set[ServiceReference]


class ByValue:
    """The registrations by the values of one property."""

    __slots__ = ("found", "name")

    def __init__(self, name: str, references: Iterable[ServiceReference]) -> None:
        self.name = name
        self.found: defaultdict[Any, Found] = defaultdict(set)
        for reference in references:
            self.add(reference, reference.properties)

    def add(self, reference: ServiceReference, properties: Properties) -> None:
        """Take one in that has these properties."""
        for key in keys_of_value(properties.folded.get(self.name)):
            self.found[key].add(reference)

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


class Candidates(NamedTuple):
    """What a lookup finds: whatever is in all of the sets, of which none must be changed, and
    passes the test if there is one."""

    sets: list[Found]
    test: Test | None = None

    def at_most(self) -> int:
        """How many they are, at most."""
        return min(map(len, self.sets))

    def has(self, reference: ServiceReference) -> bool:
        """Whether it is one of them."""
        for found in self.sets:
            if reference not in found:
                return False
        return self.test is None or self.test(reference.properties.folded)

    def all(self) -> Iterable[ServiceReference]:
        """All of them, in no order."""
        found = _intersection(self.sets)
        if (test := self.test) is None:
            return found
        return [one for one in found if test(one.properties.folded)]


class Index:
    """All registrations that can be found."""

    def __init__(self) -> None:
        self.all = Ranking()
        self.by_specification: dict[str, Ranking] = {}
        self.by_value: dict[str, ByValue] = {}

    def add(self, reference: ServiceReference) -> None:
        """Let one be found."""
        self.all.add(reference)
        for name in reference.specifications:
            if (ranked := self.by_specification.get(name)) is None:
                ranked = self.by_specification[name] = Ranking()
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
        return sorted(self._candidates(names, wanted).all(), key=by_order)

    def best(self, names: tuple[str, ...], wanted: Filter | None) -> ServiceReference | None:
        """The first of those that L{find} finds.

        Where many match, some of the best do: so they are tried one after the other, for about as
        long as it takes to look at all that may match; a try costs some four times as much.
        """
        ranking = self._ranking(names[0]) if names else self.all
        if wanted is None and len(names) < 2:
            return ranking.best()
        candidates = self._candidates(names, wanted)
        for reference in islice(ranking.walk(), candidates.at_most() // 4):
            if candidates.has(reference):
                return reference
        return min(candidates.all(), key=by_order, default=None)

    def _ranking(self, name: str) -> Ranking:
        return self.by_specification.get(name) or Ranking()

    def _candidates(self, names: tuple[str, ...], wanted: Filter | None) -> Candidates:
        sets = [self._ranking(name).members for name in names]
        if wanted is None or not all(sets):
            return Candidates(sets or [self.all.members])
        narrowed, exact = self._narrow(wanted)
        return Candidates([*sets, *narrowed] or [self.all.members], None if exact else wanted.test)

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
