"""Agents that can be killed within one process: their time ends, and their connections close."""

import random
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import Clock
from zope.interface import implementer

from pop.agent import Agent
from pop.catalogue import Catalogue
from pop.cluster import Cluster
from pop.model import AgentInfo, Machine
from pop.services.command import Command
from pop.tap import compose
from pop.test.worlds import World
from pop.testing import FakeBuilder, FakeFile, FakeProbes, FakeSpawner
from txzookeeper import ManagedClient

CATALOGUE = Catalogue({"command": Command()})


@implementer(IReactorTime)
class MortalClock:
    """The time of one agent, in which nothing happens any more when that is killed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._alive = True

    def die(self) -> None:
        """From now on nothing comes of what was planned, nor of what will be."""
        self._alive = False

    def seconds(self) -> float:
        """See L{IReactorTime}."""
        return float(self._clock.seconds())

    def callLater(
        self, delay: float, callable: Callable[..., object], *args: Any, **kw: Any
    ) -> IDelayedCall:
        """See L{IReactorTime}."""
        return self._clock.callLater(delay, self._happen, callable, args, kw)

    def getDelayedCalls(self) -> list[IDelayedCall]:
        """See L{IReactorTime}."""
        return list(self._clock.getDelayedCalls())

    def _happen(self, callable: Callable[..., object], args: Any, kw: Any) -> None:
        if self._alive:
            callable(*args, **kw)


class Host:
    """A machine that outlives its agents: its processes, its files and its cable.

    @ivar agent: L{None} while none runs.
    @ivar failures: why agents could not do their work.
    @ivar keeps_services: whether the stop of an agent leaves its services running.
    @ivar boots: how often the machine was started.
    """

    def __init__(
        self, world: World, name: str, spawner: FakeSpawner, chance: random.Random
    ) -> None:
        self.name = name
        self.world = world
        self.spawner = spawner
        self.probes = FakeProbes(world.clock)
        self.session = FakeFile()
        self.snapshot = FakeFile()
        self.finished = FakeFile()
        self.keeps_services = False
        self.boots = 1
        self.agent: Agent | None = None
        self.failures: list[Exception] = []
        self.is_cut = False
        self.network = world.server.network()
        self._chance = chance
        self._clock = MortalClock(world.clock)
        self._pid = 0

    def start(self) -> None:
        """Start an agent, which finds what the one before has left."""
        self._pid += 1
        self._clock = clock = MortalClock(self.world.clock)
        self.network = self.world.server.network()
        if self.is_cut:
            self.network.hold()
        client = ManagedClient(
            self.world.server.servers,
            session_timeout=4000,
            reactor=clock,
            endpoint=self.network.endpoint,
            random=random.Random(self._chance.random()),
        )
        self.agent = compose(
            cluster=Cluster(client, self.world.paths, clock),
            machine=Machine(self.name),
            info=AgentInfo(self._pid, "host", f"/{self.name}", f"state-{self.name}"),
            spawner=self.spawner,
            builder=FakeBuilder(),
            probe=self.probes.probe,
            catalogue=CATALOGUE,
            chance=random.Random(self._chance.random()),
            wall=clock.seconds,
            failed=self.failures.append,
            session=self.session,
            snapshot=self.snapshot,
            finished=self.finished,
            owner={},
            boot=str(self.boots),
            keeps_services=lambda: self.keeps_services,
        )
        self.agent.startService()

    def kill(self) -> None:
        """C{kill -9}: its processes and its session go on, its connections are closed."""
        self._clock.die()
        self.agent = None
        self.spawner.lose()
        self.network.hold()  # nothing reaches the dead
        if not self.is_cut:
            self.network.drop_connections()
        self.network = self.world.server.network()

    def reboot(self) -> None:
        """The machine falls, and nothing of what it ran is left."""
        if self.agent:
            self.kill()
        self.spawner.reboot()
        self.boots += 1

    def stop(self, *, keep: bool = False) -> None:
        """Stop the agent, with what it runs or without; that takes as long as it takes."""
        assert self.agent is not None
        self.keeps_services = keep
        self.world.server.run(self.agent.stopService(), limit=60)
        self.agent = None
        if keep:
            self.spawner.lose()

    def cut(self) -> None:
        """Pull the cable."""
        self.is_cut = True
        self.network.hold()

    def mend(self) -> None:
        """Put it in again."""
        self.is_cut = False
        self.network.release()
