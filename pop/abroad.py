"""An agent that can be administered from abroad: what it takes, and only then.

The authority is in ZooKeeper, the proofs are OpenSSL's, and the answers are the same as on the
agent's own machine.
"""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory

from pop.address import Address
from pop.cluster import Cluster
from pop.interfaces import IAdministration
from pop.portal import Portal
from pop.reception import MOST, Complaints, visitors
from pop.sockets import Sockets
from txzookeeper import CONNECTED_STATE, ClientEvent


class Abroad:
    """Lets administrators of other machines in, as soon as ZooKeeper has said whom to believe.

    @param identity: the admin identity.
    @param administration: what answers them; asked for when the first one comes.
    @param sockets: hold what it listens at.
    @param wall: seconds since the epoch.
    """

    def __init__(
        self,
        reactor: Any,
        cluster: Cluster,
        identity: str,
        machine: str,
        at: Address,
        administration: Callable[[], IAdministration],
        sockets: Sockets,
        wall: Callable[[], float],
    ) -> None:
        from pop.authority import Authority  # these three load OpenSSL
        from pop.protocols.tls import Porter
        from pop.trust import Trust

        self._reactor = reactor
        self._client = cluster.client
        self._machine = machine
        self._at = at
        self._administration = administration
        self._porter = Porter(machine, wall)
        self._trust = Trust(cluster, identity, lambda: Authority.make(wall()), self._porter.trust)
        self._portal = Portal(reactor, sockets, at.listening, self._entrance)
        self._unsubscribe: Callable[[], None] | None = None

    def open(self) -> None:
        """Listen, and begin to trust once there is a session to ask by."""
        self._unsubscribe = self._client.subscribe_session(self._session_changed)
        self._portal.open()

    def close(self, keep: bool) -> Deferred[Any]:
        """Let nobody in any more; fires when that is so.

        @param keep: whether the socket is left to who comes next.
        """
        self._stop_waiting()
        self._trust.stop()
        return self._portal.close(keep)

    def _entrance(self) -> IProtocolFactory:
        from pop.protocols.tls import STRANGERS, Entrance

        door = f"tls:{self._at.port}"
        most = MOST + 2 * STRANGERS  # some of whom are on their way out
        answers = visitors(self._machine, self._administration, self._reactor, door, most)
        complaints = Complaints(self._reactor, door)
        return Entrance(self._porter, answers, complaints, self._reactor)

    def _session_changed(self, event: ClientEvent) -> None:
        if event.connection_state == CONNECTED_STATE:
            self._stop_waiting()
            self._trust.follow()

    def _stop_waiting(self) -> None:
        unsubscribe, self._unsubscribe = self._unsubscribe, None
        if unsubscribe:
            unsubscribe()
