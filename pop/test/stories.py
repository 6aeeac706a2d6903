"""Stories of clusters in trouble: machines, operators and accidents by chance, in virtual time.

C{python -m pop.test.stories --seeds 0:5000} tells that many; each is told the same again by its
number. What must always hold is looked at all the while, and what must come true once the
accidents are over, at the end of each chapter.
"""

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from time import perf_counter  # how long stories take is what is measured
from typing import Any

from twisted.internet.protocol import ProcessProtocol

from pop.model import Service, Target
from pop.program import Launch
from pop.slots import service_of, slots
from pop.test.mortals import CATALOGUE, Host
from pop.test.worlds import World
from pop.testing import HANGS, FakeProcess, FakeSpawner
from txzookeeper.errors import ConnectionLossException

MACHINES = ("m1", "m2")
SERVICES = ("web", "db", "job")
GRACE = 2.0
CHAPTERS = 2
ACCIDENTS = 8
"""In each chapter."""
BOUND = 80.0
"""Seconds after the last accident within which all is well: a failed one's trial, and a start."""
STOP_BOUND = 15.0
"""Seconds within which what is not wanted has gone: an agent has noticed, and stopped it."""


class WrongTurn(AssertionError):
    """Something happened that must not."""


class Watched(FakeSpawner):
    """A spawner whose processes behave as a story has it, and which knows what must not be."""

    def __init__(self, story: "Story", machine: str) -> None:
        super().__init__(story.world.clock)
        self._story = story
        self._machine = machine

    def spawn(self, name: str, launch: Launch, protocol: ProcessProtocol) -> FakeProcess:
        """See L{ISpawner.spawn}."""
        if any(process.name == name for process in self.running()):
            self._story.wrong(f"a second copy of {name} on {self._machine}")
        process = super().spawn(name, launch, protocol)
        process.stubborn = self._story.chance.random() < 0.2
        if launch.program.notifies:
            self._story.later(self._story.chance.uniform(0.05, 1.0), self.talk, process)
        return process

    def talk(self, process: FakeProcess) -> None:
        """It says that it is ready, unless it hangs."""
        if process.alive and service_of(process.name) not in self._story.hanging:
            process.notify()


@dataclass
class Figures:
    """What a story came to."""

    accidents: int = 0
    processes: int = 0
    seconds: float = 0.0
    told: list[str] = field(default_factory=list)


class Story:
    """One cluster, from its beginning to its end.

    @ivar wanted: what the operators want, by service.
    @ivar hanging: services whose programs never become ready.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.chance = random.Random(seed)
        self.world = World(tick=2000)
        self.world.init()
        self.wanted: dict[str, Service] = {}
        self.hanging: set[str] = set()
        self.figures = Figures()
        self.server_down = False
        self._troubled = dict.fromkeys(MACHINES, 0.0)
        self._unwanted: dict[tuple[str, int], float] = {}
        self._known: dict[str, dict[str, Launch]] = {}
        self._wrong: list[str] = []
        self.hosts = {
            name: Host(self.world, name, Watched(self, name), self.chance) for name in MACHINES
        }

    # Telling

    def tell(self) -> Figures:
        """All of it.

        @raise WrongTurn: something that must not happen did.
        """
        for host in self.hosts.values():
            host.start()
        for name in SERVICES:
            self._add(name)
        for _ in range(CHAPTERS):
            for _ in range(ACCIDENTS):
                self._accident()
                self.advance(self.chance.choice((0.0, 0.1, 1.0, self.chance.uniform(0, 12))))
            self._say("all is well from now on")
            self._heal()
            self.advance(BOUND)
            self._check_end()
        self._close()
        self.figures.seconds = self.world.clock.seconds()
        self.figures.processes = sum(len(host.spawner.spawned) for host in self.hosts.values())
        return self.figures

    def _say(self, text: str) -> None:
        self.figures.told.append(f"{self.world.clock.seconds():8.2f}  {text}")

    def wrong(self, text: str) -> None:
        """Something that must not happen did."""
        self._say(f"WRONG: {text}")
        self._wrong.append(text)

    def later(self, delay: float, call: Callable[..., object], *args: object) -> None:
        """Have something happen in a while."""
        self.world.clock.callLater(delay, call, *args)

    def advance(self, seconds: float) -> None:
        """Let time pass, looking at what must always hold."""
        end = self.world.clock.seconds() + seconds
        while True:
            self.check()
            left = end - self.world.clock.seconds()
            if left <= 0:
                return
            self.world.server.advance(min(1.0, left))

    # What may happen

    def _accident(self) -> None:
        happen = self.chance.choice(
            (
                *(self._operate,) * 4,
                *(self._crash,) * 3,
                *(self._kill_agent, self._start_agents, self._stop_agent),
                *(self._cut, self._drop, self._expire, self._stop_server, self._mend),
                *(self._hang, self._break_check, self._refuse),
            )
        )
        self.figures.accidents += 1
        happen()
        self._note_trouble()

    def _some_host(self) -> Host:
        return self.hosts[self.chance.choice(MACHINES)]

    def _crash(self) -> None:
        alive = [
            (host, process)
            for host in self.hosts.values()
            for process in host.spawner.running()
            if process.alive
        ]
        if alive:
            host, process = self.chance.choice(alive)
            how = self.chance.choice(("exit 0", "exit 3", "signal"))
            self._say(f"{process.name} ends on {host.name}: {how}")
            if how == "signal":
                process.crash()
            else:
                process.exit(int(how[-1]))

    def _kill_agent(self) -> None:
        host = self._some_host()
        if host.agent:
            self._say(f"the agent of {host.name} is killed")
            host.kill()
            if self.chance.random() < 0.5:
                self.advance(self.chance.choice((0.0, 0.1, 3.0, 8.0)))
                self._say(f"it is started again on {host.name}")
                host.start()

    def _stop_agent(self) -> None:
        host = self._some_host()
        if host.agent and not self.server_down and not host.is_cut:
            self._say(f"the agent of {host.name} is stopped")
            host.stop()
            if host.spawner.running():
                self.wrong(f"processes outlive the stop of the agent of {host.name}")

    def _start_agents(self) -> None:
        for host in self.hosts.values():
            if host.agent is None:
                self._say(f"the agent of {host.name} is started")
                host.start()

    def _cut(self) -> None:
        host = self._some_host()
        self._say(f"{host.name} is cut off")
        host.cut()

    def _mend(self) -> None:
        for host in self.hosts.values():
            if host.is_cut:
                self._say(f"{host.name} is no longer cut off")
                host.mend()
        if self.server_down:
            self._start_server()

    def _drop(self) -> None:
        host = self._some_host()
        self._say(f"the connection of {host.name} breaks")
        host.network.drop_connections()

    def _expire(self) -> None:
        sessions = list(self.world.server.server.tree.sessions)
        if sessions and not self.server_down:
            session = self.chance.choice(sorted(sessions))
            self._say(f"the session {session:#x} expires")
            self.world.server.expire(session)

    def _stop_server(self) -> None:
        if not self.server_down:
            self._say("ZooKeeper stops")
            self.server_down = True
            self.world.server.server.doStop()
            for network in self._networks():
                network.refuse_connections()
            self.world.server.settle()

    def _start_server(self) -> None:
        self._say("ZooKeeper is started")
        self.server_down = False
        server = self.world.server.server
        for session in server.tree.sessions:
            server.tree.touch(session, server.elapsed())
        server.doStart()
        for network in self._networks():
            network.accept_connections()

    def _networks(self) -> Iterator[Any]:
        yield self.world.network
        for host in self.hosts.values():
            yield host.network

    def _hang(self) -> None:
        service = self.chance.choice(SERVICES)
        self._say(f"{service} hangs from now on when it is started")
        self.hanging.add(service)

    def _break_check(self) -> None:
        host, service = self._some_host(), self.chance.choice(SERVICES)
        fault = self.chance.choice(("refuses connections", HANGS))
        self._say(f"the check of {service} on {host.name}: {fault}")
        host.probes.faults[check_of(service)] = fault

    def _refuse(self) -> None:
        host, service = self._some_host(), self.chance.choice(SERVICES)
        self._say(f"{service} cannot be started on {host.name}")
        host.spawner.refuse(service)

    def _heal(self) -> None:
        self.hanging.clear()
        for host in self.hosts.values():
            host.probes.faults.clear()
            host.spawner.refusals.clear()
            for process in host.spawner.running():
                if process.alive and process.launch.program.notifies:
                    process.notify()
        self._mend()
        self._start_agents()
        self._note_trouble()

    # What operators do

    def _operate(self) -> None:
        if self.server_down:
            return
        name = self.chance.choice(SERVICES)
        if name not in self.wanted:
            self._add(name)
            return
        self.chance.choice((self._place, self._set, self._hold, self._restart, self._remove))(name)

    def _add(self, name: str) -> None:
        service = Service(name, "command", self._settings(name), self._some_machines())
        self._want(service, "added")
        self._ask(lambda: self.world.admin.add(service))

    def _place(self, name: str) -> None:
        service = replace(self.wanted[name], machines=self._some_machines())
        self._want(service, "placed")
        self._write(self.world.paths.placement(name), json.dumps(service.machines))

    def _set(self, name: str) -> None:
        service = replace(self.wanted[name], settings=self._settings(name))
        self._want(service, "set")
        self._write(self.world.paths.settings(name), json.dumps(service.settings))

    def _hold(self, name: str) -> None:
        target = self.wanted[name].target
        self._aim(name, replace(target, run=not target.run))

    def _restart(self, name: str) -> None:
        target = self.wanted[name].target
        self._aim(name, replace(target, generation=target.generation + 1))

    def _aim(self, name: str, target: Target) -> None:
        self._want(replace(self.wanted[name], target=target), "aimed")
        self._write(self.world.paths.target(name), target.to_json().decode())

    def _remove(self, name: str) -> None:
        del self.wanted[name]
        self._known.clear()
        self._say(f"{name} is removed")
        self._ask(lambda: self.world.admin.remove(name))

    def _want(self, service: Service, what: str) -> None:
        self.wanted[service.name] = service
        self._known.clear()
        self._say(
            f"{service.name} is {what}: {json.dumps(service.settings)} on"
            f" {service.machines} {service.target}"
        )

    def _write(self, path: str, text: str) -> None:
        self._ask(lambda: self.world.admin.client.set(path, text.encode()))

    def _ask(self, work: Callable[[], Any]) -> None:
        """Do something that can be done twice, until it is known to be done."""
        for _ in range(10):
            try:
                self.world.server.run(work(), limit=30)
                return
            except ConnectionLossException:
                continue
        raise WrongTurn("the operator was not heard")

    def _some_machines(self) -> tuple[str, ...]:
        return tuple(m for m in MACHINES if self.chance.random() < 0.7)

    def _settings(self, name: str) -> dict[str, Any]:
        chance = self.chance
        settings: dict[str, Any] = {
            "argv": f"run-{name} {chance.randrange(3)}",
            "processes": chance.choice((1, 1, 2, 3)),
            "notify": chance.random() < 0.4,
            "restart": chance.choice(("always", "always", "on-failure")),
            "grace_period": GRACE,
            "start_timeout": 5.0,
            "check_interval": 2.0,
            "check_timeout": 1.0,
            "max_failures": chance.choice((2, 5)),
        }
        if chance.random() < 0.4:
            settings["readiness"] = check_of(name)
        if chance.random() < 0.4:
            settings["liveness"] = check_of(name)
        return settings

    # What must be

    def _launches(self, machine: str) -> dict[str, Launch]:
        """What should run on a machine, by slot."""
        if machine not in self._known:
            self._known[machine] = self._worked_out(machine)
        return self._known[machine]

    def _worked_out(self, machine: str) -> dict[str, Launch]:
        found: dict[str, Launch] = {}
        for service in self.wanted.values():
            if machine in service.machines and service.target.run:
                launch = CATALOGUE.launch(service, machine)
                one = replace(launch, processes=1)
                found |= dict.fromkeys(slots(service.name, launch.processes), one)
        return found

    def _note_trouble(self) -> None:
        now = self.world.clock.seconds()
        for host in self.hosts.values():
            if host.agent is None or host.is_cut or self.server_down:
                self._troubled[host.name] = now

    def check(self) -> None:
        """What must always hold.

        @raise WrongTurn: it did not.
        """
        now = self.world.clock.seconds()
        self._note_trouble()
        for host in self.hosts.values():
            wanted = self._launches(host.name)
            for process in host.spawner.running():
                key = (host.name, process.pid)
                if process.name in wanted:
                    self._unwanted.pop(key, None)
                    continue
                since = max(self._unwanted.setdefault(key, now), self._troubled[host.name])
                if now - since > STOP_BOUND:
                    self.wrong(f"{process.name} runs on {host.name} and is not wanted")
            if host.failures:
                self.wrong(f"the agent of {host.name} gave up: {host.failures}")
        if self._wrong:
            raise WrongTurn("; ".join(self._wrong))

    def _check_end(self) -> None:
        """What must hold when all accidents are over, and for long enough."""
        for host in self.hosts.values():
            self._check_host(host)
        self.check()

    def _check_host(self, host: Host) -> None:
        wanted = self._launches(host.name)
        running = {process.name: process for process in host.spawner.running()}
        for slot, launch in wanted.items():
            if slot not in running and not self._is_finished(slot, host.name):
                self.wrong(f"{slot} does not run on {host.name}")
            elif slot in running and running[slot].launch != launch:
                self.wrong(f"{slot} runs on {host.name} with other settings")
        for slot in running.keys() - wanted.keys():
            self.wrong(f"{slot} runs on {host.name} and should not")
        for name in SERVICES:
            self._check_nodes(host, name, [s for s in running if service_of(s) == name])

    def _is_finished(self, slot: str, machine: str) -> bool:
        if self.wanted[service_of(slot)].settings["restart"] != "on-failure":
            return False
        status = self.world.status(service_of(slot), machine) or {}
        every = status.get("processes") or [{"name": slot, **status}]
        return any(each["name"] == slot and each["phase"] == "finished" for each in every)

    def _check_nodes(self, host: Host, name: str, running: list[str]) -> None:
        world, machine = self.world, host.name
        service = self.wanted.get(name)
        status = world.status(name, machine)
        deployed = service is not None and machine in service.machines
        if deployed != (status is not None):
            self.wrong(f"the status of {name} on {machine} is {status}")
        pid = world.read(world.paths.pid(machine, name))
        pids = {p.pid for p in host.spawner.running() if service_of(p.name) == name}
        if (pid is None and pids) or (pid is not None and pid not in pids):
            self.wrong(f"the pid node of {name} on {machine} is {pid}, which runs: {pids}")
        state = world.read(world.paths.state(name, machine))
        if (state is not None) != ((status or {}).get("phase") == "ready"):
            self.wrong(f"the state node of {name} on {machine} is {state} in {status}")
        if running and status and status["phase"] not in ("ready", "finished"):
            self.wrong(f"{name} on {machine} is not ready: {status}")

    def _close(self) -> None:
        for host in self.hosts.values():
            if host.agent:
                host.stop()
        self.world.close()


def check_of(service: str) -> str:
    """Where a service's health is looked at."""
    return f"tcp:{8000 + SERVICES.index(service)}"


def main(arguments: list[str]) -> int:
    """Tell stories; those that took a wrong turn are printed."""
    parser = argparse.ArgumentParser(prog="python -m pop.test.stories")
    parser.add_argument("--seeds", default="0:1000", help="FIRST:END, or one number")
    first, _, end = parser.parse_args(arguments).seeds.partition(":")
    seeds = range(int(first), int(end or int(first) + 1))
    began, total, wrong = perf_counter(), Figures(), 0
    for seed in seeds:
        story = Story(seed)
        try:
            figures = story.tell()
        except Exception as error:
            wrong += 1
            print(f"seed {seed}: {type(error).__name__}: {error}")
            print("\n".join(story.figures.told), flush=True)
            continue
        if len(seeds) == 1:
            print("\n".join(figures.told))
        total.accidents += figures.accidents
        total.processes += figures.processes
        total.seconds += figures.seconds
    print(
        f"{len(seeds)} stories in {perf_counter() - began:.1f} s: {total.accidents} accidents,"
        f" {total.processes} processes, {total.seconds / 3600:.0f} hours; {wrong} went wrong"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
