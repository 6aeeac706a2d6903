"""What stories are about: machines with agents, a ZooKeeper, and what operators want of them."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from twisted.internet.protocol import ProcessProtocol

from pop.model import Service
from pop.program import Launch
from pop.slots import service_of
from pop.test.mortals import Host
from pop.test.worlds import World
from pop.testing import FakeProcess, FakeSpawner
from txzookeeper.testing.memory import Network

MACHINES = ("m1", "m2")
SERVICES = ("web", "db", "job")


class Watched(FakeSpawner):
    """A spawner whose processes behave as a story has it, and which knows what must not be."""

    def __init__(self, estate: "Estate", machine: str) -> None:
        super().__init__(estate.world.clock)
        self._estate = estate
        self._machine = machine

    def spawn(self, name: str, launch: Launch, protocol: ProcessProtocol) -> FakeProcess:
        """See L{ISpawner.spawn}."""
        if any(process.name == name for process in self.running()):
            self._estate.wrong(f"a second copy of {name} on {self._machine}")
        process = super().spawn(name, launch, protocol)
        process.stubborn = self._estate.chance.random() < 0.4
        if launch.program.notifies:
            self._estate.later(self._estate.chance.uniform(0.05, 1.0), self.talk, process)
        return process

    def talk(self, process: FakeProcess) -> None:
        """It says that it is ready, unless it hangs."""
        if process.alive and service_of(process.name) not in self._estate.hanging:
            process.notify()


@dataclass
class Figures:
    """What a story came to."""

    accidents: int = 0
    processes: int = 0
    seconds: float = 0.0
    told: list[str] = field(default_factory=list)


class Estate:
    """All that a story is about.

    @ivar wanted: what the operators want, by service.
    @ivar hanging: services whose programs never become ready.
    @ivar look: called all the while that time passes.
    @ivar wrongs: what happened and must not.
    """

    def __init__(
        self,
        seed: int,
        machines: tuple[str, ...] = MACHINES,
        spawner: "Callable[[Estate, str], FakeSpawner]" = Watched,
    ) -> None:
        self.machines = machines
        self.chance = random.Random(seed)
        self.world = World(tick=2000)
        self.world.init()
        self.wanted: dict[str, Service] = {}
        self.hanging: set[str] = set()
        self.server_down = False
        self.look: Callable[[], object] = lambda: None
        self.wrongs: list[str] = []
        self.figures = Figures()
        self.hosts = {
            name: Host(self.world, name, spawner(self, name), self.chance) for name in machines
        }

    @property
    def now(self) -> float:
        """The time."""
        return float(self.world.clock.seconds())

    def some_host(self) -> Host:
        """Any machine."""
        return self.hosts[self.chance.choice(self.machines)]

    def networks(self) -> Iterator[Network]:
        """Every way to ZooKeeper."""
        yield self.world.network
        for host in self.hosts.values():
            yield host.network

    def say(self, text: str) -> None:
        """Go on with the story."""
        self.figures.told.append(f"{self.now:8.2f}  {text}")

    def wrong(self, text: str) -> None:
        """Something that must not happen did."""
        self.say(f"WRONG: {text}")
        self.wrongs.append(text)

    def later(self, delay: float, call: Callable[..., object], *args: object) -> None:
        """Have something happen in a while."""
        self.world.clock.callLater(delay, call, *args)

    def advance(self, seconds: float) -> None:
        """Let time pass, looking all the while."""
        end = self.now + seconds
        while True:
            self.look()
            left = end - self.now
            if left <= 0:
                return
            self.world.server.advance(min(1.0, left))

    def close(self) -> None:
        """End all of it."""
        for host in self.hosts.values():
            if host.agent:
                host.stop()
        self.world.close()


def check_of(service: str) -> str:
    """Where a service's health is looked at."""
    return f"tcp:{8000 + SERVICES.index(service)}"
