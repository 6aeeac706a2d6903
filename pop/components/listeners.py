"""Telling of registrations those whom it concerns.

They are told at once and in the order in which they came; of a modification, those whom it takes a
registration away from before the others. Components only note it then, and act when all know.

Note [Nested changes]
=====================
A listener may change what it is just told of. The change within is told at once, to all; those that
have not been told of the change around it yet are then told of that only if it is still so: an end
if the registration does not match them now, either, and nothing else, since the inner change has
told them already. So nobody is told of something that is over as if it had just begun.
"""

from collections.abc import Callable, Hashable, Iterable
from itertools import count
from operator import attrgetter
from typing import Any, Protocol

from twisted.logger import Logger

from pop.components.errors import NotAListener
from pop.components.events import ServiceEvent, ServiceEventKind
from pop.components.filters import Filter
from pop.components.interests import Interest, Interests, Listening
from pop.components.properties import Properties
from pop.components.reference import Owner, ServiceReference

log = Logger()
by_serial = attrgetter("serial")
Hook = Callable[[ServiceEvent, list[Listening]], list[Listening]]
"""Of those who are due to be told, those who may be."""


class Looking(Protocol):
    """Somebody who does what is to be done once they know all that has changed."""

    def look(self) -> None:
        """Do it."""


class Listeners:
    """All who want to know of registrations.

    @param adopt: takes what a listener returned that is not L{None}: something to be waited for,
        perhaps; and a name for who returned it.
    """

    def __init__(self, adopt: Callable[[Any, str], None]) -> None:
        self._adopt = adopt
        self._interests = Interests()
        self._known: dict[Hashable, Listening] = {}
        self._serials = count(1)
        self._later: dict[Looking, None] | None = None
        self.hook: Hook | None = None

    def add(
        self, bundle: Owner, listener: Any, wanted: Filter | None, names: tuple[str, ...]
    ) -> bool:
        """Tell a listener from now on; C{False} if it is told already.

        @param listener: a callable, or an object with a method C{service_changed}.
        @raise NotAListener: it is neither.
        """
        tell = getattr(listener, "service_changed", listener)
        if not callable(tell):
            raise NotAListener(object=repr(listener), method="service_changed")
        key = key_of(listener)
        if key in self._known:
            return False
        listening = Listening(next(self._serials), bundle, listener, tell)
        self._interests.add(names, wanted, listening)
        self._known[key] = listening
        return True

    def remove(self, listener: Any) -> bool:
        """Tell a listener no more; whether it was told before."""
        if (listening := self._known.pop(key_of(listener), None)) is None:
            return False
        self._interests.discard(listening)
        return True

    def end(self, bundle: Owner) -> None:
        """Tell none of a bundle's listeners any more."""
        for listening in [each for each in self._known.values() if each.owner is bundle]:
            self.remove(listening.listener)

    def afterwards(self, who: "Looking") -> None:
        """Have somebody look once all have been told of what is being told; at once, if nothing is.

        Whoever has asked for several things sees all of them change, and not one by one.
        """
        if self._later is None:
            who.look()
        else:
            self._later[who] = None

    def tell(self, kind: ServiceEventKind, reference: ServiceReference) -> None:
        """A registration has come, or goes."""
        now = reference.properties
        due = [
            interest
            for interest in self._interests.concerned(reference, now)
            if interest.matches(reference, now)
        ]
        if due:
            self._tell(ServiceEvent(kind, reference), due)

    def tell_change(self, reference: ServiceReference, before: Properties) -> None:
        """A registration has other properties than before."""
        now = reference.properties
        ends, others = [], []
        for interest in self._interests.concerned(reference, before, now):
            if interest.matches(reference, now):
                others.append(interest)
            elif interest.matches(reference, before):
                ends.append(interest)
        if not ends and not others:
            return
        ended = ServiceEvent(ServiceEvent.MODIFIED_ENDMATCH, reference, before)
        modified = ServiceEvent(ServiceEvent.MODIFIED, reference, before)
        version = reference.version
        self._tell(ended, ends, version)
        self._tell(modified, others, version)

    def _tell(
        self, event: ServiceEvent, interests: Iterable[Interest], version: int | None = None
    ) -> None:
        """Tell each who asked, unless it is not so any more; see Note [Nested changes]."""
        due = [listening for interest in interests for listening in interest.listening]
        due.sort(key=by_serial)
        if self.hook and due:
            due = self.hook(event, due)
        version = event.reference.version if version is None else version
        around, looking = self._later, dict[Looking, None]()
        self._later = looking
        try:
            for listening in due:
                if listening.active and _still(event, listening, version):
                    self._tell_one(event, listening)
        finally:
            self._later = around
        for who in looking:
            who.look()

    def _tell_one(self, event: ServiceEvent, listening: Listening) -> None:
        try:
            result = listening.tell(event)
        except Exception:
            owner = listening.owner.get_symbolic_name()
            log.failure("A listener of bundle {owner} failed at {event}", owner=owner, event=event)
        else:
            if result is not None:
                owner = listening.owner.get_symbolic_name()
                self._adopt(result, f"a listener of bundle {owner}")


def _still(event: ServiceEvent, listening: Listening, version: int) -> bool:
    reference = event.reference
    if event.kind is ServiceEvent.UNREGISTERING:
        return True
    if reference.live and reference.version == version:
        return True
    if event.kind is not ServiceEvent.MODIFIED_ENDMATCH:
        return False
    return not (reference.live and listening.interest.matches(reference, reference.properties))


def key_of(listener: Any) -> Hashable:
    """By what a listener is known again: itself, where it can be; bound methods are made anew."""
    try:
        hash(listener)
    except TypeError:
        return id(listener)
    return (listener,)
