"""A single ZooKeeper server on Twisted: sessions and time around a `txzookeeper.tree.Tree`.

A session outlives its connection: it ends by a close, or when it was not heard of for its whole
time-out. The time that sessions last is measured by a clock that nobody sets.

What a turn of the reactor changes is saved when the turn is over, all at once, and before that
nobody learns of it: nothing that could tell of it leaves earlier. Where it cannot be saved, it
is undone, and all connections are closed: their clients come back to what was saved before.

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
from twisted.logger import Logger

from txzookeeper.changes import WRITES, Caller
from txzookeeper.connection import Connection
from txzookeeper.connections import Connections, Limits
from txzookeeper.errors import NotReadOnlyException
from txzookeeper.journal import Journal, NoJournal
from txzookeeper.lifetime import monotonic
from txzookeeper.records import ConnectRequest, ConnectResponse
from txzookeeper.tally import Tally
from txzookeeper.tree import Answer, Tree
from txzookeeper.watchtable import Fired
from txzookeeper.words import answer

_NO_PASSWORD: Final = bytes(16)


class ZooKeeperServer(Factory):
    """A server: give it to any listening endpoint. Without a journal it is in memory only.

    Sessions last 2 to 20 ticks (ms), and are looked over once a tick. Every ``containers`` ms the
    server deletes the containers whose children are all gone and the nodes whose time to live is
    over. ``secret`` is what the sessions' passwords are made from: whoever knows it can take over
    any session.
    """

    noisy = False
    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        tree: Tree | None = None,
        *,
        tick: int = 2000,
        containers: int = 60_000,
        secret: bytes = b"",
        journal: Journal | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.tree = tree or Tree()
        self.tick = tick
        self.tally = Tally()
        self.connections = Connections(limits or Limits())
        self._clock = clock
        self._monotonic = monotonic(clock)
        self.started = self.elapsed()
        self._containers = containers
        self._secret = secret
        self._journal = journal or NoJournal()
        self._speaking: list[Connection] = []
        self._turn: IDelayedCall | None = None
        self._turn_began = 0.0
        self._rounds: dict[Callable[[], None], IDelayedCall] = {}

    @property
    def writable(self) -> bool:
        """Whether it can save what is changed; as long as it cannot, it only reads."""
        return self._journal.writable

    def startFactory(self) -> None:
        """Begin to look over the sessions and the nodes."""
        self._plan(self.tick, self._look_over_sessions)
        self._plan(self._containers, self._bury_outlived)

    def stopFactory(self) -> None:
        """Stop looking them over, save what is unsaved, and close the connections."""
        for call in self._rounds.values():
            call.cancel()
        self._rounds.clear()
        if self._turn is not None:
            self._turn.cancel()
            self._end_turn()
        self.drop_connections()

    def buildProtocol(self, addr: IAddress | None) -> Connection | None:
        """Give a new connection its protocol, unless there are too many."""
        address = getattr(addr, "host", "127.0.0.1")
        return None if self.connections.are_too_many(address) else Connection(self, address)

    def drop_connections(self) -> None:
        """Close all connections at once; their sessions go on."""
        for connection in self.connections:
            connection.drop()

    def expire(self, session: int) -> None:
        """End a session as if it had not been heard of for too long."""
        connection = self.connections.of(session)
        self._end(session)
        if connection is not None:
            connection.drop()

    # What the connections ask.

    def connected(self, connection: Connection) -> None:
        """Note a new connection."""
        self.connections.add(connection)

    def disconnected(self, connection: Connection) -> None:
        """Forget a connection, and its session's watches unless another one has taken over."""
        if self.connections.discard(connection):
            self.tree.forget_watches(connection.session)

    def spoken_to(self, connection: Connection) -> None:
        """Let the connection say what it has to at the end of this turn."""
        self._begin_turn()
        self._speaking.append(connection)

    def admit(self, connection: Connection, request: ConnectRequest) -> ConnectResponse | None:
        """Open a session, or hand over an old one; refuse one that is over or not the client's."""
        timeout = min(max(request.timeout, 2 * self.tick), 20 * self.tick)
        session = request.session_id
        if not session:
            if not self.writable:
                return None
            session, _ = self.tree.open_session(timeout, self.now())
        elif session not in self.tree.sessions or not self._proves(request):
            return ConnectResponse(0, 0, 0, _NO_PASSWORD)
        if not self.writable:
            timeout = self.tree.sessions[session].timeout
        self._detach(session)
        self.tree.touch(session, self.elapsed(), timeout)
        connection.session = session
        self.connections.attach(session, connection)
        return ConnectResponse(0, timeout, session, self._password(session))

    def heard_of(self, session: int) -> None:
        """Put off a session's end."""
        self.tree.touch(session, self.elapsed())

    def end(self, session: int) -> Answer | None:
        """Close a session, if that can be saved; its connection is the caller's affair."""
        return self._end(session) if self.writable else None

    def perform(self, operation: int, request: Any, caller: Caller) -> Answer:
        """Carry out a request, and tell the watchers before anybody learns of the answer."""
        if operation in WRITES and not self.writable:
            return Answer(self.tree.zxid, NotReadOnlyException.code)
        done = self.tree.perform(operation, request, caller, self.now())
        if done.events:
            self._tell(done.events)
        return done

    def refuse(self, operation: int) -> Answer:
        """Answer a request that makes no sense."""
        if operation in WRITES and not self.writable:
            return Answer(self.tree.zxid, NotReadOnlyException.code)
        return self.tree.refuse(operation)

    def elapsed(self) -> int:
        """Give the time in ms on a clock that only goes forward."""
        return int(self._monotonic() * 1000)

    def now(self) -> int:
        """Give the time of day, in ms since 1970."""
        return int(self._clock.seconds() * 1000)

    def say(self, word: str, connection: Connection) -> str | None:
        """Answer to a four-letter word; None if it is none."""
        return answer(word, self, connection)

    # The turns of the reactor.

    def _begin_turn(self) -> None:
        if self._turn is None:
            self._turn = self._clock.callLater(0, self._end_turn)
            self._turn_began = self._monotonic()

    def _end_turn(self) -> None:
        self._turn = None
        speaking, self._speaking = self._speaking, []
        if not self._journal.save():
            self.drop_connections()
            return
        latency = 1000 * (self._monotonic() - self._turn_began)
        for connection in speaking:
            connection.flush(latency)

    # Sessions, watches and time.

    def _end(self, session: int) -> Answer:
        self._begin_turn()
        done = self.tree.close_session(session, self.now())
        self._tell(done.events)
        self.connections.detach(session)
        return done

    def _detach(self, session: int) -> None:
        """Part a session from the connection it has, if any; watches belong to a connection."""
        connection = self.connections.detach(session)
        self.tree.forget_watches(session)
        if connection is not None:
            connection.drop()

    def _tell(self, events: Iterable[Fired]) -> None:
        for fired in events:
            connection = self.connections.of(fired.session)
            if connection is not None:
                connection.tell(fired)

    def _plan(self, interval: int, look: Callable[[], None]) -> None:
        """Look now and then, every so many ms."""
        due = self.elapsed() + interval
        self._rounds[look] = self._clock.callLater(interval / 1000, self._look, interval, look, due)

    def _look(self, interval: int, look: Callable[[], None], due: int) -> None:
        # If this process stood still, what its clients have said meanwhile is to be heard first.
        if self.elapsed() < due + self.tick:
            look()
        self._plan(interval, look)

    def _look_over_sessions(self) -> None:
        self._journal.try_again()
        refused = self.connections.newly_rejected()
        if refused:
            self.log.warn("Refused {count} connections: there are too many", count=refused)
        now = self.elapsed()
        for session in self.tree.overdue(now) if self.writable else ():
            self.expire(session)
        for connection in self.connections.overdue(now):
            connection.drop()

    def _bury_outlived(self) -> None:
        self._begin_turn()
        now = self.now()
        for path in self.tree.outlived(now) if self.writable else ():
            self._tell(self.tree.bury(path, now).events)

    def _proves(self, request: ConnectRequest) -> bool:
        return hmac.compare_digest(request.password, self._password(request.session_id))

    def _password(self, session: int) -> bytes:
        return hmac.digest(self._secret, session.to_bytes(8, "big", signed=True), sha256)[:16]
