"""Administering agents from Python: the public client library.

C{connect} gives an L{Administrator}, which has all of L{pop.interfaces.IAdministration}, and
C{close}. What an agent refuses is raised as a L{pop.errors.PopError} with the agent's own sentence.
"""

import os
import socket
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError

from pop.cluster import Cluster
from pop.errors import AgentLost, AgentSilent, NotConnected
from pop.interfaces import IAdministration, IOutput
from pop.model import AgentInfo
from pop.protocols.asking import Administrator, Asking

if TYPE_CHECKING:
    from pop.protocols.pb import Administrator as ByPB

__all__ = ["Administrator", "IAdministration", "IOutput", "at_pb_socket", "at_socket", "connect"]

PATIENCE: Final = 10.0
"""Seconds that an agent has to answer at all."""


async def connect(reactor: Any, cluster: Cluster, machine: str) -> Administrator:
    """Reach a machine's agent, by what ZooKeeper knows of it.

    @raise NotConnected: it has no agent just now.
    @raise AgentSilent: there is one, but it cannot be reached.
    """
    path = cluster.paths.agent(machine)
    node = await cluster.node(path)
    if node is None:
        raise NotConnected(machine=machine)
    info = AgentInfo.from_json(path, node[0])
    way = str(info.admin.get("unix", ""))
    if info.host == socket.gethostname() and os.access(way, os.R_OK | os.W_OK):
        return await at_socket(reactor, way, machine)
    raise AgentSilent(machine=machine, where=info.host, reason="it listens on its own machine only")


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
