"""Three machines whose service restarts one batch after the other, in virtual time."""

from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pop.test.worlds import World
from pop.testing import FakeProcess

MACHINES = ("m1", "m2", "m3")


class RollingTestCase(SynchronousTestCase):
    """Three machines and a service that rolls."""

    def setUp(self) -> None:
        self.world = World()
        self.world.init()
        self.hosts = {name: self.world.host(name, state_id=name) for name in MACHINES}
        self.addCleanup(self.close)

    def close(self) -> None:
        """Nothing is left on the clock."""
        self.assertEqual([], self.world.close())
        self.assertEqual([], self.flushLoggedErrors())

    def add(self, *, batch: int | None = 1, **settings: Any) -> None:
        """A service that is ready, be it that it says so itself, as it does by default."""
        self.settings = {"notify": True, "start_timeout": 5.0, "roll_batch": batch, **settings}
        self.world.add("web", *MACHINES, **self.settings)
        self.world.server.settle()
        if self.settings["notify"]:
            for name in MACHINES:
                self.ready(name)

    def set(self, **settings: Any) -> None:
        """Change its settings."""
        self.settings |= settings
        change = {"argv": "run-web", **self.settings}
        self.world.server.run(
            self.world.admin.change("web", lambda service: replace(service, settings=change))
        )
        self.world.server.advance(0.5)

    def aim(self, batch: int) -> None:
        """Ask for a restart."""
        self.world.server.run(
            self.world.admin.aim(
                "web", lambda t: replace(t, generation=t.generation + 1, batch=batch)
            )
        )
        self.world.server.advance(0.5)

    def process(self, name: str) -> FakeProcess:
        """What runs, or ran last, on a machine."""
        return self.hosts[name].spawner["web"]

    def ready(self, *names: str) -> None:
        """They say that they are."""
        for name in names:
            self.process(name).notify()
        self.world.server.advance(0.5)

    def argvs(self) -> list[str]:
        """What was last started on each machine."""
        return [self.process(name).launch.program.argv[0] for name in MACHINES]

    def starts(self) -> list[int]:
        """How often something was started on each."""
        return [len(self.hosts[name].spawner.spawned) for name in MACHINES]

    def progress(self) -> Any:
        """What lies in ZooKeeper."""
        return self.world.read(self.world.paths.roll("web"))

    def waiting(self) -> list[str]:
        """Who waits for a turn."""
        path = self.world.paths.roll("web")
        listed: list[str] = self.world.server.run(self.world.admin.client.get_children(path))
        return sorted(listed)
