"""Who still uses what has gone: components whose callback is under way, and who waits for them."""

from collections.abc import Hashable
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from pop.components.provider import Provider

__all__ = ["Lingering"]


class Lingering:
    """A component does not end before those that use it have let it go, so that its callbacks that
    undo things come after theirs."""

    def __init__(self) -> None:
        self._users: dict[Hashable, set[Provider]] = {}
        self._waiting: dict[Hashable, Deferred[None]] = {}

    def add(self, reference: Hashable, user: "Provider") -> None:
        """A component cannot let it go at once."""
        self._users.setdefault(reference, set()).add(user)

    def discard(self, reference: Hashable, user: "Provider") -> None:
        """It has let it go."""
        users = self._users.get(reference)
        if users is None:
            return
        users.discard(user)
        if not users:
            del self._users[reference]
            if waiting := self._waiting.pop(reference, None):
                waiting.callback(None)

    def wait(self, reference: Hashable, owner: "Provider") -> "Deferred[None] | None":
        """Fires once nobody uses it; L{None} if nobody does, or if one of those is waiting for the
        owner in turn, by way of others or not."""
        users = frozenset(self._users.get(reference, ()))
        if not users or _reaches(users, owner):
            return None
        owner.waits_for = users
        self._waiting[reference] = Deferred()
        return self._waiting[reference]


def _reaches(users: "frozenset[Provider]", owner: "Provider") -> bool:
    seen: set[Provider] = set()
    waiting = list(users)
    while waiting:
        user = waiting.pop()
        if user is owner:
            return True
        if user not in seen:
            seen.add(user)
            waiting.extend(user.waits_for)
    return False
