"""Following what is registered, for those who write no components.

With callbacks::

    tracker = Tracker(context, IHello, added=greet, removed=forget)
    tracker.open()

or in a coroutine, with what is there now and whatever comes::

    async for change in Tracker(context, IHello):
        ...
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Literal
from weakref import finalize

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from pop.components.context import BundleContext
from pop.components.events import ServiceEvent
from pop.components.reference import ServiceReference
from pop.components.syntax import GivenFilter
from pop.frozen import frozen

log = Logger()
Callback = Callable[[Any, ServiceReference], Any]
"""(object, reference): what it returns is not waited for."""
Kind = Literal["added", "modified", "removed"]


@frozen
class Change:
    """Something came, has other properties, or goes.

    @ivar object: what was registered.
    """

    kind: Kind
    object: Any
    reference: ServiceReference


class Tracker:
    """Follows the registrations under a specification that match a filter, and holds their objects.

    Those that are there when it is opened are added first, the best before the others. One that is
    removed can still be used while that is told. Closed, it gives back whatever it holds, and tells
    so; the end of its bundle closes it in that it is told nothing any more.
    """

    def __init__(
        self,
        context: BundleContext,
        specification: Any = None,
        ldap_filter: GivenFilter = None,
        *,
        added: Callback | None = None,
        modified: Callback | None = None,
        removed: Callback | None = None,
    ) -> None:
        self._context = context
        self._asked = specification, ldap_filter
        self._callbacks: dict[Kind, Callback | None] = {
            "added": added,
            "modified": modified,
            "removed": removed,
        }
        self._held: dict[ServiceReference, Any] = {}
        self._open = False
        self._lasting = False
        self._following: dict[_Following, None] = {}

    def open(self) -> None:
        """Begin.

        @raise BundleException: the bundle is not active, or the filter cannot be read.
        """
        self._begin()
        self._lasting = True

    def _begin(self) -> None:
        if not self._open:
            specification, ldap_filter = self._asked
            self._context.add_service_listener(self, ldap_filter, specification)
            self._open = True
            for reference in self._context.get_all_service_references(specification, ldap_filter):
                self._add(reference)

    def close(self) -> None:
        """End: everything is removed, and coroutines that follow go on behind their loops."""
        if self._open:
            self._open = self._lasting = False
            self._context.remove_service_listener(self)
            for reference in list(self._held):
                self._remove(reference)
            for following in list(self._following):
                following.end()
            self._following.clear()

    def __enter__(self) -> "Tracker":
        self.open()
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Any]:
        """The objects that are there, the best first."""
        return iter([self._held[reference] for reference in self.references()])

    def references(self) -> list[ServiceReference]:
        """What is there, the best first."""
        return sorted(self._held)

    def best(self) -> Any:
        """The best object; L{None} if there is none."""
        return self._held[min(self._held)] if self._held else None

    def __aiter__(self) -> "_Changes":
        """L{Change}s: those that lead to what is there now, and whatever happens then, until the
        loop is left or the tracker closed.

        One that nobody has opened is open as long as somebody goes through its changes.
        """
        self._begin()
        following = _Following()
        for reference in self.references():
            following.put(Change("added", self._held[reference], reference))
        self._following[following] = None
        changes = _Changes(following)
        finalize(changes, self._left, following).atexit = False
        return changes

    def _left(self, following: "_Following") -> None:
        self._following.pop(following, None)
        if not self._lasting and not self._following:
            self.close()

    # For the registry

    def service_changed(self, event: ServiceEvent) -> None:
        """Something comes, goes, or has changed."""
        reference = event.reference
        if event.kind in (ServiceEvent.UNREGISTERING, ServiceEvent.MODIFIED_ENDMATCH):
            self._remove(reference)
        elif reference in self._held:
            self._tell("modified", reference)
        else:
            self._add(reference)

    def _add(self, reference: ServiceReference) -> None:
        """If it has an object to give."""
        if reference in self._held:
            return
        try:
            self._held[reference] = self._context.get_service(reference)
        except Exception:
            log.failure("A tracker cannot get {reference}", reference=reference)
        else:
            self._tell("added", reference)

    def _remove(self, reference: ServiceReference) -> None:
        if reference in self._held:
            self._tell("removed", reference)
            # Unless that has closed the tracker.
            if self._held.pop(reference, None) is not None:
                self._context.unget_service(reference)

    def _tell(self, kind: Kind, reference: ServiceReference) -> None:
        change = Change(kind, self._held[reference], reference)
        for following in list(self._following):
            following.put(change)
        if (callback := self._callbacks[kind]) is not None:
            try:
                result = callback(change.object, reference)
            except Exception:
                log.failure("A tracker's callback failed at {change}", change=change)
            else:
                self._context.get_framework().adopt(result, f"{kind} of a tracker")


class _Following:
    """One coroutine that follows: it gets each change, however slow it is."""

    def __init__(self) -> None:
        self._changes: deque[Change] = deque()
        self._waiting: Deferred[None] | None = None
        self._ended = False

    def put(self, change: Change) -> None:
        self._changes.append(change)
        self._wake()

    def end(self) -> None:
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    async def next(self) -> Change:
        while not self._changes:
            if self._ended:
                raise StopAsyncIteration
            self._waiting = Deferred()
            await self._waiting
        return self._changes.popleft()


class _Changes:
    """What a coroutine goes through; when it does so no more, nobody refers to this."""

    def __init__(self, following: _Following) -> None:
        self._following = following

    def __aiter__(self) -> "_Changes":
        return self

    async def __anext__(self) -> Change:
        return await self._following.next()
