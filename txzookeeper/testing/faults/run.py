"""One run: some actors, random deeds, random trouble, and a reckoning.

In memory the seed decides everything; on a real server it decides all but the timing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Any, Final

from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from zope.interface import implementer

from txzookeeper.client import ZookeeperClient
from txzookeeper.testing.faults.actor import Actor
from txzookeeper.testing.faults.claims import Stats
from txzookeeper.testing.faults.deeds import (
    ACTORS,
    BACKGROUND,
    EPHEMERALS,
    FLICKERING,
    FOREGROUND,
    SEQUENCE,
    SHARED,
)
from txzookeeper.testing.faults.ledger import Ledger
from txzookeeper.testing.faults.trouble import Trouble
from txzookeeper.testing.world import MemoryWorld, RealWorld, World

STEPS: Final = 25
"""How many deeds each actor begins."""


class Run:
    """A run; ``seed`` makes its chance, ``complaints`` say in the end what was not kept."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.complaints: list[str] = []
        self.ledger = Ledger()
        self.trouble = Trouble(Random(f"trouble {seed}"))
        self._actors: list[Actor] = []

    async def promise(self, world: World) -> None:
        """Every Deferred fires once, and no acknowledged write and no watch is lost."""
        keeper = await world.connect(direct=True)
        self._actors = [self._actor(number, world) for number in range(ACTORS)]
        if isinstance(world, MemoryWorld):
            for actor in self._actors:
                actor.witness = partial(_is_there, world)
        await self._prepare(keeper)
        await gatherResults([Deferred.fromCoroutine(self._act(each)) for each in self._actors])
        self.trouble.calm()
        await self.ledger.at_rest()
        await gatherResults([Deferred.fromCoroutine(each.settle()) for each in self._actors])
        await self.ledger.at_rest()
        await self._verify(keeper)
        await gatherResults([Deferred.fromCoroutine(each.end()) for each in self._actors])
        await self._verify_end(world, keeper)

    def close(self) -> Run:
        """Reckon up, when all is over; gives the run itself."""
        self.complaints = [f"seed {self.seed}: {each}" for each in self.ledger.close()]
        return self

    def _actor(self, number: int, world: World) -> Actor:
        chance = Random(f"actor {number} of {self.seed}")
        return Actor(number, world, chance, self.ledger, hasty=not self.trouble.repeating)

    async def _prepare(self, keeper: ZookeeperClient) -> None:
        paths = [path for path, _ in self._registers()]
        paths += [f"/last-{actor.number}" for actor in self._actors]
        for path in [*paths, SHARED, EPHEMERALS, SEQUENCE]:
            await keeper.create(path, b"0")

    async def _act(self, actor: Actor) -> None:
        await actor.begin()
        deeds, weights = [*BACKGROUND, *FOREGROUND], [*BACKGROUND.values(), *FOREGROUND.values()]
        for [deed] in (actor.chance.choices(deeds, weights) for _ in range(STEPS)):
            if actor.client.unrecoverable:
                await actor.begin()
            if deed in FOREGROUND:
                await deed(actor)
            else:
                self.ledger.begin(deed.__name__, deed(actor))
            await actor.world.sleep(actor.chance.choice([0, 0, 0.01, 0.1, 0.3]))

    def _registers(self) -> Iterator[tuple[str, Any]]:
        for actor in self._actors:
            for register in actor.registers:
                for path in register.paths:
                    yield path, register

    async def _verify(self, keeper: ZookeeperClient) -> None:
        # On an ensemble a write is what makes the keeper see all that was acknowledged to others.
        await keeper.set("/last-0")
        values = {path: int((await keeper.get(path))[0]) for path, _ in self._registers()}
        stats: Stats = {path: await keeper.exists(path) for path in self._paths()}
        for actor in self._actors:
            for register in actor.registers:
                self._complain(register.verify([values[path] for path in register.paths]))
            for made in actor.made:
                self._complain(made.verify(stats[made.path]))
            for watch in actor.watches:
                exactly = not self.trouble.repeated_down
                self._complain(watch.verify(stats[watch.path], exactly))
            for view in actor.views:
                self._complain(view.verify(stats))

    def _paths(self) -> set[str]:
        paths = {path for path, _ in self._registers()} | {SHARED, EPHEMERALS, *FLICKERING}
        for actor in self._actors:
            paths |= {made.path for made in actor.made}
        return paths

    async def _verify_end(self, world: World, keeper: ZookeeperClient) -> None:
        # A session whose closing was lost in the trouble lives on for its time-out.
        for _ in range(10):
            left = await keeper.get_children(EPHEMERALS)
            if not left:
                return
            await world.sleep(1)
        self.ledger.complain(f"All clients are closed, and their nodes are there: {left}.")

    def _complain(self, complaints: Iterator[str]) -> None:
        for complaint in complaints:
            self.ledger.complain(complaint)


def _is_there(world: MemoryWorld, path: str) -> bool:
    return world.root + path in world.server.server.tree.nodes


@implementer(ILogObserver)
class Errors:
    """Sees every error that is logged while it is entered: ``seen`` holds what they say."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        """Take an event."""
        if event["log_level"] >= LogLevel.error:
            failure = event.get("log_failure")
            self.seen.append(failure.getTraceback() if failure else str(event.get("log_format")))

    def __enter__(self) -> Errors:
        globalLogPublisher.addObserver(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        globalLogPublisher.removeObserver(self)


def run_in_memory(seed: int) -> Run:
    """Do one run in memory and virtual time."""
    run = Run(seed)
    with Errors() as errors:
        try:
            MemoryWorld(run.trouble).run(run.promise)
        except Exception as error:
            run.ledger.complain(f"{error!r} while this went on: {run.ledger.unfinished()}")
    for error_seen in errors.seen:
        run.ledger.complain(f"An error was logged: {error_seen}")
    return run.close()


async def run_for_real(seed: int, reactor: Any, servers: str, limit: float = 120) -> Run:
    """Do one run against real servers, through a TCP proxy.

    One that is not over after ``limit`` seconds never will be.
    """
    run = Run(seed)
    try:
        await RealWorld(reactor, servers, run.trouble).run(run.promise).addTimeout(limit, reactor)
    except Exception as error:
        run.ledger.complain(f"{error!r} while this went on: {run.ledger.unfinished()}")
    return run.close()
