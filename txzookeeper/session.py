"""The life of a session, as a value and a pure function over it.

::

    new --Opened--> connecting <==Established/Disconnected==> connected or read-only
                     |  ^   |  Established (time-out 0)            | Refused
             Overdue v  |   +-----------------> expired            v
                     lost ----------------------^  |          auth-failed
                                                   +--Opened--> connecting

Closed is possible everywhere. A session is lost when no server has confirmed it for its whole
time-out: it has to be taken for expired, though the next server may know better. Source: the
states of ``ClientCnxn.java`` of ZooKeeper 3.8; "lost" is ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from txzookeeper.constants import (
    AUTH_FAILED_STATE,
    CLOSED_STATE,
    CONNECTED_STATE,
    CONNECTING_STATE,
    DISCONNECTED_STATE,
    EXPIRED_SESSION_STATE,
    LOST_STATE,
    READONLY_STATE,
)
from txzookeeper.records import ConnectRequest, ConnectResponse

NO_PASSWORD: Final = bytes(16)


@dataclass(frozen=True, slots=True)
class Session:
    """What client and server agreed on, and how it stands.

    ``timeout`` is in ms: what the program asked for, and once connected what the server granted.
    ``read_only`` says whether a server that has no quorum will do; the session that such a server
    gives ends with the connection, so its id is not kept.
    """

    requested: int
    state: int = DISCONNECTED_STATE
    id: int = 0
    password: bytes = NO_PASSWORD
    granted: int = 0
    last_zxid: int = 0
    read_only: bool = False

    @property
    def timeout(self) -> int:
        """The session's time-out in ms."""
        return self.granted or self.requested

    @property
    def alive(self) -> bool:
        """Whether calls can still be answered, now or later."""
        return self.state in _ALIVE

    @property
    def connected(self) -> bool:
        """Whether a server answers."""
        return self.state in _CONNECTED

    @property
    def read_timeout(self) -> float:
        """How many seconds of silence mean that the server is gone.

        Two thirds of the session leave the last third for finding another server.
        """
        return self.timeout * 2 / 3000

    @property
    def ping_interval(self) -> float:
        """After how many seconds to ping, so that a live server is heard of in time."""
        return self.timeout / 3000

    def hello(self) -> ConnectRequest:
        """The first packet of a connection."""
        return ConnectRequest(
            0, self.last_zxid, self.requested, self.id, self.password, self.read_only
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """The program wants a session: a new one, or the one it names."""

    id: int = 0
    password: bytes = NO_PASSWORD


@dataclass(frozen=True, slots=True)
class Established:
    """A server answered the first packet."""

    response: ConnectResponse


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection broke; ``last_zxid`` is the last transaction seen on it."""

    last_zxid: int


@dataclass(frozen=True, slots=True)
class Overdue:
    """No server has confirmed the session for its whole time-out."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The server refused the credentials."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The program is done with it."""


Event = Opened | Established | Disconnected | Overdue | Refused | Closed

_CONNECTED: Final = frozenset({CONNECTED_STATE, READONLY_STATE})
_AWAY: Final = frozenset({CONNECTING_STATE, LOST_STATE})
_ALIVE: Final = _CONNECTED | _AWAY
_OVER: Final = frozenset({DISCONNECTED_STATE, CLOSED_STATE, EXPIRED_SESSION_STATE})


def step(session: Session, event: Event) -> Session:
    """Give the session after the event; raises ``ValueError`` for an impossible pair."""
    match event:
        case Closed():
            return replace(session, state=CLOSED_STATE)
        case Opened(id, password) if session.state in _OVER:
            return Session(
                session.requested, CONNECTING_STATE, id, password, read_only=session.read_only
            )
        case Established(response) if session.state in _AWAY:
            return _established(session, response)
        case Disconnected(last_zxid) if session.connected:
            return replace(session, state=CONNECTING_STATE, last_zxid=last_zxid)
        case Overdue() if session.state == CONNECTING_STATE:
            return replace(session, state=LOST_STATE)
        case Refused() if session.alive:
            return replace(session, state=AUTH_FAILED_STATE)
        case _:
            raise ValueError(f"{event} cannot happen to {session}.")


def _established(session: Session, response: ConnectResponse) -> Session:
    if response.timeout <= 0:
        return replace(session, state=EXPIRED_SESSION_STATE)
    if response.read_only:
        return replace(session, state=READONLY_STATE, granted=response.timeout)
    return replace(
        session,
        state=CONNECTED_STATE,
        id=response.session_id,
        password=response.password,
        granted=response.timeout,
    )
