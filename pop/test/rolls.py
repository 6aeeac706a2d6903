"""Stories of a service that rolls, on machines in trouble, in virtual time.

C{python -m pop.test.rolls --seeds 0:1000} tells that many. In each, the service's settings are
changed again and again, now and then to some with which it never becomes ready, while agents die
and connections break. By the roll, never more machines may be out of service than a batch has;
and in the end all run what is wanted.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from twisted.internet.protocol import ProcessProtocol

from pop.model import Service
from pop.program import Launch
from pop.readiness import SETTLES
from pop.test.accidents import Accidents
from pop.test.estates import Estate, Figures
from pop.test.promises import WrongTurn
from pop.test.telling import tell_all
from pop.testing import FakeProcess, FakeSpawner
from txzookeeper.errors import ConnectionLossException

MACHINES = ("m1", "m2", "m3", "m4")
CHAPTERS = 2
TROUBLES = 20
"""In each chapter."""
BOUND = 120.0
"""Seconds after the last accident within which all machines have had their turn."""
GRACE = 1.0


class Rolled(FakeSpawner):
    """A spawner that knows whether its machine is out of service by a roll.

    @ivar started: called whenever something was.

    A process that was ready is stopped for nothing else here; what follows it is out of service
    until it is ready, even if it ends and is started once more.
    """

    def __init__(self, estate: Estate, machine: str) -> None:
        super().__init__(estate.world.clock)
        self._estate = estate
        self._machine = machine
        self._ready: set[int] = set()
        self._by_roll: set[int] = set()
        self.started: Callable[[], None] = lambda: None

    def spawn(self, name: str, launch: Launch, protocol: ProcessProtocol) -> FakeProcess:
        """See L{pop.interfaces.ISpawner.spawn}."""
        if self.running():
            self._estate.wrong(f"a second copy of {name} on {self._machine}")
        rolled = self.is_out
        process = super().spawn(name, launch, protocol)
        self._estate.say(f"{self._machine} starts {launch.program.argv[0]}")
        if rolled:
            self._by_roll.add(process.pid)
        process.stubborn = self._estate.chance.random() < 0.2
        self._begin(process, "good" in launch.program.argv[0])
        self.started()
        return process

    def _begin(self, process: FakeProcess, good: bool) -> None:
        """See what it does next."""
        later, chance = self._estate.later, self._estate.chance
        if not process.launch.program.notifies:
            later(SETTLES, self._settle, process)
        elif good:
            later(chance.uniform(0.05, 2.0), self._talk, process)
        elif chance.random() < 0.5:
            later(chance.uniform(0.0, 2.0), self._fail, process)

    def _settle(self, process: FakeProcess) -> None:
        """It has not ended so far."""
        if process.alive and not process.signals:
            self._ready.add(process.pid)

    def _talk(self, process: FakeProcess) -> None:
        """It says that it is ready, and again if nobody hears that."""
        if process.alive and process.protocol is None:
            self._estate.later(0.5, self._talk, process)
        elif process.alive and not process.signals:
            self._ready.add(process.pid)
            process.notify()

    def _fail(self, process: FakeProcess) -> None:
        if process.alive:
            process.exit(3)

    @property
    def is_out(self) -> bool:
        """Whether it is out of service by a roll."""
        if not self.spawned:
            return False
        last = self.spawned[-1]
        if last.pid in self._ready:
            return bool(last.signals)
        return last.pid in self._by_roll


class RollStory:
    """One service, from its beginning to its end.

    @ivar batch: machines that may be out of service at a time.
    @ivar talks: whether it says that it is ready. What does not is never bad here: it is known
        to be out of service only as far as its agent lives.
    """

    def __init__(self, seed: int) -> None:
        self.estate = Estate(seed, MACHINES, Rolled)
        self.batch = self.estate.chance.choice((1, 1, 2, 3))
        self.talks = self.estate.chance.random() < 0.6
        self.estate.look = self.check
        for host in self.estate.hosts.values():
            assert isinstance(host.spawner, Rolled)
            host.spawner.started = self.look
        self._accidents = Troubles(self.estate, self.change)
        self._count = 0
        self._wanted = ""

    def tell(self) -> Figures:
        """All of it.

        @raise WrongTurn: something that must not happen did.
        """
        estate = self.estate
        estate.say(f"at most {self.batch} may be out of service")
        for host in estate.hosts.values():
            host.start()
        self.add()
        for _ in range(CHAPTERS):
            self._tell_chapter()
        estate.close()
        estate.figures.seconds = estate.now
        estate.figures.processes = sum(len(h.spawner.spawned) for h in estate.hosts.values())
        return estate.figures

    def add(self) -> None:
        """Have the service run everywhere."""
        service = Service("web", "command", self._settings("good"), MACHINES)
        self._ask(lambda: self.estate.world.admin.add(service))
        self.estate.advance(10)

    def _tell_chapter(self) -> None:
        estate = self.estate
        for _ in range(TROUBLES):
            self._accidents.happen()
            pause = estate.chance.choice((0.0, 0.1, 0.5, 1.0, estate.chance.uniform(0, 10)))
            estate.advance(pause)
        estate.say("all is well from now on")
        self._accidents.heal()
        self._set("good")
        estate.advance(BOUND)
        self.check_end()

    def change(self) -> None:
        """An operator wants something else, if ZooKeeper is there."""
        if not self.estate.server_down:
            kinds = ("good", "good", "bad" if self.talks else "good", "restart")
            kind = self.estate.chance.choice(kinds)
            self._restart() if kind == "restart" else self._set(kind)

    def _settings(self, kind: str) -> dict[str, Any]:
        self._count += 1
        self._wanted = f"{kind}-{self._count}"
        common = {"notify": self.talks, "grace_period": GRACE, "start_timeout": 4.0}
        return {"argv": self._wanted, "roll_batch": self.batch, **common}

    def _set(self, kind: str) -> None:
        text = json.dumps(self._settings(kind))
        self.estate.say(f"{self._wanted} is wanted")
        paths, client = self.estate.world.paths, self.estate.world.admin.client
        self._ask(lambda: client.set(paths.settings("web"), text.encode()))

    def _restart(self) -> None:
        self._count += 1
        target = json.dumps({"generation": self._count, "batch": self.batch})
        self.estate.say(f"a restart is wanted: {target}")
        paths, client = self.estate.world.paths, self.estate.world.admin.client
        self._ask(lambda: client.set(paths.target("web"), target.encode()))

    def _ask(self, work: Any) -> None:
        for _ in range(10):
            try:
                self.estate.world.server.run(work(), limit=30)
                return
            except ConnectionLossException:
                continue
        self.estate.wrong("the operator was not heard")

    def check(self) -> None:
        """What must always hold.

        @raise WrongTurn: it did not.
        """
        self.look()
        if self.estate.wrongs:
            raise WrongTurn("; ".join(self.estate.wrongs))

    def look(self) -> None:
        """See whether it does."""
        out = [
            name
            for name, host in self.estate.hosts.items()
            if isinstance(host.spawner, Rolled) and host.spawner.is_out
        ]
        if len(out) > self.batch:
            self.estate.wrong(f"out of service by the roll: {out}")
        failures = [failure for host in self.estate.hosts.values() for failure in host.failures]
        if failures:
            self.estate.wrong(f"agents gave up: {failures}")

    def check_end(self) -> None:
        """What must hold once all have had their turn."""
        world = self.estate.world
        for name, host in self.estate.hosts.items():
            running = [process.launch.program.argv[0] for process in host.spawner.running()]
            if running != [self._wanted] or world.phase("web", name) != "ready":
                self.estate.wrong(f"on {name} is {running}, {world.status('web', name)}")
        path = world.paths.roll("web")
        progress = world.read(path)
        waiting: list[str] = (
            world.server.run(world.admin.client.get_children(path)) if progress else []
        )
        if waiting or (progress and progress["going"]):
            self.estate.wrong(f"the roll is not over: {progress}, {waiting}")
        self.check()


class Troubles(Accidents):
    """Accidents that leave a service as it is, unless its process ends or its machine falls."""

    def happen(self) -> None:
        """One of them."""
        happen = self._estate.chance.choice(
            (
                *(self._operate,) * 6,
                *(self._crash, self._kill_agent, self._kill_agent, self._start_agents),
                *(self._reboot, self._cut, self._drop, self._expire, self._stop_server),
                *(self._mend,) * 2,
            )
        )
        self._estate.figures.accidents += 1
        happen()

    def heal(self) -> None:
        """All of them are over; what never becomes ready still does not."""
        self._mend()
        self._start_agents()


if __name__ == "__main__":
    sys.exit(tell_all("pop.test.rolls", RollStory, sys.argv[1:]))
