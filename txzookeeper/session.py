"""The life of a session, as a value and a pure function over it.

::

    new --Opened--> connecting <==Established/Lost==> connected
                      |  Established (time-out 0)        | Refused
                      v                                  v
                    expired --Opened--> connecting    auth-failed

Closed is possible everywhere. Source: the states of ``ClientCnxn.java`` of ZooKeeper 3.8.
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
)
from txzookeeper.records import ConnectRequest, ConnectResponse

NO_PASSWORD: Final = bytes(16)


@dataclass(frozen=True, slots=True)
class Session:
    """What client and server agreed on, and how it stands.

    ``timeout`` is in ms: what the program asked for, and once connected what the server granted.
    """

    requested: int
    state: int = DISCONNECTED_STATE
    id: int = 0
    password: bytes = NO_PASSWORD
    granted: int = 0
    last_zxid: int = 0

    @property
    def timeout(self) -> int:
        """The session's time-out in ms."""
        return self.granted or self.requested

    @property
    def alive(self) -> bool:
        """Whether calls can still be answered, now or later."""
        return self.state in (CONNECTING_STATE, CONNECTED_STATE)

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
        return ConnectRequest(0, self.last_zxid, self.requested, self.id, self.password)


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
class Lost:
    """The connection broke; ``last_zxid`` is the last transaction seen on it."""

    last_zxid: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The server refused the credentials."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The program is done with it."""


Event = Opened | Established | Lost | Refused | Closed

_OVER: Final = frozenset({DISCONNECTED_STATE, CLOSED_STATE, EXPIRED_SESSION_STATE})


def step(session: Session, event: Event) -> Session:
    """Give the session after the event; raises ``ValueError`` for an impossible pair."""
    match event:
        case Closed():
            return replace(session, state=CLOSED_STATE)
        case Opened(id, password) if session.state in _OVER:
            return Session(session.requested, CONNECTING_STATE, id, password)
        case Established(response) if session.state == CONNECTING_STATE:
            return _established(session, response)
        case Lost(last_zxid) if session.state == CONNECTED_STATE:
            return replace(session, state=CONNECTING_STATE, last_zxid=last_zxid)
        case Refused() if session.alive:
            return replace(session, state=AUTH_FAILED_STATE)
        case _:
            raise ValueError(f"{event} cannot happen to {session}.")


def _established(session: Session, response: ConnectResponse) -> Session:
    if response.timeout <= 0:
        return replace(session, state=EXPIRED_SESSION_STATE)
    return replace(
        session,
        state=CONNECTED_STATE,
        id=response.session_id,
        password=response.password,
        granted=response.timeout,
    )
