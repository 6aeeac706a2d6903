"""Waiting for several things at once."""

from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from twisted.internet.defer import (
    CancelledError,
    Deferred,
    FirstError,
    ensureDeferred,
    gatherResults,
)

T = TypeVar("T")


async def together(waiting: Iterable[Deferred[T] | Coroutine[Deferred[Any], Any, T]]) -> list[T]:
    """All results, in order; or the first failure, as itself, with the others consumed.

    @param waiting: Deferreds or coroutines; all are begun before any is waited for.
    """
    try:
        begun = [ensureDeferred(each) for each in waiting]
        return await gatherResults(begun, consumeErrors=True)
    except FirstError as error:
        cause = error.subFailure.value
        assert cause is not None  # a failure always has one
        raise cause from None


async def first(waiting: Iterable[Deferred[Any]]) -> None:
    """Wait for one of several Deferreds that end well, and forget the others."""
    every, done = list(waiting), Deferred[None]()
    for each in every:
        each.addCallback(lambda _: None if done.called else done.callback(None))
    try:
        await done
    finally:
        forget(every)


def forget(waiting: Iterable[Deferred[Any]]) -> None:
    """Wait no more for any of these."""
    for each in waiting:
        if not each.called:
            each.addErrback(lambda failure: failure.trap(CancelledError) and None)
            each.cancel()
