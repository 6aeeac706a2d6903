"""What a connection needs of the server that it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from txzookeeper.changes import Caller
from txzookeeper.records import ConnectRequest, ConnectResponse
from txzookeeper.tally import Tally
from txzookeeper.tree import Answer, Tree

if TYPE_CHECKING:
    from txzookeeper.connection import Connection


class Host(Protocol):
    """The server, as its connections see it."""

    tree: Tree
    tally: Tally

    def connected(self, connection: Connection) -> None:
        """Note a new connection."""

    def disconnected(self, connection: Connection) -> None:
        """Forget a connection."""

    def spoken_to(self, connection: Connection) -> None:
        """Let the connection say what it has to at the end of this turn."""

    def admit(self, connection: Connection, request: ConnectRequest) -> ConnectResponse | None:
        """Give the connection a session, or refuse it; None: no session can be opened now."""

    def heard_of(self, session: int) -> None:
        """Put off a session's end."""

    def end(self, session: int) -> Answer | None:
        """Close a session; None: that is not possible now."""

    def perform(self, operation: int, request: Any, caller: Caller) -> Answer:
        """Carry out a request."""

    def refuse(self, operation: int) -> Answer:
        """Answer a request that makes no sense."""

    def elapsed(self) -> int:
        """Give the time in ms on a clock that only goes forward."""

    def say(self, word: str, connection: Connection) -> str | None:
        """Answer to a four-letter word; None if it is none."""
