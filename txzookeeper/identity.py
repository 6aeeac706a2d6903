"""Who the client is: the credentials that every connection has to be told again."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from txzookeeper.errors import ZooKeeperException
from txzookeeper.records import AuthRequest


class Identity:
    """One credential, and those who wait for a server to accept it."""

    def __init__(self, scheme: str, credential: bytes) -> None:
        self.request = AuthRequest(0, scheme, credential)
        self._waiting: list[Deferred[None]] = []

    def wait(self) -> Deferred[None]:
        """Fire when a server has accepted it."""
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        return waiting

    def accepted(self) -> None:
        """Tell those who wait."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.called:
                each.callback(None)

    def failed(self, error: ZooKeeperException) -> None:
        """Tell those who wait that it will never be accepted."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.called:
                each.errback(error)
