"""The doors of an agent: where administrators find it, open for as long as the reactor runs."""

from collections.abc import Callable
from typing import Any

from pop.agent import Agent
from pop.configuration import Configuration
from pop.interfaces import IAdministration
from pop.model import Machine
from pop.reception import Reception, visitors, visitors_by_pb
from pop.sockets import Sockets
from pop.statedir import StateDirectory


def ways(configuration: Configuration, machine: Machine) -> dict[str, Any]:
    """Where administrators find an agent, as it is told in ZooKeeper."""
    state_dir, at = configuration.state_dir, configuration.admin
    ways: dict[str, Any] = {"unix": str(state_dir.admin), "pb": str(state_dir.admin_pb)}
    if at:
        ways["tls"] = {"hosts": at.hosts(machine.host, machine.addresses), "port": at.port}
    return ways


def receive(
    reactor: Any,
    machine: str,
    administration: Callable[[], IAdministration],
    state_dir: StateDirectory,
    sockets: Sockets,
    keeps: Callable[[], bool],
) -> None:
    """Let administrators of this machine in.

    @param administration: what answers; asked for when the first one comes.
    @param keeps: whether the sockets are left to the next agent.
    """
    path, by_pb = str(state_dir.admin), str(state_dir.admin_pb)
    doors = {
        path: visitors(machine, administration, reactor, path),
        by_pb: visitors_by_pb(administration, reactor, by_pb),
    }
    reception = Reception(reactor, sockets, doors)
    reactor.callWhenRunning(reception.open)
    reactor.addSystemEventTrigger("before", "shutdown", lambda: reception.close(keep=keeps()))


def receive_from_abroad(
    reactor: Any,
    configuration: Configuration,
    agent: Agent,
    administration: Callable[[], IAdministration],
    sockets: Sockets,
    keeps: Callable[[], bool],
    wall: Callable[[], float],
) -> None:
    """Let administrators of other machines in; as L{receive}."""
    from pop.abroad import Abroad

    assert configuration.admin and configuration.identity, "see Configuration.check_agent"
    abroad = Abroad(
        reactor,
        agent.cluster,
        configuration.identity,
        agent.machine,
        configuration.admin,
        administration,
        sockets,
        wall,
    )
    reactor.callWhenRunning(abroad.open)
    reactor.addSystemEventTrigger("before", "shutdown", lambda: abroad.close(keep=keeps()))
