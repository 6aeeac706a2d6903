"""A session's way to the servers, through all disconnections.

It keeps one connection, or looks for the next; keeps the calls that came in between; and on each
new connection tells first who the client is, then which watches to arm, then the waiting calls,
so that a call never overtakes the watches that were set before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final
from typing import Protocol as Interface

from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from txzookeeper import session as life
from txzookeeper.call import Call
from txzookeeper.constants import (
    AUTH_FAILED_STATE,
    CLOSED_STATE,
    EXPIRED_SESSION_STATE,
    MAX_PACKET,
)
from txzookeeper.dialer import Dialer, Reached
from txzookeeper.errors import (
    AuthFailedException,
    ClosingException,
    ConnectionLossException,
    NotConnectedException,
    SessionExpiredException,
    ZooKeeperException,
)
from txzookeeper.event import ClientEvent, session_event
from txzookeeper.identity import Identity
from txzookeeper.protocol import ZookeeperProtocol
from txzookeeper.records import ConnectResponse, WatcherEvent
from txzookeeper.watches import Watch, Watches

_WHY_DEAD: Final[dict[int, type[ZooKeeperException]]] = {
    AUTH_FAILED_STATE: AuthFailedException,
    EXPIRED_SESSION_STATE: SessionExpiredException,
}

_STEADY: Final = 1.0
"""A connection that lasted so many seconds did work: the next one is tried without delay."""


class Listener(Interface):
    """Who is told what happens to the session. A failing listener is logged, and harms nobody."""

    def state_changed(self, state: int) -> None:
        """The session stands differently now."""

    def connection_failed(self, error: Exception) -> None:
        """A connection broke, or could not be made."""

    def event_received(self, event: WatcherEvent) -> ClientEvent:
        """Give the event as the program sees it."""


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
        dialer: Dialer,
        session: life.Session,
        listener: Listener,
        identities: list[Identity],
        *,
        renew: Callable[[], None] | None = None,
        max_packet: int = MAX_PACKET,
    ) -> None:
        self.session = session
        self.watches = Watches()
        self.dialer = dialer
        self._clock = clock
        self._listener = listener
        self._identities = identities
        self._renew = renew
        self._max_packet = max_packet
        self._protocol: ZookeeperProtocol | None = None
        self._established_at = 0.0
        self._held = False
        self._telling = False
        self._stale: list[Watch] = []
        self._queue: deque[Call[Any]] = deque()
        self._ready: list[Deferred[None]] = []
        self._done: list[Deferred[None]] = []
        self._loop: Deferred[None] | None = None
        self._dialing: Deferred[Reached] | None = None

    @property
    def connected(self) -> bool:
        """Whether a server answers calls at this moment."""
        return self._protocol is not None

    # What the client asks for.

    def open(self, session_id: int, password: bytes) -> None:
        """Start to look for a server, for a new session (id 0) or to resume one."""
        self._step(life.Opened(session_id, password))
        self._loop = Deferred.fromCoroutine(self._run())
        self._loop.addErrback(self._broken).addBoth(self._ended)

    def ready(self) -> Deferred[None]:
        """Fire when there is a session and all identities are accepted, or there never will be."""
        ready: Deferred[None] = Deferred()
        self._ready.append(ready)
        return ready

    def submit(self, call: Call[Any]) -> None:
        """Send a call, now or when there is a connection; or fail it if there never will be."""
        if self._protocol is not None and not self._held:
            self._protocol.send(call)
        elif self.session.alive:
            self._queue.append(call)
        else:
            call.failed(_WHY_DEAD.get(self.session.state, NotConnectedException))

    def submit_first(self, call: Call[Any]) -> None:
        """Send a call past the waiting ones; it fails if there is no connection."""
        if self._protocol is not None:
            self._protocol.send(call)
        else:
            call.failed(ConnectionLossException)

    def identify(self, identity: Identity) -> None:
        """Tell the server an identity, if there is one; the next connections are told anyway."""
        if self._protocol is not None:
            self._authenticate(self._protocol, identity)
        elif self.session.state in _WHY_DEAD:
            identity.failed(_WHY_DEAD[self.session.state]())

    def resume(self) -> None:
        """Let the old session's watches fire and the waiting calls go, after a renewal."""
        stale, self._stale, self._held = self._stale, [], False
        _fire(stale, session_event(self.session.state))
        self._send_queue()

    def close(self, error: ZooKeeperException | None = None) -> Deferred[None]:
        """End the session and everything that waits for it; ``error`` goes to those who connect.

        Fires when the connection is gone. A server that does not answer has a third of the
        session's time-out to do so.
        """
        done: Deferred[None] = Deferred()
        self._done.append(done)
        if self.session.state != CLOSED_STATE and self.session.state not in _WHY_DEAD:
            self._die(life.Closed(), ClosingException, error)
        for identity in self._identities:
            identity.failed(ClosingException())
        if self._loop is None:
            self._ended(None)
        return done

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
            self._welcome(protocol, response)
            error = await protocol.closed
            if self._protocol is protocol:
                self._lost(protocol, error)

    def _connection(self) -> ZookeeperProtocol:
        return ZookeeperProtocol(
            self._clock, self.session.hello(), self._fire, max_packet=self._max_packet
        )

    def _welcome(self, protocol: ZookeeperProtocol, response: ConnectResponse) -> None:
        self._step(life.Established(response))
        if self.session.state == EXPIRED_SESSION_STATE:
            protocol.abort(SessionExpiredException())
            self._expired()
            return
        self.log.info(
            "Connected to {host}, session 0x{session:x}",
            host=self.dialer.host,
            session=self.session.id & (2**64 - 1),
        )
        self._protocol = protocol
        self._established_at = self._clock.seconds()
        accepted = [self._authenticate(protocol, each) for each in self._identities]
        for request in self.watches.rearming(self.session.last_zxid):
            protocol.set_watches(request)
        protocol.keep_alive(self.session.ping_interval, self.session.read_timeout)
        if self._held and self._renew is not None:
            self._renew()
        self._send_queue()
        self._announce()
        gatherResults(accepted).addCallback(lambda _: self._tell_ready())

    def _authenticate(self, protocol: ZookeeperProtocol, identity: Identity) -> Deferred[None]:
        done: Deferred[None] = Deferred()

        def accepted(_: None) -> None:
            identity.accepted()
            done.callback(None)

        protocol.authenticate(identity.request).addCallbacks(accepted, self._unaccepted)
        return done

    def _unaccepted(self, failure: Failure) -> None:
        if failure.check(AuthFailedException) and self.session.alive:
            self._die(life.Refused(), AuthFailedException)

    def _lost(self, protocol: ZookeeperProtocol, error: Exception) -> None:
        if self._clock.seconds() - self._established_at >= _STEADY:
            self.dialer.healthy()
        self._protocol = None
        self._step(life.Lost(protocol.last_zxid))
        host = self.dialer.host
        self.log.info("Lost the connection to {host}: {reason}", host=host, reason=error)
        self._announce()
        self._failed(error)

    def _expired(self) -> None:
        self.log.info("The session has expired")
        if self._renew is None:
            self._die(None, SessionExpiredException)
            return
        self._announce()
        self._stale += self.watches.clear()
        self._held = True
        if self.session.state == EXPIRED_SESSION_STATE:
            self._step(life.Opened())

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
        if protocol is not None:
            protocol.close(kind, self.session.ping_interval)
        elif self._dialing is not None and not self._telling:
            self._dialing.cancel()
        self._announce()
        self._fail_waiting(kind, error)

    def _fail_waiting(
        self, kind: type[ZooKeeperException], error: ZooKeeperException | None
    ) -> None:
        calls, self._queue = self._queue, deque()
        ready, self._ready = self._ready, []
        stale, self._stale = self._stale, []
        for call in calls:
            call.failed(kind)
        for identity in self._identities:
            identity.failed(kind())
        _fire(stale + self.watches.clear(), session_event(self.session.state))
        for each in ready:
            if not each.called:
                each.errback(error or kind())

    def _broken(self, failure: Failure) -> None:
        self.log.failure("The connection's loop failed", failure)
        if self.session.alive:
            self._die(life.Closed(), ClosingException)

    def _ended(self, _: object) -> None:
        self._loop = None
        done, self._done = self._done, []
        for each in done:
            if not each.called:
                each.callback(None)

    # Small deeds.

    def _step(self, event: life.Event) -> None:
        self.session = life.step(self.session, event)

    def _send_queue(self) -> None:
        while self._queue and self._protocol is not None and not self._held:
            call = self._queue.popleft()
            if not call.deferred.called:
                self._protocol.send(call)

    def _tell_ready(self) -> None:
        ready, self._ready = self._ready, []
        for each in ready:
            if not each.called:
                each.callback(None)

    def _fire(self, event: WatcherEvent) -> None:
        seen = self._listener.event_received(event)
        _fire(self.watches.fired(event.type, event.path), seen)

    def _announce(self) -> None:
        with self.log.failuresHandled("While telling of the session's state"):
            self._listener.state_changed(self.session.state)

    def _failed(self, error: Exception) -> bool:
        if not self.session.alive:
            return False
        # The dialer cannot be cancelled while it waits for this answer, and need not be.
        self._telling = True
        with self.log.failuresHandled("While telling of a failed connection"):
            self._listener.connection_failed(error)
        self._telling = False
        return self.session.alive


def _fire(watches: list[Watch], event: ClientEvent) -> None:
    for watch in watches:
        if not watch.called:
            watch.callback(event)
