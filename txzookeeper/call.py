"""One request on its way: what to send, how to read the answer, whom to tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred

from txzookeeper.errors import NoNodeException, ZooKeeperException, error_for

T = TypeVar("T")

Read = Callable[[bytes, int, int], T]
"""(buffer, offset, end): gives the result that lies there, or raises ``PacketError``."""

Observe = Callable[[int, Any], None]
"""(error code or 0, result): told once, of the outcome, even if the caller cancelled."""

NOT_SENT = 1
"""The code that an observer is told for a call that never left."""


class Call(Generic[T]):
    """A request and the Deferred of its result.

    Cancelling the Deferred of a call that waits keeps it from being sent; of one in flight, makes
    its reply be swallowed. The Deferred has no canceller, since Twisted then swallows one reply.
    """

    xid: int
    """The number it was sent with."""

    sent_at: float
    """When it was sent, on the connection's clock."""

    __slots__ = ("body", "deferred", "observe", "op", "optional", "path", "read", "sent_at", "xid")

    def __init__(
        self,
        op: int,
        path: str | None,
        body: bytes,
        read: Read[T],
        observe: Observe | None = None,
        optional: bool = False,
    ) -> None:
        self.op = op
        self.path = path
        self.body = body
        self.read = read
        self.observe = observe
        self.optional = optional
        self.deferred: Deferred[T] = Deferred()

    def answered(self, result: T) -> None:
        """Tell the result."""
        if self.observe is not None:
            self.observe(0, result)
        self.deferred.callback(result)

    def refused(self, code: int) -> None:
        """Tell the server's error; for an ``optional`` node, that there is none is a result."""
        if self.observe is not None:
            self.observe(code, None)
        if self.optional and code == NoNodeException.code:
            self.deferred.callback(None)  # type: ignore[arg-type]
        else:
            self.deferred.errback(error_for(code, self.path, self.op))

    def lost(self, kind: type[ZooKeeperException], reason: str | None = None) -> None:
        """Tell that the answer will never come, though the call was sent."""
        if self.observe is not None:
            self.observe(kind.code or NOT_SENT, None)
        self._fail(kind, reason)

    def failed(self, kind: type[ZooKeeperException], reason: str | None = None) -> None:
        """Tell that the call will not be sent."""
        if self.observe is not None:
            self.observe(NOT_SENT, None)
        self._fail(kind, reason)

    def _fail(self, kind: type[ZooKeeperException], reason: str | None) -> None:
        # One that was cancelled while it waited needs no telling.
        if not self.deferred.called:
            error = kind(self.path)
            self.deferred.errback(kind(self.path, f"{error} {reason}") if reason else error)


def nothing(data: bytes, offset: int, end: int) -> None:
    """Read an empty answer."""
