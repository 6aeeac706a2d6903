"""Administering agents from Python: the public client library.

C{connect} gives an L{Administrator}, which has all of L{pop.interfaces.IAdministration}, and
C{close}. What an agent refuses is raised as a L{pop.errors.PopError} with the agent's own sentence.
"""

import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred, DeferredLock, TimeoutError
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError

from pop.cluster import Cluster
from pop.errors import AgentLost, AgentSilent, NotConnected
from pop.interfaces import IAdministration, IOutput
from pop.model import AgentInfo
from pop.protocols.asking import Administrator, Asking

if TYPE_CHECKING:
    from pop.protocols.pb import Administrator as ByPB
    from pop.protocols.remote import Remote

__all__ = [
    "Administrator",
    "IAdministration",
    "IOutput",
    "Ways",
    "at_pb_socket",
    "at_socket",
    "connect",
]

PATIENCE: Final = 10.0
"""Seconds that an agent has to answer at all."""


async def connect(
    reactor: Any, cluster: Cluster, machine: str, identity: str | None = None
) -> Administrator:
    """Reach a machine's agent; see L{Ways.connect}."""
    return await Ways(reactor, cluster, identity).connect(machine)


class Ways:
    """The ways to a cluster's agents, by what ZooKeeper knows of them.

    @param identity: the admin identity, by which agents of other machines are reached.
    @param who: C{user@host}, as the other side is to know whoever asks.
    @param here: this machine's host name.
    @param wall: seconds since the epoch.
    """

    def __init__(
        self,
        reactor: Any,
        cluster: Cluster,
        identity: str | None = None,
        who: str = "",
        here: str | None = None,
        wall: Callable[[], float] | None = None,
    ) -> None:
        self._reactor = reactor
        self._cluster = cluster
        self._identity = identity
        self._who = who
        self._here = socket.gethostname() if here is None else here
        self._wall = wall or _wall
        self._remote: Remote | None = None
        self._order: DeferredLock = DeferredLock()

    async def connect(self, machine: str) -> Administrator:
        """Reach a machine's agent: by its socket, if that is on this machine and open to us; else
        by TLS, if it can be administered from elsewhere.

        @raise NotConnected: it has no agent just now.
        @raise AgentSilent: there is one, but it cannot be reached.
        @raise NoIdentity: there is one elsewhere, and nothing to prove oneself by.
        """
        path = self._cluster.paths.agent(machine)
        node = await self._cluster.node(path)
        if node is None:
            raise NotConnected(machine=machine)
        info = AgentInfo.from_json(path, node[0])
        way = str(info.admin.get("unix", ""))
        if info.host == self._here and os.access(way, os.R_OK | os.W_OK):
            return await at_socket(self._reactor, way, machine)
        match info.admin.get("tls"):
            case {"hosts": list(hosts), "port": int(port)}:
                return await self._by_tls(machine, [str(host) for host in hosts], port)
        reason = "it listens on its own machine only: it was started without --admin"
        raise AgentSilent(machine=machine, where=info.host, reason=reason)

    async def _by_tls(self, machine: str, hosts: list[str], port: int) -> Administrator:
        """Prove who we are; what failed may be that the cluster has another authority now."""
        remote = await self._order.run(lambda: Deferred.fromCoroutine(self._trusted()))
        try:
            return await remote.administrator(machine, hosts, port)
        except AgentSilent:
            self._remote = None
            raise

    async def _trusted(self) -> "Remote":
        """What reaches agents elsewhere, made once for all that are asked at a time."""
        if self._remote is None:
            from pop.protocols.remote import Remote  # these load OpenSSL
            from pop.trust import authority

            trusted = await authority(self._cluster, self._identity)
            who = self._who or "nobody in particular"
            self._remote = Remote(self._reactor, trusted, who, self._wall)
        return self._remote


async def at_socket(reactor: Any, path: str, machine: str) -> Administrator:
    """Reach the agent that listens on a UNIX socket.

    @param machine: which one it should be.
    @raise AgentSilent: it is not there, or another.
    """
    endpoint = UNIXClientEndpoint(reactor, path, timeout=PATIENCE)
    try:
        connection = await connectProtocol(endpoint, Asking(reactor))
    except ConnectError as error:
        reason = str(error).rstrip(".")
        raise AgentSilent(machine=machine, where=path, reason=reason) from error
    return await greeted(reactor, connection, machine, path)


async def greeted(reactor: Any, connection: Asking, machine: str, where: str) -> Administrator:
    """Whoever is at the other end of a connection, once they have said that they are who is meant.

    @raise AgentSilent: they are not, or say nothing.
    """
    found = Administrator(connection, machine)
    try:
        await Deferred.fromCoroutine(found.greet()).addTimeout(PATIENCE, reactor)
        if found.machine == machine:
            return found
        reason = f"the agent of {found.machine} does"
    except TimeoutError:
        reason = f"it says nothing for {PATIENCE:g} seconds"
    except AgentLost:
        reason = "it ends the connection at once"
    found.close()
    raise AgentSilent(machine=machine, where=where, reason=reason)


async def at_pb_socket(reactor: Any, path: str) -> "ByPB":
    """Reach the agent that speaks Perspective Broker at a UNIX socket.

    @raise ConnectError: there is none.
    """
    from twisted.spread.pb import PBClientFactory

    from pop.protocols.pb import Administrator as ByPB

    factory = PBClientFactory()
    await UNIXClientEndpoint(reactor, path, timeout=PATIENCE).connect(factory)
    return await ByPB.login(factory)


def _wall() -> float:
    from time import time  # noqa: TID251  # what OpenSSL goes by

    return time()
