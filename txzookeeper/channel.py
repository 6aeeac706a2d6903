"""A session's way to the servers, through all disconnections.

It keeps one connection, or looks for the next; keeps the calls that came in between; and on each
new connection tells first who the client is, then which watches to arm, then the waiting calls,
so that a call never overtakes the watches that were set before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from txzookeeper import session as life
from txzookeeper.call import Call
from txzookeeper.constants import (
    AUTH_FAILED_STATE,
    CLOSED_STATE,
    CONNECTING_STATE,
    EXPIRED_SESSION_STATE,
    MAX_PACKET,
    READONLY_STATE,
)
from txzookeeper.deadline import Deadline
from txzookeeper.dialer import Dialer, Reached
from txzookeeper.errors import (
    AuthFailedException,
    ClosingException,
    ConnectionException,
    ConnectionLossException,
    NotConnectedException,
    SessionExpiredException,
    ZooKeeperException,
)
from txzookeeper.event import session_event
from txzookeeper.herald import Herald
from txzookeeper.hosts import Host
from txzookeeper.identity import Identities, Identity
from txzookeeper.listener import Listener
from txzookeeper.protocol import ZookeeperProtocol
from txzookeeper.records import ConnectResponse, WatcherEvent
from txzookeeper.statistics import Statistics
from txzookeeper.waiters import Waiters
from txzookeeper.watches import Watch, Watches, fire
from txzookeeper.writable import WritableSearch

_WHY_DEAD: Final[dict[int, type[ZooKeeperException]]] = {
    AUTH_FAILED_STATE: AuthFailedException,
    EXPIRED_SESSION_STATE: SessionExpiredException,
}

_STEADY: Final = 1.0
"""A connection that lasted so many seconds did work: the next one is tried without delay."""


class Channel:
    """What stays of a client while connections come and go.

    ``renew`` is asked when a session has expired: None lets the channel die; a function makes it
    open a new session, keep the waiting calls, and call the function on each connection until
    ``resume`` is called.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        now: Callable[[], float],
        dialer: Dialer,
        session: life.Session,
        listener: Listener,
        identities: Identities,
        statistics: Statistics,
        *,
        renew: Callable[[], None] | None = None,
        max_packet: int = MAX_PACKET,
    ) -> None:
        self.session = session
        self.watches = Watches()
        self.dialer = dialer
        self.statistics = statistics
        self._clock = clock
        self._now = now
        self._deadline = Deadline(clock, now, self._overdue)
        self._listener = listener
        self._herald = Herald(listener)
        self._identities = identities
        self._renew = renew
        self._max_packet = max_packet
        self._protocol: ZookeeperProtocol | None = None
        self._established_at = 0.0
        self._held = False
        self._leaving = False
        self._stale: list[Watch] = []
        self._queue: deque[Call[Any]] = deque()
        self._ready: Waiters[None] = Waiters()
        self._done: Waiters[None] = Waiters()
        self._loop: Deferred[None] | None = None
        self._dialing: Deferred[Reached] | None = None
        self._search: WritableSearch | None = None

    @property
    def connected(self) -> bool:
        """Whether a server answers calls at this moment."""
        return self._protocol is not None

    @property
    def renewing(self) -> bool:
        """Whether a new session is being made ready after an expired one."""
        return self._held

    @property
    def left(self) -> float:
        """How many seconds the session is sure to live on; 0 or less: it may have expired."""
        if self._protocol is not None:
            return self._until(self._protocol) - self._now()
        return self._deadline.at - self._now() if self.session.alive else 0.0

    # What the client asks for.

    def open(self, session_id: int, password: bytes) -> None:
        """Start to look for a server, for a new session (id 0) or to resume one."""
        self._step(life.Opened(session_id, password))
        self._loop = Deferred.fromCoroutine(self._run())
        self._loop.addErrback(self._broken).addBoth(self._ended)

    def ready(self) -> Deferred[None]:
        """Fire when there is a session and all identities are accepted, or there never will be."""
        return self._ready.wait()

    def submit(self, call: Call[Any]) -> None:
        """Send a call, now or when there is a connection; or fail it if there never will be."""
        if self._protocol is not None and not self._held:
            self._protocol.send(call)
        elif self.session.alive:
            self._queue.append(call)
        else:
            call.failed(_WHY_DEAD.get(self.session.state, NotConnectedException))

    def submit_at_once(self, call: Call[Any]) -> None:
        """Send a call now, or fail it."""
        if self.session.alive and (self._protocol is None or self._held):
            call.failed(ConnectionLossException, "There is no connection.")
        else:
            self.submit(call)

    def submit_first(self, call: Call[Any]) -> None:
        """Send a call past the waiting ones; it fails if there is no connection."""
        if self._protocol is not None:
            self._protocol.send(call)
        else:
            call.failed(ConnectionLossException)

    def identify(self, identity: Identity) -> None:
        """Tell the server an identity, if there is one; the next connections are told anyway."""
        if self._protocol is not None:
            self._identities.present(self._protocol, self._refused, identity)
        elif self.session.state in _WHY_DEAD:
            identity.accepted.fail(_WHY_DEAD[self.session.state]())

    def resume(self) -> None:
        """Let the old session's watches fire and the waiting calls go, after a renewal."""
        stale, self._stale, self._held = self._stale, [], False
        fire(stale, session_event(self.session.state))
        self._send_queue()
        self._look_again()

    def close(self, error: ZooKeeperException | None = None) -> Deferred[None]:
        """End the session and everything that waits for it; ``error`` goes to those who connect.

        Fires when the connection is gone. A server that does not answer has a third of the
        session's time-out to do so.
        """
        done = self._done.wait()
        if self.session.state != CLOSED_STATE and self.session.state not in _WHY_DEAD:
            self._die(life.Closed(), ClosingException, error)
        self._identities.fail(ClosingException)
        if self._loop is None:
            self._ended(None)
        return done

    def leave(self) -> Deferred[None]:
        """End everything as ``close`` does, but for the session; fires in the same way."""
        self._leaving = True
        return self.close()

    # The loop over connections.

    async def _run(self) -> None:
        while self.session.alive:
            try:
                self._dialing = self.dialer.dial(self._connection, self._failed)
                protocol, response = await self._dialing
            except CancelledError:
                return
            finally:
                self._dialing = None
            if self._came_in_time(protocol, response):
                self._welcome(protocol, response)
            else:
                protocol.abort(ConnectionException(message="The server's welcome came too late."))
            error = await protocol.closed
            if self._protocol is protocol:
                self._lost(protocol, error)

    def _came_in_time(self, protocol: ZookeeperProtocol, response: ConnectResponse) -> bool:
        # Else the server may have ended the session since it wrote this.
        age = self._now() - protocol.confirmed_at
        return response.timeout <= 0 or age < response.timeout / 1000

    def _connection(self) -> ZookeeperProtocol:
        return ZookeeperProtocol(
            self._clock,
            self._now,
            self.session.hello(),
            self._fire,
            self.statistics,
            max_packet=self._max_packet,
        )

    def _welcome(self, protocol: ZookeeperProtocol, response: ConnectResponse) -> None:
        before = self.session.id
        self._deadline.stop()
        self._step(life.Established(response))
        if self.session.state == EXPIRED_SESSION_STATE:
            protocol.abort(SessionExpiredException())
            self._expired()
            return
        self.statistics.connections += 1
        self.statistics.sessions += self.session.id != before
        self._protocol = protocol
        self._established_at = self._now()
        accepted = self._identities.present(protocol, self._refused)
        for request in self.watches.rearming(self.session.last_zxid):
            protocol.set_watches(request)
        session = self.session
        protocol.keep_alive(session.ping_interval, session.read_timeout, session.timeout / 1000)
        renewing = self._held
        if renewing and self._renew is not None:
            self._renew()
        self._send_queue()
        self._herald.tell(self.session, f"{self.dialer.host} answers")
        if not renewing:
            self._look_again()
        if self.session.state == READONLY_STATE and self._protocol is protocol:
            self._search_writable()
        accepted.addCallback(lambda _: self._ready.fire(None))

    def _look_again(self) -> None:
        """Tell standing watches, which were told nothing of what happened in between."""
        if self._protocol is not None:
            event = session_event(self.session.state)
            for watch in self.watches.standing():
                watch.tell(event)

    def _search_writable(self) -> None:
        dialer = self.dialer
        self._search = WritableSearch(
            self._clock, dialer.hosts, dialer.endpoint, dialer.attempt_timeout, self._found
        )

    def _found(self, host: Host) -> None:
        self._search = None
        if self._protocol is not None:
            self.dialer.prefer(host)
            self._protocol.abort(ConnectionException(message=f"{host} can write, so we go there."))

    def _stop_searching(self) -> None:
        search, self._search = self._search, None
        if search is not None:
            search.stop()

    def _refused(self) -> None:
        if self.session.alive:
            self._die(life.Refused(), AuthFailedException)

    def _lost(self, protocol: ZookeeperProtocol, error: Exception) -> None:
        if self._now() - self._established_at >= _STEADY:
            self.dialer.healthy()
        self._protocol = None
        self._stop_searching()
        self._step(life.Disconnected(protocol.last_zxid))
        if self.session.id:
            self._deadline.start(self._until(protocol))
        self._herald.tell(self.session, f"the connection to {self.dialer.host} is gone: {error}")
        self._failed(error)

    def _until(self, protocol: ZookeeperProtocol) -> float:
        return protocol.confirmed_at + self.session.timeout / 1000

    def _overdue(self) -> None:
        if self.session.state == CONNECTING_STATE:
            self._step(life.Overdue())
            self._herald.tell(self.session, "no server has confirmed it for its whole time-out")

    def _expired(self) -> None:
        if self._renew is None:
            self._die(None, SessionExpiredException)
            return
        expired = self.session
        self._stale += self.watches.clear()
        self._held = True
        # First, so that calls made by those who are told wait for the new session.
        self._step(life.Opened())
        self._herald.tell(expired, "a server says so")

    # The end.

    def _die(
        self,
        event: life.Event | None,
        kind: type[ZooKeeperException],
        error: ZooKeeperException | None = None,
    ) -> None:
        if event is not None:
            self._step(event)
        protocol, self._protocol = self._protocol, None
        self._deadline.stop()
        self._stop_searching()
        if protocol is not None:
            end = protocol.leave if self._leaving else protocol.close
            end(kind, self.session.ping_interval)
        # The dialer cannot be cancelled while it waits to be told whether to go on.
        elif self._dialing is not None and not self._herald.telling:
            self._dialing.cancel()
        reason = "the program ends it" if kind is ClosingException else str(kind())
        self._herald.tell(self.session, reason)
        self._fail_waiting(kind, error)

    def _fail_waiting(
        self, kind: type[ZooKeeperException], error: ZooKeeperException | None
    ) -> None:
        calls, self._queue = self._queue, deque()
        stale, self._stale = self._stale, []
        for call in calls:
            call.failed(kind)
        self._identities.fail(kind)
        event = session_event(self.session.state)
        fire(stale + self.watches.clear(), event)
        for watch in self.watches.standing():
            self.watches.retire(watch)
            watch.tell(event)
        self._ready.fail(error or kind())

    def _broken(self, failure: Failure) -> None:
        self.log.failure("The connection's loop failed", failure)
        if self.session.alive:
            self._die(life.Closed(), ClosingException)

    def _ended(self, _: object) -> None:
        self._loop = None
        self._done.fire(None)

    # Small deeds.

    def _step(self, event: life.Event) -> None:
        self.session = life.step(self.session, event)

    def _send_queue(self) -> None:
        while self._queue and self._protocol is not None and not self._held:
            call = self._queue.popleft()
            if call.deferred.called:
                call.failed(ConnectionLossException)
            else:
                self._protocol.send(call)

    def _fire(self, event: WatcherEvent) -> None:
        self.watches.deliver(event, self._listener.event_received)

    def _failed(self, error: Exception) -> bool:
        if self.session.alive:
            self._herald.failed(error)
        return self.session.alive
