"""Reaching agents from the command line: of which machines, under which names, and who was not."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from pop.cli.fleet import Answers, ask, called
from pop.cluster import Cluster
from pop.errors import NotDeployed, UnknownMachine
from pop.frozen import frozen
from pop.overview import ServiceView, described, known_machines, machine_on, services
from pop.watch import look
from txzookeeper import ClientEvent

if TYPE_CHECKING:
    from pop.admin import Administrator

T = TypeVar("T")
Question = Callable[["Administrator"], Awaitable[T]]
Connect = Callable[[str], Awaitable["Administrator"]]
"""Gives an agent by its machine's id."""


@frozen
class Places:
    """Where a service is, or should be.

    @ivar machines: their ids.
    @ivar names: what machines are called, by id; the same whatever the service.
    """

    view: ServiceView
    machines: tuple[str, ...]
    names: Mapping[str, str]

    def several(self) -> bool:
        """Whether an instance may have several processes."""
        settings = self.view.service.settings if self.view.service else {}
        reported = any(each.status and each.status.processes for each in self.view.instances)
        return reported or settings.get("processes", 1) != 1

    def said(self, machines: Iterable[str]) -> str:
        """Machines, by name."""
        return ", ".join(self.names.get(machine, machine) for machine in machines)


async def places(cluster: Cluster, service: str, chosen: Iterable[str] = ()) -> Places:
    """Where a service is, or only those of its places that are chosen.

    @param chosen: ids, or the names of hosts.
    @raise NotDeployed: nowhere.
    @raise UnknownMachine: there is none of that name.
    """
    [view] = await services(cluster, [service])
    ids = [await identified(cluster, word) for word in dict.fromkeys(chosen)]
    machines = tuple(ids or (instance.machine for instance in view.instances))
    if not machines:
        raise NotDeployed(service=service)
    known = await described(cluster, await known_machines(cluster))
    return Places(view, machines, called(known))


async def placed(cluster: Cluster, service: str) -> "Deferred[ClientEvent]":
    """Fires when other machines are chosen for a service than just now."""
    _, changed = await look(cluster.client, cluster.paths.placement(service))
    return changed


async def identified(cluster: Cluster, word: str) -> str:
    """The id of a machine that is named by it, or by its host."""
    if await cluster.client.exists(cluster.paths.machine(word)):
        return word
    found = await machine_on(cluster, word)
    if not found:
        raise UnknownMachine(machine=word)
    return found


class Agents:
    """Connections to agents, each made when it is first needed, and kept; to be left by C{with}."""

    def __init__(self, connect: Connect, clock: IReactorTime) -> None:
        self._connect = connect
        self._clock = clock
        self._known: dict[str, Administrator] = {}

    async def __aenter__(self) -> "Agents":
        return self

    async def __aexit__(self, *_: object) -> None:
        for agent in list(self._known.values()):
            agent.close()

    async def of(self, machine: str) -> "Administrator":
        """The agent of a machine.

        @raise pop.errors.PopError: it cannot be reached.
        """
        if machine not in self._known:
            agent = await self._connect(machine)
            self._known[machine] = agent
            agent.lost.addBoth(lambda _: self._forget(machine, agent))
        return self._known[machine]

    async def ask(
        self,
        machines: Iterable[str],
        question: "Callable[[Administrator], Awaitable[T]]",
        patience: float,
    ) -> Answers[T]:
        """Ask agents the same at once.

        @param patience: seconds that each may take, with the way there.
        """

        async def one(machine: str) -> T:
            return await question(await self.of(machine))

        return await ask(machines, one, self._clock, patience)

    def _forget(self, machine: str, agent: "Administrator") -> None:
        if self._known.get(machine) is agent:
            del self._known[machine]
