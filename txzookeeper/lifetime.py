"""The outer life of a client: servers, connecting and closing, credentials, callbacks."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random, SystemRandom
from typing import Any, Self, TypeVar

from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorCore, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from txzookeeper import constants as c
from txzookeeper.channel import Channel
from txzookeeper.dialer import Dialer, Endpoint, plain_endpoint
from txzookeeper.errors import (
    ClosingException,
    ConnectionException,
    ConnectionTimeoutException,
    ZooKeeperException,
)
from txzookeeper.event import ClientEvent, session_event
from txzookeeper.hosts import parse_hosts
from txzookeeper.identity import Identities
from txzookeeper.jute import encode
from txzookeeper.path import to_client
from txzookeeper.records import ConnectRequest, WatcherEvent
from txzookeeper.session import NO_PASSWORD, Session
from txzookeeper.statistics import Statistics

T = TypeVar("T")

ClientId = tuple[int, bytes]
"""A session's id and password: with these another connection can resume it."""

SessionCallback = Callable[[Any, ClientEvent], object]
EventCallback = Callable[[ClientEvent], object]
ErrorCallback = Callable[[Any, Exception], object]


class Lifetime:
    """What a client is apart from its calls; see ``ZookeeperClient`` for the arguments."""

    log = Logger()

    def __init__(
        self,
        servers: str = "localhost:2181",
        session_timeout: int = 10_000,
        connect_timeout: int = 4_000,
        *,
        reactor: IReactorTime,
        endpoint: Endpoint | None = None,
        random: Random | None = None,
        max_packet: int = c.MAX_PACKET,
        read_only: bool = False,
    ) -> None:
        self.statistics = Statistics()
        self._reactor = reactor
        self._now = steady(reactor)
        self._read_only = read_only
        self._requested_timeout = session_timeout
        self._connect_timeout = connect_timeout
        self._endpoint: Endpoint = endpoint or plain_endpoint(reactor)
        self._random = random or SystemRandom()
        self._max_packet = max_packet
        self._identities = Identities()
        self._subscribers: list[EventCallback] = []
        self._session_callback: SessionCallback | None = None
        self._connection_watcher: EventCallback | None = None
        self._error_callback: ErrorCallback | None = None
        self._use(servers)

    def __repr__(self) -> str:
        """Say whom it talks to, for logs."""
        return f"<{type(self).__name__} {self.servers} {session_event(self.state).state_name}>"

    # The session.

    def connect(
        self,
        servers: str | None = None,
        timeout: int | None = None,
        client_id: ClientId | None = None,
    ) -> Deferred[Self]:
        """Open a session, or resume the one of ``client_id``; gives this client.

        It tries all servers again and again, for at most ``timeout`` ms (default: for ever).
        Fails with ``ConnectionTimeoutException``, ``AuthFailedException``, ``ClosingException``,
        ``SessionExpiredException`` (the session to resume is gone), ``ConnectionException`` (it is
        open already, or dead), ``MarshallingErrorException`` (a session's id or time-out is an
        int, its password bytes) or ``ValueError`` (bad server list). Cancelling stops trying.
        """
        if self._channel.session.alive or self.unrecoverable:
            message = f"The client cannot connect, it is {session_event(self.state).state_name}."
            return fail(ConnectionException(message=message))
        session_id, password = client_id or (0, NO_PASSWORD)
        try:
            # What cannot be told to a server must be told to the program.
            encode(ConnectRequest(0, 0, self._requested_timeout, session_id, password))
            self._use(self.servers if servers is None else servers)
        except (ValueError, ZooKeeperException):
            return fail()
        return self._open(timeout, session_id, password)

    def close(self) -> Deferred[None]:
        """End the session; whatever is outstanding fails with ``ClosingException``.

        Always succeeds, and fires when nothing of this client is left in the reactor.
        """
        return self._channel.close()

    def hand_over(self) -> Deferred[ClientId]:
        """End this client but not its session, and give what another one resumes it with.

        The session lives on for its time-out: until then ``connect(client_id=...)``, in this
        process or in another, takes it over with its ephemeral nodes. Its watches and credentials
        are the next client's affair. Calls that are outstanding fail with ``ClosingException``,
        as with ``close``; so does this, if there is no session, or only one that is not complete
        yet since it has just followed an expired one.
        """
        client_id = self.client_id
        complete = self._channel.session.alive and not self._channel.renewing
        if not (client_id[0] and complete):
            return fail(ClosingException(message="There is no session to hand over."))
        return self._channel.leave().addCallback(lambda _: client_id)

    @property
    def reactor(self) -> IReactorTime:
        """The reactor or clock that it was made with."""
        return self._reactor

    @property
    def connected(self) -> bool:
        """Whether a server answers at this moment."""
        return self._channel.connected

    @property
    def state(self) -> int:
        """One of the ``*_STATE`` constants."""
        return self._channel.session.state

    @property
    def client_id(self) -> ClientId:
        """The session's id (0 before the first connection) and password."""
        session = self._channel.session
        return session.id, session.password

    @property
    def session_timeout(self) -> int:
        """The session's time-out in ms, as granted by the server once it is connected."""
        return self._channel.session.timeout

    @property
    def session_left(self) -> float:
        """For how many seconds the session is sure to live on, whatever happens; else 0 or less.

        It is the granted time-out since the latest request that a server has answered, by a
        monotonic clock. When it is used up while there is no connection, the state is
        ``LOST_STATE``: somebody else may hold by now what the session's ephemeral nodes held.
        """
        return self._channel.left

    @property
    def servers(self) -> str:
        """The servers, as they were given."""
        return self._servers

    @property
    def unrecoverable(self) -> bool:
        """Whether the session has expired or was refused: this client is of no use any more."""
        return self.state in (c.EXPIRED_SESSION_STATE, c.AUTH_FAILED_STATE)

    def subscribe_session(self, callback: EventCallback) -> Callable[[], None]:
        """Have ``callback(event)`` called at each change of the session's state.

        There may be any number of them; what one raises is logged. The function that is given
        ends it.
        """
        self._subscribers.append(callback)

        def unsubscribe() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

        return unsubscribe

    def set_session_callback(self, callback: SessionCallback | None) -> None:
        """Have ``callback(client, event)`` called at each change of the session's state."""
        self._session_callback = callback

    def set_connection_watcher(self, callback: EventCallback | None) -> None:
        """Have ``callback(event)`` called at each change of the session's state."""
        self._connection_watcher = callback

    def set_connection_error_callback(self, callback: ErrorCallback | None) -> None:
        """Have ``callback(client, error)`` called when a connection broke or could not be made."""
        self._error_callback = callback

    def add_auth(self, scheme: str, identity: str | bytes) -> Deferred[None]:
        """Add a credential to the session, now and on each new connection.

        Fires when a server has accepted it. Refusal ends the session: ``AuthFailedException``.
        """
        credential = identity.encode() if isinstance(identity, str) else identity
        try:
            one = self._identities.add(scheme, credential)
        except ZooKeeperException:
            return fail()
        accepted = one.accepted.wait()
        self._channel.identify(one)
        return accepted

    # What the channel asks and tells.

    def event_received(self, event: WatcherEvent) -> ClientEvent:
        """Give an event with the path as the program knows it."""
        return ClientEvent(event.type, self.state, to_client(self._chroot, event.path))

    def state_changed(self, state: int) -> None:
        """Tell the program how the session stands."""
        event = session_event(state)
        for callback in list(self._subscribers):
            with self.log.failuresHandled("In a subscriber to the session"):
                callback(event)
        if self._session_callback is not None:
            with self.log.failuresHandled("In the session callback"):
                self._session_callback(self, event)
        if self._connection_watcher is not None:
            with self.log.failuresHandled("In the connection watcher"):
                self._connection_watcher(event)

    def connection_failed(self, error: Exception) -> None:
        """Tell the program that a connection broke or could not be made."""
        if self._error_callback is not None:
            with self.log.failuresHandled("In the connection error callback"):
                self._error_callback(self, error)

    def _use(self, servers: str) -> None:
        hosts, self._chroot = parse_hosts(servers)
        self._servers = servers
        dialer = Dialer(
            self._reactor,
            hosts,
            self._endpoint,
            self._random,
            attempt_timeout=self._connect_timeout / 1000,
            longest_delay=self._requested_timeout / 5000,
        )
        self._channel = Channel(
            self._reactor,
            self._now,
            dialer,
            Session(self._requested_timeout, read_only=self._read_only),
            self,
            self._identities,
            self.statistics,
            renew=self._renewal(),
            max_packet=self._max_packet,
        )

    def _renewal(self) -> Callable[[], None] | None:
        """Give what is to be done on each connection of a session that replaces an expired one."""
        return None

    def _open(self, timeout: int | None, session_id: int, password: bytes) -> Deferred[Self]:
        channel = self._channel

        def give_up() -> None:
            reason = channel.dialer.reason
            message = f"No session with {self.servers} within {timeout} ms. The last try: {reason}"
            channel.close(ConnectionTimeoutException(message=message))

        def cancelled(failure: Failure) -> Failure:
            if failure.check(CancelledError):
                channel.close()
            return failure

        ready = channel.ready().addErrback(cancelled).addCallback(lambda _: self)
        if timeout is not None:
            late = self._reactor.callLater(timeout / 1000, give_up)
            ready.addBoth(_stop, late)
        channel.open(session_id, password)
        return ready


def monotonic(reactor: IReactorTime) -> Callable[[], float]:
    """Give the clock that the reactor's time is measured with.

    A real reactor's ``seconds()`` is the time of day, which people and programs set; a clock that
    somebody made says what it says.
    """
    return time.monotonic if IReactorCore.providedBy(reactor) else reactor.seconds


def steady(reactor: IReactorTime) -> Callable[[], float]:
    """Give a clock that nobody sets and that goes on while the machine sleeps, where there is one.

    A session's time-out runs on at the server while the client is suspended.
    """
    return _since_boot if IReactorCore.providedBy(reactor) else reactor.seconds


def _since_boot() -> float:
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _stop(result: T, late: IDelayedCall) -> T:
    if late.active():
        late.cancel()
    return result
