"""A whole cluster in one process, in virtual time: agents on a ZooKeeper in memory."""

import json
import random
from typing import Any

from pop.agent import Agent
from pop.catalogue import Catalogue
from pop.cluster import Cluster
from pop.model import AgentInfo, Machine, Service
from pop.namespace import init
from pop.paths import Paths
from pop.services.command import Command
from pop.tap import compose
from pop.testing import FakeProbes, FakeSpawner
from txzookeeper import ManagedClient
from txzookeeper.testing import MemoryServer

CATALOGUE = Catalogue({"command": Command()})


class Host:
    """One machine of a world, with its agent and its processes."""

    def __init__(
        self, world: "World", machine: str, pid: int, catalogue: Catalogue, state_id: str
    ) -> None:
        self.machine = machine
        self.network = world.server.network()
        self.spawner = FakeSpawner(world.clock)
        self.probes = FakeProbes(world.clock)
        self.failures: list[Exception] = []
        client = ManagedClient(
            world.server.servers,
            session_timeout=4000,
            reactor=world.clock,
            endpoint=self.network.endpoint,
            random=random.Random(pid),
        )
        self.agent: Agent = compose(
            cluster=Cluster(client, world.paths, world.clock),
            machine=Machine(machine),
            info=AgentInfo(pid, "host", f"/{machine}", state_id),
            spawner=self.spawner,
            probe=self.probes.probe,
            catalogue=catalogue,
            chance=random.Random(pid),
            wall=world.clock.seconds,
            failed=self.failures.append,
        )


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
