"""Calling what may take its time: a callback may return a Deferred, or be a coroutine function.

A component's work is a coroutine too, but one that is driven here rather than by Twisted, so that
the usual case, in which nothing has to be waited for, costs next to nothing.
"""

from collections.abc import Coroutine, Generator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

__all__ = ["Pause", "advance"]


class Pause:
    """Waits for a Deferred in a coroutine that L{advance} drives."""

    def __init__(self, deferred: Deferred[Any]) -> None:
        self.deferred = deferred

    def __await__(self) -> Generator[Deferred[Any], Any, Any]:
        """Its result."""
        result = yield self.deferred
        return result


def advance(work: Coroutine[Any, Any, Any], result: Any = None) -> None:
    """Drive a coroutine as far as it goes; the rest follows when what it waits for has come.

    What it raises is raised here, so it had better not.
    """
    try:
        failed = isinstance(result, Failure) and result.value
        waiting = work.throw(failed) if failed else work.send(result)
    except StopIteration:
        return
    waiting.addBoth(lambda found: advance(work, found))
