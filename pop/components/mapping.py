"""A requirement that is met by all that match, each under the value of one of its properties."""

from typing import TYPE_CHECKING, Any

from pop.components.dependency import Dependency
from pop.components.properties import Properties
from pop.components.reference import ServiceReference
from pop.components.requirement import Requirement

if TYPE_CHECKING:
    from pop.components.component import Component

__all__ = ["MapDependency"]


class MapDependency(Dependency):
    """A dictionary of objects, or of lists of them.

    Where a key has place for one only, who has it keeps it; when that one goes, the best of the
    others gets it.

    @ivar keys: the key of each registration that matches.
    @ivar bound: the key of each that is injected, and its object.
    """

    __slots__ = ("bound", "keys", "stale", "updates")

    def __init__(self, component: "Component", field: str, requirement: Requirement) -> None:
        super().__init__(component, field, requirement)
        self.keys: dict[ServiceReference, Any] = {}
        self.bound: dict[ServiceReference, tuple[Any, Any]] = {}
        self.stale: dict[Any, None] = {}
        self.updates: list[tuple[ServiceReference, Properties | None]] = []

    def arrived(self, reference: ServiceReference) -> None:
        """It is put under its key, if it has one."""
        self._know(reference)

    def modified(self, reference: ServiceReference, previous: Properties | None) -> None:
        """Its key may be another one."""
        self._know(reference)
        if reference in self.bound:
            self.updates.append((reference, previous))
            self.touched()

    def left(self, reference: ServiceReference) -> None:
        """Its place is free."""
        if self._forget(reference):
            self.touched()

    def refresh(self) -> None:
        """All of them."""
        found = self.found()
        for reference in set(self.keys).difference(found):
            self.left(reference)
        for reference in found:
            self._know(reference)
        self.touched()

    def _know(self, reference: ServiceReference) -> None:
        key = reference.get_property(self.requirement.key)
        before = self.keys.get(reference, _NOWHERE)
        known = key is not None or self.requirement.allow_none
        if known and before is not _NOWHERE and before == key:
            return
        changed = self._forget(reference)
        if known and _can_be_key(key):
            self.keys[reference] = key
            self.stale[key] = None
            changed = True
        if changed:  # only now: with another key it has not been away for a moment
            self.touched()

    def _forget(self, reference: ServiceReference) -> bool:
        if reference not in self.keys:
            return False
        self.stale[self.keys.pop(reference)] = None
        return True

    def breaks(self) -> bool:
        """If nothing would be left."""
        return not self.requirement.optional and not self.keys

    async def settle(self) -> None:
        """Those that have lost their place go first."""
        stale, self.stale = self.stale, {}
        updates, self.updates = self.updates, []
        placed = {key: self._placed(key) for key in stale}
        for reference, (key, _) in list(self.bound.items()):
            if key in placed and reference not in placed[key]:
                await self._move_or_unbind(reference, placed)
        for key in placed:
            for reference in placed[key]:
                if reference not in self.bound and self.keys.get(reference, _NOWHERE) == key:
                    await self.bind(reference)
        if stale or updates:
            self.inject()
        for reference, previous in updates:
            if found := self.bound.get(reference):
                await self.component.updated(self.field, reference, found[1], previous)

    async def _move_or_unbind(
        self, reference: ServiceReference, placed: dict[Any, list[ServiceReference]]
    ) -> None:
        """One that only has another key is not let go for that."""
        key = self.keys.get(reference, _NOWHERE)
        if key is not _NOWHERE and reference in placed.get(key, ()):
            self.bound[reference] = (key, self.bound[reference][1])
        else:
            await self.unbind(reference)

    def _placed(self, key: Any) -> list[ServiceReference]:
        """Who should be under a key."""
        having = sorted(reference for reference, its in self.keys.items() if its == key)
        if self.requirement.aggregate or len(having) < 2:
            return having
        return [next((one for one in having if self._sits(one, key)), having[0])]

    def _sits(self, reference: ServiceReference, key: Any) -> bool:
        return reference in self.bound and self.bound[reference][0] == key

    def satisfied(self) -> bool:
        """There is something."""
        return self.requirement.optional or any(one in self.keys for one in self.bound)

    def value(self) -> Any:
        """A dictionary of its own each time."""
        found: dict[Any, Any] = {}
        for reference in sorted(self.bound):
            key, service = self.bound[reference]
            if self.requirement.aggregate:
                found.setdefault(key, []).append(service)
            else:
                found[key] = service
        return found

    def bindings(self) -> list[ServiceReference]:
        """The best first."""
        return sorted(self.bound)

    def hold(self, reference: ServiceReference, service: Any) -> None:
        """Under its key."""
        self.bound[reference] = (self.keys[reference], service)

    def drop(self, reference: ServiceReference) -> Any:
        """From wherever it is."""
        return self.bound.pop(reference)[1]

    def held(self, reference: ServiceReference) -> Any:
        """One of them."""
        return self.bound[reference][1]

    def holds(self, reference: ServiceReference) -> bool:
        """It is one of them."""
        return reference in self.bound


class _Nowhere:
    """No key at all; L{None} may be one."""


_NOWHERE = _Nowhere()


def _can_be_key(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
