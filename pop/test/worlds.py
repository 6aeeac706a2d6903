"""A whole cluster in one process, in virtual time: agents on a ZooKeeper in memory."""

import json
import random
from typing import Any

from pop.agent import Agent
from pop.catalogue import Catalogue
from pop.cluster import Cluster
from pop.journal import Entry
from pop.model import AgentInfo, Machine, Service
from pop.namespace import init
from pop.paths import Paths
from pop.services.command import Command
from pop.tap import compose
from pop.testing import FakeBuilder, FakeFile, FakeProbes, FakeSpawner
from txzookeeper import ManagedClient
from txzookeeper.testing import MemoryServer

CATALOGUE = Catalogue({"command": Command()})


class Host:
    """One machine of a world, with its agent, its processes and its files.

    @ivar agent: the present or the last one.
    @ivar network: the agent's way to ZooKeeper.
    @ivar owner: whom its files belong to, besides the machine.
    @ivar boot: since when the machine has been up.
    """

    def __init__(
        self, world: "World", machine: str, pid: int, catalogue: Catalogue, state_id: str
    ) -> None:
        self.machine = machine
        self.spawner = FakeSpawner(world.clock)
        self.probes = FakeProbes(world.clock)
        self.builder = FakeBuilder()
        self.failures: list[Exception] = []
        self.session = FakeFile()
        self.snapshot = FakeFile()
        self.finished = FakeFile()
        self.journal: list[Entry] = []
        self.owner: dict[str, str] = {}
        self.boot = "b"
        self._world = world
        self._pid = pid
        self._catalogue = catalogue
        self._state_id = state_id
        self._make()

    def _make(self) -> None:
        self.network = self._world.server.network()
        self._keeps = False
        client = ManagedClient(
            self._world.server.servers,
            session_timeout=4000,
            reactor=self._world.clock,
            endpoint=self.network.endpoint,
            random=random.Random(self._pid),
        )
        self.agent: Agent = compose(
            cluster=Cluster(client, self._world.paths, self._world.clock),
            machine=Machine(self.machine),
            info=AgentInfo(self._pid, "host", f"/{self.machine}", self._state_id),
            spawner=self.spawner,
            builder=self.builder,
            probe=self.probes.probe,
            catalogue=self._catalogue,
            chance=random.Random(self._pid),
            wall=self._world.clock.seconds,
            failed=self.failures.append,
            session=self.session,
            snapshot=self.snapshot,
            finished=self.finished,
            owner=self.owner,
            boot=self.boot,
            keeps_services=lambda: self._keeps,
            journal=self.journal.append,
        )

    def leave(self) -> None:
        """End the agent, but not what it runs."""
        self.spawner.lose()
        self._keeps = True
        self._world.server.run(self.agent.stopService())

    def succeed(self, *, reachable: bool = True) -> None:
        """Begin another agent, on the same files.

        @param reachable: whether ZooKeeper is there.
        """
        self._pid += 100
        self._make()
        if not reachable:
            self.network.refuse_connections()
        self.agent.startService()
        self._world.server.settle()


class World:
    """A ZooKeeper, an administrator, and any number of machines."""

    def __init__(self, *, tick: int = 500) -> None:
        self.server = MemoryServer(tick=tick)
        self.clock = self.server.clock
        self.paths = Paths()
        self.network = self.server.network()
        client = ManagedClient(
            self.server.servers,
            session_timeout=4000,
            reactor=self.clock,
            endpoint=self.network.endpoint,
            random=random.Random(0),
        )
        self.server.run(client.connect())
        self.admin = Cluster(client, self.paths, self.clock)
        self.hosts: list[Host] = []

    def init(self) -> None:
        """Make the namespace."""
        self.server.run(init(self.admin, force=False, identity=None))

    def host(self, machine: str, catalogue: Catalogue = CATALOGUE, state_id: str = "s") -> Host:
        """Start an agent."""
        host = Host(self, machine, len(self.hosts) + 1, catalogue, state_id)
        self.hosts.append(host)
        host.agent.startService()
        self.server.settle()
        return host

    def add(self, name: str, *machines: str, **settings: Any) -> None:
        """Add a service and deploy it."""
        settings.setdefault("argv", f"run-{name}")
        self.server.run(self.admin.add(Service(name, "command", settings, machines)))

    def write(self, path: str, text: str) -> None:
        """Change a node by hand."""
        self.server.run(self.admin.client.set(path, text.encode()))

    def read(self, path: str) -> Any:
        """What a node holds, as JSON; L{None} if there is none."""
        node = self.server.run(self.admin.node(path))
        return json.loads(node[0]) if node else None

    def status(self, service: str, machine: str = "m1") -> Any:
        """What is reported of an instance."""
        return self.read(self.paths.status(service, machine))

    def phase(self, service: str, machine: str = "m1") -> str | None:
        """The phase of an instance; L{None} if nothing is reported."""
        status = self.status(service, machine)
        return status["phase"] if status else None

    def close(self) -> list[Any]:
        """End all of it; what is left on the clock."""
        for host in self.hosts:
            if host.agent.running:
                host.network.release()
                host.network.accept_connections()
                self.server.run(host.agent.stopService(), limit=300)
        self.server.run(self.admin.client.close())
        self.server.close()
        return list(self.clock.getDelayedCalls())
