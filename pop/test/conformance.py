"""What suites have in common that are run on the real thing and on its fake."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

Promise = Coroutine[Deferred[Any], Any, None]


def in_world(test: Callable[[Any], Promise]) -> Callable[[Any], Deferred[None]]:
    """Run an asynchronous test in its world's time."""

    @wraps(test)
    def run(case: Any) -> Deferred[None]:
        kept: Deferred[None] = case.world.run(test(case))
        return kept

    return run


def in_time(clock: Clock, promise: Promise) -> Deferred[None]:
    """Keep a promise, within so many turns of a clock."""
    kept = Deferred.fromCoroutine(promise)
    for _ in range(100):
        clock.advance(0.1)
    if not kept.called:
        raise AssertionError("what the test waits for never happened")
    return kept
