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
"""(error code or 0, result): told of the outcome even if the caller cancelled."""


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
            self.deferred.errback(error_for(code, self.path))

    def failed(self, kind: type[ZooKeeperException], reason: str | None = None) -> None:
        """Tell that there will be no answer."""
        if self.observe is not None and kind.code is not None:
            self.observe(kind.code, None)
        if not self.deferred.called:
            error = kind(self.path)
            self.deferred.errback(kind(self.path, f"{error} {reason}") if reason else error)


def nothing(data: bytes, offset: int, end: int) -> None:
    """Read an empty answer."""
