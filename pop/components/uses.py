"""Which bundle uses which registration, and how often."""

from typing import Any

from pop.components.errors import Unregistered
from pop.components.reference import Owner, ServiceReference
from pop.components.supply import Supply


class Uses:
    """All uses of all registrations whose objects can be had."""

    def __init__(self) -> None:
        self._supplies: dict[ServiceReference, Supply] = {}
        self._used: dict[Owner, dict[ServiceReference, None]] = {}

    def offer(self, reference: ServiceReference, supply: Supply) -> None:
        """From now on the registration's object can be had."""
        self._supplies[reference] = supply

    def withdraw(self, reference: ServiceReference) -> None:
        """It can be had no more, and those who have it give it back."""
        supply = self._supplies.pop(reference)
        users, reference.users = reference.users, {}
        for user in users:
            self._forget(user, reference)
            supply.release(user)

    def get(self, bundle: Owner, reference: ServiceReference) -> Any:
        """The object of a registration, for a bundle, once more.

        @raise Unregistered: it is gone.
        @raise FactoryFailed: it comes from a factory, which gave none.
        """
        object = self._supply(reference).get(bundle)
        self._note(bundle, reference)
        return object

    def unget(self, bundle: Owner, reference: ServiceReference) -> bool:
        """Give the object back, once; whether the bundle had it."""
        if bundle not in reference.users or not self._supplies[reference].unget(bundle):
            return False
        self._note_end(bundle, reference)
        return True

    def get_instance(self, bundle: Owner, reference: ServiceReference) -> Any:
        """An object of one's own from a prototype; else as L{get}."""
        object = self._supply(reference).get_instance(bundle)
        self._note(bundle, reference)
        return object

    def unget_instance(self, bundle: Owner, reference: ServiceReference, object: Any) -> bool:
        """Give an object of one's own back; whether the bundle had it."""
        if bundle not in reference.users:
            return False
        if not self._supplies[reference].unget_instance(bundle, object):
            return False
        self._note_end(bundle, reference)
        return True

    def end(self, bundle: Owner) -> None:
        """A bundle gives back whatever it uses."""
        for reference in self._used.pop(bundle, ()):
            del reference.users[bundle]
            self._supplies[reference].release(bundle)

    def supplied(self, reference: ServiceReference) -> Any:
        """The object for the owner itself, without a note that anybody uses it."""
        return self._supply(reference).get(reference.bundle)

    def used(self, bundle: Owner) -> list[ServiceReference]:
        """What a bundle uses."""
        return list(self._used.get(bundle, ()))

    def _supply(self, reference: ServiceReference) -> Supply:
        try:
            return self._supplies[reference]
        except KeyError:
            raise Unregistered(id=reference.id) from None

    def _note(self, bundle: Owner, reference: ServiceReference) -> None:
        users = reference.users
        if bundle in users:
            users[bundle] += 1
        else:
            users[bundle] = 1
            self._used.setdefault(bundle, {})[reference] = None

    def _note_end(self, bundle: Owner, reference: ServiceReference) -> None:
        users = reference.users
        if users[bundle] > 1:
            users[bundle] -= 1
        else:
            del users[bundle]
            self._forget(bundle, reference)

    def _forget(self, bundle: Owner, reference: ServiceReference) -> None:
        if used := self._used.get(bundle):
            used.pop(reference, None)
            if not used:
                del self._used[bundle]
