"""Where a service is, and the agents there."""

from collections.abc import Iterable
from dataclasses import dataclass

from pop.admin import Administrator, connect
from pop.cluster import Cluster
from pop.overview import ServiceView, services


@dataclass(frozen=True)
class Places:
    """Where a service is.

    @ivar machines: their ids.
    """

    view: ServiceView
    machines: tuple[str, ...]

    def said(self, machines: Iterable[str]) -> str:
        """Machines, by name."""
        return ", ".join(machines)


async def places(cluster: Cluster, service: str, chosen: Iterable[str] = ()) -> Places:
    """Where a service is, or those places only that are chosen."""
    [view] = await services(cluster, [service])
    return Places(view, tuple(dict.fromkeys(chosen)) or tuple(i.machine for i in view.instances))


class Agents:
    """Connections to agents, which are closed in the end."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: list[Administrator] = []

    async def __aenter__(self) -> "Agents":
        return self

    async def __aexit__(self, *_: object) -> None:
        for agent in self._known:
            agent.close()

    async def of(self, machine: str) -> Administrator:
        """The agent of a machine.

        @raise pop.errors.PopError: it cannot be reached.
        """
        agent = await connect(self._cluster.clock, self._cluster, machine)
        self._known.append(agent)
        return agent
