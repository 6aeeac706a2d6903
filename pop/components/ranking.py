"""Registrations in their order: the highest ranking first, then the oldest."""

from bisect import bisect_left
from collections.abc import Iterator
from operator import attrgetter

from pop.components.reference import ServiceReference

by_order = attrgetter("order")
Entry = tuple[tuple[int, int], ServiceReference]
"""(what it was sorted by, what was)"""


class Ranking:
    """Some registrations, which can be walked from the best on.

    They are sorted when they are first walked, and kept so from then on. Those that leave or move
    stay where they were until the list has been walked past them, or is half of such: each then
    costs next to nothing, however many there are.

    @ivar members: all of them, in no order.
    """

    __slots__ = ("_sorted", "members")

    def __init__(self) -> None:
        self.members: set[ServiceReference] = set()
        self._sorted: list[Entry] | None = None

    def add(self, reference: ServiceReference) -> None:
        """Take one in, or note that its order is another one now."""
        self.members.add(reference)
        if self._sorted is not None:
            entry = (reference.order, reference)
            at = bisect_left(self._sorted, entry)
            if self._sorted[at : at + 1] != [entry]:
                self._sorted.insert(at, entry)
                self._limit()

    def discard(self, reference: ServiceReference) -> None:
        """Let one go."""
        self.members.discard(reference)
        self._limit()

    def _limit(self) -> None:
        if self._sorted is not None and len(self._sorted) > 2 * len(self.members) + 16:
            self._sorted = None

    def best(self) -> ServiceReference | None:
        """The first, if there is one."""
        entries = self._entries()
        return entries[0][1] if entries else None

    def walk(self) -> Iterator[ServiceReference]:
        """The best first. They must not change while they are walked."""
        return (reference for _, reference in filter(self._is_so, self._entries()))

    def _entries(self) -> list[Entry]:
        """In their order. The first, if there is one, is so; of the others, some may not be."""
        if self._sorted is None:
            self._sorted = [(each.order, each) for each in sorted(self.members, key=by_order)]
        if self._sorted and not self._is_so(self._sorted[0]):
            first = next((at for at, entry in enumerate(self._sorted) if self._is_so(entry)), None)
            del self._sorted[:first]
        return self._sorted

    def _is_so(self, entry: Entry) -> bool:
        order, reference = entry
        return reference.order == order and reference in self.members
