"""What was called and promised in a run amid faults, and whatever was not kept of it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from txzookeeper.errors import (
    ClosingException,
    ConnectionLossException,
    NotConnectedException,
    SessionExpiredException,
)

T = TypeVar("T")

#: What any call may fail with amid faults.
EXPECTED = (
    CancelledError,
    ClosingException,
    ConnectionLossException,
    NotConnectedException,
    SessionExpiredException,
)


class Outcome(Generic[T]):
    """How a call ended: with a ``result``, or with an ``error``."""

    def __init__(self, result: T | None = None, error: Exception | None = None) -> None:
        self.error = error
        self._result = result

    @property
    def good(self) -> bool:
        """Whether there is a result."""
        return self.error is None

    @property
    def result(self) -> T:
        """The result, if it is good."""
        return self._result  # type: ignore[return-value]


class Ledger:
    """Keeps account of a run; what is wrong becomes a sentence in ``complaints``."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self._fired: list[tuple[str, list[None]]] = []
        self._going: dict[Deferred[None], str] = {}

    def complain(self, sentence: str) -> None:
        """Note that something is not as promised."""
        self.complaints.append(sentence)

    def count(self, name: str, deferred: Deferred[T]) -> Deferred[T]:
        """Count how often a Deferred fires, which has to be once when the run is over."""
        times: list[None] = []
        self._fired.append((name, times))

        def fired(result: T) -> T:
            times.append(None)
            return result

        return deferred.addBoth(fired)

    def call(
        self, name: str, deferred: Deferred[T], *allowed: type[Exception]
    ) -> Deferred[Outcome[T]]:
        """Give the outcome of a call, and complain of an error that it should not have."""

        def failed(failure: Failure) -> Outcome[T]:
            if not failure.check(*EXPECTED, *allowed):
                self.complain(f"{name} failed with {failure.value!r}")
            return Outcome(error=failure.value)  # type: ignore[arg-type]

        return self.count(name, deferred).addCallbacks(Outcome, failed)

    def begin(self, name: str, deed: Coroutine[Deferred[Any], Any, None]) -> None:
        """Let something go on by itself."""
        going = Deferred.fromCoroutine(deed)
        going.addErrback(lambda failure: self.complain(f"{name}: {failure.getTraceback()}"))
        if not going.called:
            self._going[going] = name
            going.addCallback(lambda _: self._going.pop(going))

    async def at_rest(self) -> None:
        """Wait until nothing goes on any more."""
        while self._going:
            ended: Deferred[None] = Deferred()
            next(iter(self._going)).addCallback(_pass_on, ended)
            await ended

    def unfinished(self) -> list[str]:
        """Name what goes on still."""
        return list(self._going.values())

    def close(self) -> list[str]:
        """Give all complaints, once everything has fired that ever will."""
        for name, times in self._fired:
            if len(times) != 1:
                self.complain(f"The Deferred of {name} fired {len(times)} times.")
        return self.complaints


def _pass_on(result: T, ended: Deferred[None]) -> T:
    ended.callback(None)
    return result
