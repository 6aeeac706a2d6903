"""A single ZooKeeper server on Twisted: sessions and time around a `txzookeeper.tree.Tree`.

A session outlives its connection: it ends by a close, or when the given clock says that it was
not heard of for its whole time-out.

Source: ``ZooKeeperServer.java``, ``SessionTrackerImpl.java`` and ``ContainerManager.java`` of
ZooKeeper 3.8.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any, Final

from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory

from txzookeeper.changes import Caller
from txzookeeper.connection import Connection
from txzookeeper.records import ConnectRequest, ConnectResponse
from txzookeeper.tree import Answer, Tree
from txzookeeper.watchtable import Fired

_NO_PASSWORD: Final = bytes(16)


class ZooKeeperServer(Factory):
    """A server in memory: give it to any listening endpoint.

    Sessions last 2 to 20 ticks (ms), and are looked over once a tick. Every ``containers`` ms the
    server deletes the containers whose children are all gone and the nodes whose time to live is
    over. ``secret`` is what the sessions' passwords are made from: whoever knows it can take over
    any session.
    """

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        tree: Tree | None = None,
        *,
        tick: int = 2000,
        containers: int = 60_000,
        secret: bytes = b"",
    ) -> None:
        self.tree = tree or Tree()
        self._clock = clock
        self._tick = tick
        self._containers = containers
        self._secret = secret
        self._connections: set[Connection] = set()
        self._by_session: dict[int, Connection] = {}
        self._rounds: dict[Callable[[], None], IDelayedCall] = {}

    def startFactory(self) -> None:
        """Begin to look over the sessions and the nodes."""
        self._plan(self._tick, self._end_overdue)
        self._plan(self._containers, self._bury_outlived)

    def stopFactory(self) -> None:
        """Stop looking them over, and close the connections."""
        for call in self._rounds.values():
            call.cancel()
        self._rounds.clear()
        self.drop_connections()

    def buildProtocol(self, addr: IAddress | None) -> Connection:
        """Give a new connection its protocol."""
        return Connection(self, getattr(addr, "host", "127.0.0.1"))

    def drop_connections(self) -> None:
        """Close all connections at once; their sessions go on."""
        for connection in list(self._connections):
            connection.drop()

    def expire(self, session: int) -> None:
        """End a session as if it had not been heard of for too long."""
        connection = self._by_session.get(session)
        self.end(session)
        if connection is not None:
            connection.drop()

    def connected(self, connection: Connection) -> None:
        """Note a new connection."""
        self._connections.add(connection)

    def disconnected(self, connection: Connection) -> None:
        """Forget a connection, and its session's watches unless another one has taken over."""
        self._connections.discard(connection)
        if self._by_session.get(connection.session) is connection:
            del self._by_session[connection.session]
            self.tree.forget_watches(connection.session)

    def admit(self, connection: Connection, request: ConnectRequest) -> ConnectResponse:
        """Open a session, or hand over an old one; refuse one that is over or not the client's."""
        timeout = min(max(request.timeout, 2 * self._tick), 20 * self._tick)
        session, now = request.session_id, self._now()
        if not session:
            session, _ = self.tree.open_session(timeout, now)
        elif session not in self.tree.sessions or not self._proves(request):
            return ConnectResponse(0, 0, 0, _NO_PASSWORD)
        self._detach(session)
        self.tree.touch(session, now, timeout)
        connection.session = session
        self._by_session[session] = connection
        return ConnectResponse(0, timeout, session, self._password(session))

    def heard_of(self, session: int) -> None:
        """Put off a session's end."""
        self.tree.touch(session, self._now())

    def end(self, session: int) -> Answer:
        """Close a session; its connection is the caller's affair."""
        answer = self.tree.close_session(session, self._now())
        self._tell(answer.events)
        self._by_session.pop(session, None)
        return answer

    def perform(self, operation: int, request: Any, caller: Caller) -> Answer:
        """Carry out a request, and tell the watchers before anybody learns of the answer."""
        answer = self.tree.perform(operation, request, caller, self._now())
        self._tell(answer.events)
        return answer

    def _detach(self, session: int) -> None:
        """Part a session from the connection it has, if any; watches belong to a connection."""
        connection = self._by_session.pop(session, None)
        self.tree.forget_watches(session)
        if connection is not None:
            connection.drop()

    def _tell(self, events: Iterable[Fired]) -> None:
        for fired in events:
            connection = self._by_session.get(fired.session)
            if connection is not None:
                connection.tell(fired)

    def _plan(self, interval: int, look: Callable[[], None]) -> None:
        """Look now and then, every so many ms."""
        self._rounds[look] = self._clock.callLater(interval / 1000, self._look, interval, look)

    def _look(self, interval: int, look: Callable[[], None]) -> None:
        look()
        self._plan(interval, look)

    def _end_overdue(self) -> None:
        for session in self.tree.overdue(self._now()):
            self.expire(session)

    def _bury_outlived(self) -> None:
        now = self._now()
        for path in self.tree.outlived(now):
            self._tell(self.tree.bury(path, now).events)

    def _now(self) -> int:
        return int(self._clock.seconds() * 1000)

    def _proves(self, request: ConnectRequest) -> bool:
        return hmac.compare_digest(request.password, self._password(request.session_id))

    def _password(self, session: int) -> bytes:
        return hmac.digest(self._secret, session.to_bytes(8, "big", signed=True), sha256)[:16]
