"""The reception of an agent: where administrators come in, how many, and what is said of others.

Note [Doors]: an agent listens on a UNIX socket in its state directory, which only its own user and
root can connect to: the system sees to that, so nobody there need prove anything. The socket is
held as those of services are (see L{pop.sockets}): while the agent becomes another version of
itself, those who connect wait. What speaks the protocol is loaded for the first who comes; most
agents are never asked anything.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from twisted.internet import tcp, unix
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.interfaces import IAddress, IProtocolFactory, IReactorTime
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from pop.errors import NotSpawned
from pop.interfaces import IAdministration
from pop.sockets import Sockets
from txzookeeper.aside import aside

MOST: Final = 100
"""Connections at a time through one door."""
MODE: Final = 0o600
"""Of the sockets: for their owner only."""
BACKLOG: Final = 128
"""Connections that may wait while the agent is busy, or becomes another version of itself."""
QUIET: Final = 60.0
"""Seconds for which the same is not said again."""
OURS: Final = ""
"""What the agent's own sockets are held for, where those of services have the service's name."""


class Complaints:
    """What is wrong with those who come: each said once, then counted for a while.

    @param door: which one they came to.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, door: str) -> None:
        self._clock = clock
        self._door = door
        self._said: dict[str, tuple[float, int]] = {}

    def add(self, what: str) -> None:
        """Somebody was turned away."""
        now = self._clock.seconds()
        when, more = self._said.get(what, (-QUIET, 0))
        if now - when < QUIET:
            self._said[what] = (when, more + 1)
            return
        self._said = {w: (t, n) for w, (t, n) in self._said.items() if now - t < 10 * QUIET}
        self._said[what] = (now, 0)
        before = f" ({more} more before)" if more else ""
        self._log.warn(
            "Turned away at {door}: {what}{before}.", door=self._door, what=what, before=before
        )


class Visitors(Factory):
    """Those who are connected by one door: so many at a time, and the next are turned away.

    @param welcome: makes the protocol for one; it calls the first when it turns somebody away, with
        the reason, and the second when its connection is over.
    """

    noisy = False

    def __init__(
        self,
        welcome: Callable[[Callable[[str], None], Callable[[], None]], Protocol],
        complaints: Complaints,
        most: int = MOST,
    ) -> None:
        self.here = 0
        self._welcome = welcome
        self._complaints = complaints
        self._most = most

    def full(self) -> bool:
        """Whether the next one has to be turned away; whoever asks does so then."""
        if self.here >= self._most:
            self._complaints.add(f"there are {self._most} already")
        return self.here >= self._most

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        """See L{IProtocolFactory.buildProtocol}."""
        if self.full():
            return None
        self.here += 1
        return self._welcome(self._complaints.add, self._left)

    def logPrefix(self) -> str:
        """What these are in the log."""
        return "Administration"

    def _left(self) -> None:
        self.here -= 1


def visitors(
    machine: str,
    administration: Callable[[], IAdministration],
    clock: IReactorTime,
    door: str,
    most: int = MOST,
) -> Visitors:
    """Who speaks the admin protocol with an agent.

    @param administration: what answers; asked for when the first one comes.
    @param door: the address, for the log.
    """

    def welcome(refused: Callable[[str], None], left: Callable[[], None]) -> Protocol:
        with aside("OpenSSL", late=True):
            from pop.protocols.amp import Answering

        return Answering(machine, administration(), clock, refused, left)

    return Visitors(welcome, Complaints(clock, door), most)


def visitors_by_pb(
    administration: Callable[[], IAdministration], clock: IReactorTime, door: str
) -> Visitors:
    """Who speaks Perspective Broker with an agent; as L{visitors}."""

    def welcome(refused: Callable[[str], None], left: Callable[[], None]) -> Protocol:
        from pop.protocols.pb import broker

        return broker(administration(), refused, left)

    return Visitors(welcome, Complaints(clock, door))


class Door(unix.Port):
    """Listens on a UNIX socket that somebody else holds, and leaves it in its place."""

    _shouldShutdown = False  # closing our descriptor of it is all that we do to it

    @classmethod
    def at(cls, reactor: Any, descriptor: int, factory: IProtocolFactory) -> "Door":
        """Begin to listen."""
        os.set_blocking(descriptor, False)
        port: Door = cls._fromListeningDescriptor(reactor, descriptor, factory)
        port.mode, port.backlog = MODE, BACKLOG  # it sets both again
        port.startListening()
        return port

    def connectionLost(self, reason: Failure) -> None:
        """Listen no more; whoever comes now waits for who listens there next, if anybody."""
        tcp.Port.connectionLost(self, reason)

    def _logConnectionLostMsg(self) -> None:
        """That an agent which ends lets nobody in any more is no news."""


class Reception:
    """The doors of an agent on its own machine.

    @param sockets: hold what it listens at.
    @param doors: what answers at each path.
    """

    _log = Logger()

    def __init__(
        self, reactor: Any, sockets: Sockets, doors: Mapping[str, IProtocolFactory]
    ) -> None:
        self._reactor = reactor
        self._sockets = sockets
        self._doors = doors
        self._ports: list[Door] = []

    def open(self) -> None:
        """Listen; an agent that cannot be asked does its work all the same."""
        names = [f"unix:{path}:mode={MODE:o}:backlog={BACKLOG}" for path in self._doors]
        try:
            held = self._sockets.hold(OURS, names)
        except NotSpawned as error:
            self._log.error("The agent cannot be asked anything: {error}", error=error)
            return
        for descriptor, factory in zip(held, self._doors.values(), strict=True):
            self._ports.append(Door.at(self._reactor, descriptor, factory))

    def close(self, keep: bool) -> Deferred[Any]:
        """Let nobody in any more; fires when that is so.

        @param keep: whether the sockets are left to who comes next.
        """
        closing = [maybeDeferred(port.stopListening) for port in self._ports]
        self._ports.clear()
        if not keep:
            self._sockets.release(OURS)
        return gatherResults(closing)
