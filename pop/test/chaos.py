"""Chaos on real processes and a real ZooKeeper: C{python -m pop.test.chaos --seed N --seconds S}.

Two agents run the same services beside each other, and everything that can happen to them does:
agents, children and the ZooKeeper are killed and stopped by signals, connections break or let
nothing through, the disk of the logs is full, and what is wanted changes all the while. It is seen
from outside that there are never two copies of an instance, nor any for long where it is not
wanted. After each burst everything must become as it should be. In every second one neither
children nor wishes are touched: then all children must run on as if nothing happened. At the end no
line may be missing in any log. The seed decides what happens; when exactly is up to the machine.
"""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import Random

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import LoopingCall, react
from twisted.internet.threads import deferToThread

from pop.test.chaos_judge import Broken, Judge
from pop.test.chaos_world import MANNERS, SESSION, Machine, World

LOOK = 0.03
BURST = 12.0
Deed = Callable[[Random], Awaitable[None]]


class Chaos:
    """What is done to a world."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._seed = seed
        self._judge = Judge(world)
        self._end = 0.0
        self._broken: Broken | None = None

    async def run(self, seconds: float) -> None:
        """Have bursts of trouble for about so long, each followed by peace.

        @raise Broken: something did not hold.
        """
        world = self._world
        await world.begin()
        looking = LoopingCall(self._look)
        looking.clock = world.clock
        looking.start(LOOK)
        try:
            await self._judge.settle()
            end = world.clock.seconds() + seconds
            turn = 0
            while world.clock.seconds() < end:
                turn += 1
                before, touching = set(world.look()), turn % 2 == 1
                await self._burst(turn, min(BURST, end - world.clock.seconds()), touching)
                await self._judge.settle()
                if not touching:
                    self._judge.expect_the_same(before)
                world.tell("everything is as it should be")
        finally:
            looking.stop()
        await self._stop()

    def _look(self) -> None:
        try:
            self._judge.look()
        except Broken as error:
            self._broken = self._broken or error
            self._end = 0.0

    async def _burst(self, turn: int, seconds: float, touching: bool) -> None:
        """Have all sorts of trouble at once.

        @param touching: whether children are touched, and what is wanted.
        """
        self._world.tell(f"burst {turn}" + ", which no child may notice" * (not touching))
        self._end = self._world.clock.seconds() + seconds
        deeds: dict[str, tuple[float, list[Deed]]] = {
            "server": (8.0, [self._kill_server, self._pause_server]),
        }
        if touching:
            deeds["wishes"] = (1.0, [self._change])
            deeds["children"] = (1.5, [self._kill_child, self._pause_child])
        for machine in self._world.machines.values():
            here = Upon(self._world, machine)
            deeds[f"agent of {machine.id}"] = (
                4.0,
                [here.kill, here.kill, here.replace, here.pause],
            )
            deeds[f"way of {machine.id}"] = (5.0, [here.cut, here.hold, here.refuse])
            if machine.mounted:
                deeds[f"disk of {machine.id}"] = (6.0, [here.fill])
        await gatherResults(
            [
                Deferred.fromCoroutine(self._again(Random(f"{self._seed} {turn} {name}"), *what))
                for name, what in deeds.items()
            ],
            consumeErrors=True,
        )
        if self._broken:
            raise self._broken

    async def _again(self, chance: Random, mean: float, deeds: list[Deed]) -> None:
        """Do one of these now and then, until the burst is over."""
        while True:
            pause = chance.expovariate(1 / mean)
            if self._world.clock.seconds() + pause > self._end:
                return
            await self._world.pause(pause)
            await chance.choice(deeds)(chance)

    async def _change(self, chance: Random) -> None:
        """Want something else of a service."""
        name = chance.choice(sorted(MANNERS))
        wish = self._world.wishes[name]
        what = chance.choice(["settings", "settings", "machines", "run", "generation"])
        if what == "settings":
            wish.version += 1
        elif what == "machines":
            wish.machines ^= {chance.choice(sorted(self._world.machines))}
        elif what == "run":
            wish.run = not wish.run
        else:
            wish.generation += 1
        where = ", ".join(sorted(wish.machines))
        self._world.tell(f"{name}: {what} -> v{wish.version}, run={wish.run}, on {where or '-'}")
        await self._world.wish(name)

    async def _kill_child(self, chance: Random) -> None:
        if found := [each for each in self._world.look() if not each.kin]:
            seen = chance.choice(sorted(found, key=str))
            self._world.tell(f"kill -9 {seen}")
            _send(seen.pid, signal.SIGKILL)

    async def _pause_child(self, chance: Random) -> None:
        if found := self._world.look():
            seen = chance.choice(sorted(found, key=str))
            with self._world.trouble(f"SIGSTOP {seen}"):
                _send(seen.pid, signal.SIGSTOP)
                await self._world.pause(chance.uniform(0.1, 3))
                _send(seen.pid, signal.SIGCONT)

    async def _kill_server(self, chance: Random) -> None:
        world = self._world
        with world.trouble("kill -9 ZooKeeper", *world.cut_all()):
            await deferToThread(world.server.kill)
            await world.pause(chance.uniform(0, 6))
        with world.trouble("ZooKeeper starts", *world.unsure_all()):
            await deferToThread(world.server.start)

    async def _pause_server(self, chance: Random) -> None:
        world = self._world
        with world.trouble("SIGSTOP ZooKeeper", *world.cut_all()):
            world.server.pause()
            await world.pause(chance.uniform(0.1, 6))
            world.server.resume()

    async def _stop(self) -> None:
        """Have the agents stop, and look what is left."""
        self._world.tell("the agents are asked to stop")
        for machine in self._world.machines.values():
            machine.signal(signal.SIGTERM)
        for machine in self._world.machines.values():
            assert machine.agent is not None
            status = await deferToThread(machine.agent.wait, 60)
            if status:
                raise Broken(f"the agent of {machine.id} ended with status {status}")
        await self._judge.stopped()


PATIENCE = 60.0
"""Seconds until an agent that was asked to leave must have left."""


class Upon:
    """What may befall one machine."""

    def __init__(self, world: World, machine: Machine) -> None:
        self._world = world
        self._machine = machine

    async def kill(self, chance: Random) -> None:
        """Its agent is killed, and another one started."""
        with self._world.trouble(f"kill -9 the agent of {self._machine.id}", self._machine.ill):
            self._machine.signal(signal.SIGKILL)
            assert self._machine.agent is not None
            await deferToThread(self._machine.agent.wait)
            await self._world.pause(chance.choice([0, chance.uniform(0, 2), chance.uniform(2, 6)]))
            self._machine.start()

    async def replace(self, chance: Random) -> None:
        """Its agent leaves and lets the services be, or becomes a new version of itself."""
        upgrade = chance.choice([True, False])
        what = "upgrade" if upgrade else "replace"
        with self._world.trouble(f"{what} the agent of {self._machine.id}", self._machine.ill):
            self._machine.signal(signal.SIGUSR2 if upgrade else signal.SIGQUIT)
            assert self._machine.agent is not None
            if upgrade:
                await self._world.pause(1)
            else:
                await deferToThread(self._machine.agent.wait, PATIENCE)
            if self._machine.agent.poll() is not None:  # or it had not begun to heed signals yet
                self._machine.start()

    async def pause(self, chance: Random) -> None:
        """Its agent stands still, perhaps until its session is over."""
        with self._world.trouble(f"SIGSTOP the agent of {self._machine.id}", self._machine.ill):
            self._machine.signal(signal.SIGSTOP)
            await self._world.pause(chance.uniform(0.1, 6))
            self._machine.signal(signal.SIGCONT)

    async def cut(self, _: Random) -> None:
        """Its connections break, and it may have another at once."""
        with self._world.trouble(f"cut the connection of {self._machine.id}", self._machine.cut):
            self._machine.way.drop_connections()

    async def hold(self, chance: Random) -> None:
        """Nothing gets through, and nobody is told."""
        with self._world.trouble(f"hold what {self._machine.id} sends and gets", self._machine.cut):
            self._machine.way.hold()
            await self._world.pause(chance.choice([chance.uniform(0.1, 6), 2 * SESSION]))
            self._machine.way.release()

    async def refuse(self, chance: Random) -> None:
        """Its connections break, and it gets no other."""
        with self._world.trouble(f"refuse {self._machine.id} at ZooKeeper", self._machine.cut):
            await self._machine.way.refuse_connections()
            self._machine.way.drop_connections()
            await self._world.pause(chance.choice([chance.uniform(0.1, 6), 2 * SESSION]))
            self._machine.way.accept_connections()

    async def fill(self, chance: Random) -> None:
        """There is no room for logs."""
        with self._world.trouble(f"fill the disk of {self._machine.id}'s logs", self._machine.full):
            self._machine.fill()
            await self._world.pause(chance.uniform(0.1, 3))
            self._machine.make_room()


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def main() -> None:
    """Run it, and tell the whole story if something did not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    # What a shell puts into the background ignores it, and so would agents that have just begun.
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    react(lambda reactor: Deferred.fromCoroutine(_run(reactor, arguments)))


async def _run(reactor: object, arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="chaos-") as directory:
        world = World(reactor, Path(directory), arguments.seed)
        try:
            await Chaos(world, arguments.seed).run(arguments.seconds)
            print(f"seed {arguments.seed}: all is well after {world.summary()}")
        except Exception as error:
            print(*world.story, sep="\n")
            for machine in world.machines.values():
                print(f"\nThe last words of {machine.id}:\n{machine.last_words()}")
            print(f"\nseed {arguments.seed}: {error}", flush=True)
            if not isinstance(error, Broken):
                raise
            sys.exit(1)
        finally:
            await world.close()


if __name__ == "__main__":
    main()
