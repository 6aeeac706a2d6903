"""One object that passes each call on to many."""

from collections.abc import Generator, Iterable
from inspect import iscoroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from pop.components.aggregate import AggregateDependency

__all__ = ["Broadcast", "BroadcastDependency", "Replies"]

log = Logger()


class Replies(tuple[Any, ...]):
    """What those gave that did not fail, in the order in which they were called.

    As any tuple, it is true if there is one; whatever that is. What takes its time is a Deferred,
    which gives L{None} if it fails, unless that is not muffled; awaited, all of them are.
    """

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, "Replies"]:
        """The same, once all have come. Who stops waiting stops no reply."""
        return self._come().__await__()

    async def _come(self) -> "Replies":
        return Replies([await _come(each) if isinstance(each, Deferred) else each for each in self])


def _come(reply: Deferred[Any]) -> Deferred[Any]:
    """The same for one who waits: it can be waited for again, and to cancel this cancels only this.

    A failure is only told to the first who waits, which is enough.
    """
    waiting: Deferred[Any] = Deferred()

    def come(result: Any) -> Any:
        if waiting.called:
            return result
        waiting.callback(result)
        return None if isinstance(result, Failure) else result

    reply.addBoth(come)
    return waiting


class Broadcast:
    """Stands for a member of all objects of a dependency, however deep it lies.

    Whatever is asked of it can be asked; what is called is called on each, the best first.
    """

    __slots__ = ("_dependency", "_path")

    def __init__(self, dependency: "BroadcastDependency", path: tuple[str, ...] = ()) -> None:
        self._dependency = dependency
        self._path = path

    def __bool__(self) -> bool:
        return bool(self._dependency.services)

    def __repr__(self) -> str:
        return f"<broadcast {'.'.join((self._dependency.field, *self._path))}>"

    def __getattr__(self, name: str) -> "Broadcast":
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)  # what Python itself looks for is not theirs
        return Broadcast(self._dependency, (*self._path, name))

    def __call__(self, *arguments: Any, **keywords: Any) -> Replies:
        """Call each of them.

        @raise Exception: the first that one of them raised, unless those are muffled.
        """
        return Replies(self._dependency.called(self._path, arguments, keywords))


class BroadcastDependency(AggregateDependency):
    """All that match, as one object; that is false while there is none."""

    __slots__ = ()

    def value(self) -> Any:
        """One object for all; L{None} if one is needed and there is none."""
        return Broadcast(self) if self.services or self.requirement.optional else None

    def called(
        self, path: tuple[str, ...], arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Iterable[Any]:
        """What those gave that did not fail."""
        replies, failed = [], None
        for service in [self.services[reference] for reference in self.order]:
            try:
                member = service
                for name in path:
                    member = getattr(member, name)
                replies.append(self._begun(member(*arguments, **keywords), service))
            except Exception as error:
                failed = failed or error
                if self.requirement.trace:
                    log.failure("{service} failed at a broadcast", service=service)
        if failed is not None and not self.requirement.muffle:
            raise failed
        return replies

    def _begun(self, reply: Any, service: Any) -> Any:
        """A reply; one that takes its time comes, even if nobody waits for it."""
        if iscoroutine(reply):
            reply = Deferred.fromCoroutine(reply)
        if isinstance(reply, Deferred) and self.requirement.muffle:
            reply.addErrback(self._muffled, service)
        return reply

    def _muffled(self, failure: Failure, service: Any) -> None:
        if self.requirement.trace:
            log.failure("{service} failed at a broadcast", failure, service=service)
