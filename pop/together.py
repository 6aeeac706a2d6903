"""Waiting for several Deferreds at once."""

from collections.abc import Iterable
from typing import TypeVar

from twisted.internet.defer import Deferred, FirstError, gatherResults

T = TypeVar("T")


async def together(deferreds: Iterable[Deferred[T]]) -> list[T]:
    """All results, in order; or the first failure, as itself, with the others consumed."""
    try:
        return await gatherResults(list(deferreds), consumeErrors=True)
    except FirstError as error:
        cause = error.subFailure.value
        assert cause is not None  # a failure always has one
        raise cause from None
