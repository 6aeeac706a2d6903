"""The agent's contact with ZooKeeper: whether what it knows is what is wanted just now."""

from collections.abc import Callable
from enum import Enum

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from pop.cluster import Cluster
from pop.disconnect import Absence
from txzookeeper import CONNECTED_STATE, ClientEvent
from txzookeeper.errors import ClosingException, ConnectionLossException, NotConnectedException

PATIENCE = 3.0
"""Seconds that an agent waits for ZooKeeper's first answer before it goes by what it remembers."""


class Grounds(Enum):
    """What there is to go by.

    What was read before the connection broke may be out of date when it is back: until it has been
    read what changed meanwhile, nothing is to be done.
    """

    CURRENT = "all that is wanted was read since the connection was made"
    UNREAD = "there is a connection, or there may be any moment, but that has not been read"
    AWAY = "ZooKeeper is away, so that what was last known has to do"


_INTERRUPTIONS = (
    CancelledError,
    ClosingException,
    ConnectionLossException,
    NotConnectedException,
)


class Contact:
    """Follows what a machine should run, and whether ZooKeeper is there to say so.

    @param changed: called whenever the grounds, or what is wanted, may have changed.
    @ivar known: whether all that is wanted was ever read.
    """

    _log = Logger()

    def __init__(
        self, cluster: Cluster, machine: str, clock: IReactorTime, changed: Callable[[], None]
    ) -> None:
        self.known = False
        self._current = False
        self._cluster = cluster
        self._client = cluster.client
        self._machine = machine
        self._clock = clock
        self._changed = changed
        self._began = 0.0
        self._touched = False
        self._warned = False
        self._following = False
        self._reading: Deferred[None] | None = None
        self._patience: IDelayedCall | None = None
        self._unsubscribe: Callable[[], None] | None = None

    def begin(self) -> None:
        """Look after the session from now on, which is yet to be opened."""
        self._began = self._clock.seconds()
        self._client.set_connection_error_callback(self._failed)
        self._unsubscribe = self._client.subscribe_session(self._session_changed)
        self._patience = self._clock.callLater(PATIENCE, self._impatient)

    def follow(self) -> None:
        """Read what is wanted, and go on to do so whenever that changes."""
        self._following = True
        self._cluster.watch(self._machine, self._changed)
        self._read_anew()

    def stop(self) -> None:
        """Take no more notice of anything."""
        self._following = False
        self._cluster.unwatch(self._machine)
        self._out_of_date()
        if self._unsubscribe:
            self._unsubscribe()
        if self._patience:
            self._patience.cancel()
            self._patience = None

    @property
    def grounds(self) -> Grounds:
        """What there is to go by at this moment."""
        if self._current:
            return Grounds.CURRENT
        return Grounds.UNREAD if self._client.connected or self._patience else Grounds.AWAY

    @property
    def absence(self) -> Absence:
        """How long ZooKeeper has been away, if it is."""
        timeout = self._client.session_timeout / 1000
        if not self._touched:
            return Absence(self._clock.seconds() - self._began, timeout, known=False)
        return Absence(timeout - self._client.session_left, timeout, self.known)

    def _failed(self, _: object, error: Exception) -> None:
        """Said once for each time that ZooKeeper is away."""
        if not self._warned:
            self._warned = True
            self._log.warn(
                "ZooKeeper is away ({error}). Services go on; trying again and again.",
                error=str(error).rstrip("."),
            )

    def _session_changed(self, event: ClientEvent) -> None:
        self._out_of_date()
        if event.connection_state == CONNECTED_STATE:
            self._back()
        else:
            self._changed()

    def _back(self) -> None:
        self._touched = True
        if self._patience:
            self._patience.cancel()
            self._patience = None
        if self._warned:
            self._warned = False
            self._log.info("ZooKeeper is back.")
        if self._following:
            self._read_anew()

    def _out_of_date(self) -> None:
        self._current = False
        if self._reading:
            self._reading.cancel()

    def _read_anew(self) -> None:
        self._reading = Deferred.fromCoroutine(self._cluster.read_anew(self._machine))
        self._reading.addCallbacks(self._up_to_date, self._interrupted)

    def _up_to_date(self, _: None) -> None:
        self._reading = None
        self._current = self.known = True
        self._changed()

    def _interrupted(self, failure: Failure) -> None:
        """The connection has broken again, and the next one begins this anew."""
        self._reading = None
        if not failure.check(*_INTERRUPTIONS):
            self._log.failure("Cannot read what is wanted", failure=failure)

    def _impatient(self) -> None:
        self._patience = None
        self._changed()
