"""All connections of a server: whose they are, and how many there may be.

Source: ``NIOServerCnxnFactory.java`` of ZooKeeper 3.8.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from txzookeeper.connection import Connection

HANDSHAKE: Final = 10_000
"""How long in ms a connection may be without a session."""


class Limits(NamedTuple):
    """How many connections there may be from one address, and in all; 0: any number."""

    of_one_address: int = 0
    in_all: int = 0


class Connections:
    """The connections that are open, and those of them that have a session."""

    def __init__(self, limits: Limits) -> None:
        self.rejected = 0
        self._told = 0
        self.limits = limits
        self._all: dict[Connection, None] = {}
        self._by_session: dict[int, Connection] = {}
        self._by_address: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._all))

    def __len__(self) -> int:
        return len(self._all)

    def are_too_many(self, address: str) -> bool:
        """Say whether one more from this address would be too many, and count it if it is."""
        limits = self.limits
        many = 0 < limits.of_one_address <= self._by_address[address]
        if many or 0 < limits.in_all <= len(self):
            self.rejected += 1
            return True
        return False

    def newly_rejected(self) -> int:
        """Give how many were too many since this was asked the last time."""
        new, self._told = self.rejected - self._told, self.rejected
        return new

    def add(self, connection: Connection) -> None:
        """Note a new connection."""
        self._all[connection] = None
        self._by_address[connection.address] += 1

    def discard(self, connection: Connection) -> bool:
        """Forget a connection, and say whether its session has none any more."""
        if connection in self._all:
            del self._all[connection]
            self._by_address[connection.address] -= 1
            self._by_address += Counter()
        if self._by_session.get(connection.session) is not connection:
            return False
        del self._by_session[connection.session]
        return True

    def of(self, session: int) -> Connection | None:
        """Give a session's connection, if it has one."""
        return self._by_session.get(session)

    def attach(self, session: int, connection: Connection) -> None:
        """Note whose connection it is."""
        self._by_session[session] = connection

    def detach(self, session: int) -> Connection | None:
        """Part a session from the connection it has, if any, and give that."""
        return self._by_session.pop(session, None)

    def overdue(self, now: float) -> list[Connection]:
        """Give those that should have got a session by now, or should have ended."""
        return [each for each in self._all if each.waits_since <= now - HANDSHAKE]
