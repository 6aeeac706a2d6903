"""Who the client is: the credentials that every connection has to be told again."""

from __future__ import annotations

from txzookeeper.records import AuthRequest
from txzookeeper.waiters import Waiters


class Identity:
    """One credential, and those who wait for a server to accept it."""

    def __init__(self, scheme: str, credential: bytes) -> None:
        self.request = AuthRequest(0, scheme, credential)
        self.accepted: Waiters[None] = Waiters()
