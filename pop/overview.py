"""How things stand: what is wanted beside what is, for people and scripts."""

from collections.abc import Coroutine, Iterable
from typing import Any

from pop.cluster import Cluster
from pop.errors import BrokenNode, NotInitialised, PopError
from pop.frozen import frozen
from pop.model import AgentInfo, Json, Machine, Progress, Service, Status, load
from pop.namespace import read_all
from pop.together import together
from pop.watch import Node
from txzookeeper.errors import NoNodeException


@frozen
class InstanceView:
    """One service on one machine, as its agent reports it.

    @ivar wanted: whether the service is deployed there; otherwise it is on its way out.
    @ivar status: L{None} when nobody reports: the agent is not there.
    """

    machine: str
    wanted: bool
    alive: bool
    status: Status | None = None
    pid: int | None = None
    state: Json = None

    @property
    def phase(self) -> str:
        """The phase, or why there is none."""
        if self.status:
            return self.status.phase
        return "pending" if self.alive else "no agent"


@frozen
class ServiceView:
    """One service with all its instances.

    @ivar service: L{None} if its nodes are broken; C{problem} says how.
    @ivar progress: of its roll, if it may roll.
    @ivar waiting: machines that wait for their turn in it.
    """

    name: str
    service: Service | None
    problem: str
    instances: tuple[InstanceView, ...]
    progress: Progress | None = None
    waiting: tuple[str, ...] = ()


@frozen
class MachineView:
    """One machine with what is deployed on it.

    @ivar agent: L{None} while no agent serves it.
    """

    machine: Machine
    agent: AgentInfo | None
    services: tuple[str, ...]


async def services(cluster: Cluster, names: list[str]) -> list[ServiceView]:
    """How services fare, in the order of the names; however many, in two round trips.

    @raise NoSuchService: if only one is asked for and it is not there.
    """
    paths = cluster.paths
    reading: list[Coroutine[Any, Any, Any]] = [
        read_all(cluster, names),
        _children(cluster, paths.agents),
        *(_children(cluster, paths.statuses(name)) for name in names),
    ]
    (found, broken), agents, *reported = await together(reading)
    if len(names) == 1 and broken and not isinstance(broken[names[0]], BrokenNode):
        raise broken[names[0]]
    views = [
        _service(cluster, name, found.get(name), broken.get(name), (reporting, set(agents)))
        for name, reporting in zip(names, reported, strict=True)
    ]
    return await together(views)


async def _service(
    cluster: Cluster,
    name: str,
    service: Service | None,
    problem: PopError | None,
    present: tuple[list[str], set[str]],
) -> ServiceView:
    """One service.

    @param present: the machines that report of it, and those with an agent.
    """
    wanted, (reported, agents) = service.machines if service else (), present
    machines = list(dict.fromkeys((*wanted, *sorted(reported))))
    reading: list[Coroutine[Any, Any, Any]] = [
        _roll(cluster, service),
        *(_instance(cluster, name, m, m in wanted, m in agents) for m in machines),
    ]
    (progress, waiting), *instances = await together(reading)
    said = str(problem) if problem else ""
    return ServiceView(name, service, said, tuple(instances), progress, waiting)


async def _roll(
    cluster: Cluster, service: Service | None
) -> tuple[Progress | None, tuple[str, ...]]:
    """How far a roll is and who waits; not asked of a service that does not roll."""
    if service is None or not (service.target.batch or service.settings.get("roll_batch")):
        return None, ()
    path = cluster.paths.roll(service.name)
    reading: list[Any] = [cluster.node(path), _children(cluster, path)]
    node, waiting = await together(reading)
    try:
        progress = Progress.from_json(path, node[0] if node else b"")
    except BrokenNode:
        return None, ()
    known = set(waiting) - set(progress.going)
    return progress, tuple(machine for machine in service.machines if machine in known)


async def _instance(
    cluster: Cluster, service: str, machine: str, wanted: bool, alive: bool
) -> InstanceView:
    paths = cluster.paths
    status, pid, state = await together(
        [
            cluster.node(paths.status(service, machine)),
            cluster.node(paths.pid(machine, service)),
            cluster.node(paths.state(service, machine)),
        ]
    )
    return InstanceView(
        machine=machine,
        wanted=wanted,
        alive=alive,
        status=_status(paths.status(service, machine), status),
        pid=int(pid[0]) if pid and pid[0].isdigit() else None,
        state=_state(paths.state(service, machine), state),
    )


def _status(path: str, node: Node) -> Status | None:
    try:
        return Status.from_json(path, node[0]) if node else None
    except BrokenNode as error:
        return Status("unknown", why=str(error))


def _state(path: str, node: Node) -> Json:
    try:
        return load(path, node[0], dict, "an object") if node else None
    except BrokenNode:
        return None


async def machines(cluster: Cluster) -> list[MachineView]:
    """All machines, in order, alive or not."""
    looking: list[Coroutine[Any, Any, Any]] = [
        cluster.check(),
        cluster.names(),
        _children(cluster, cluster.paths.machines),
    ]
    _, names, known = await together(looking)
    found, _ = await read_all(cluster, names)
    deployed = {machine for service in found.values() for machine in service.machines}
    return await together(
        [_machine(cluster, id, found.values()) for id in sorted({*known, *deployed})]
    )


async def _machine(cluster: Cluster, id: str, wanted: Iterable[Service]) -> MachineView:
    path, agent_path = cluster.paths.machine(id), cluster.paths.agent(id)
    node, agent = await together([cluster.node(path), cluster.node(agent_path)])
    return MachineView(
        machine=_description(path, id, node),
        agent=_agent(agent_path, agent),
        services=tuple(service.name for service in wanted if id in service.machines),
    )


def _description(path: str, id: str, node: Node) -> Machine:
    try:
        return Machine.from_json(path, node[0] if node else b"")
    except BrokenNode:
        return Machine(id)


async def known_machines(cluster: Cluster) -> list[str]:
    """The ids of all machines that ever had an agent, in order.

    @raise NotInitialised: there is no namespace.
    """
    try:
        return sorted(await cluster.client.get_children(cluster.paths.machines))
    except NoNodeException as error:
        raise NotInitialised(path=cluster.paths.root) from error


async def described(cluster: Cluster, ids: list[str]) -> list[Machine]:
    """What machines are, as far as it is known."""
    paths = [cluster.paths.machine(id) for id in ids]
    nodes = await together(map(cluster.node, paths))
    return [_description(path, id, n) for path, id, n in zip(paths, ids, nodes, strict=True)]


def _agent(path: str, node: Node) -> AgentInfo | None:
    try:
        return AgentInfo.from_json(path, node[0]) if node else None
    except BrokenNode:
        return AgentInfo()


async def machine_on(cluster: Cluster, host: str, but: str = "") -> str:
    """The id of a machine on a host, other than C{but}; empty if none is known."""
    for view in await machines(cluster):
        if view.machine.host == host and view.machine.id != but:
            return view.machine.id
    return ""


async def _children(cluster: Cluster, path: str) -> list[str]:
    try:
        return await cluster.client.get_children(path)
    except NoNodeException:
        return []
