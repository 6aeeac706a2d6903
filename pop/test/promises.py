"""What must hold of machines, whatever happens to them."""

from dataclasses import replace

from pop.model import Service
from pop.program import Launch
from pop.slots import service_of, slots
from pop.test.estates import MACHINES, SERVICES, Estate
from pop.test.mortals import CATALOGUE, Host

STOP_BOUND = 15.0
"""Seconds within which what is not wanted has gone: an agent has noticed, and stopped it."""


class WrongTurn(AssertionError):
    """Something happened that must not."""


class Promises:
    """Looks whether they are kept."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._troubled = dict.fromkeys(MACHINES, 0.0)
        self._unwanted: dict[tuple[str, int], float] = {}
        self._wanted: dict[str, Service] = {}
        self._known: dict[str, dict[str, Launch]] = {}

    def _launches(self, machine: str) -> dict[str, Launch]:
        """What should run on a machine, by slot."""
        if self._wanted != self._estate.wanted:
            self._wanted = dict(self._estate.wanted)
            self._known.clear()
        if machine not in self._known:
            self._known[machine] = self._worked_out(machine)
        return self._known[machine]

    def _worked_out(self, machine: str) -> dict[str, Launch]:
        found: dict[str, Launch] = {}
        for service in self._estate.wanted.values():
            if machine in service.machines and service.target.run:
                launch = CATALOGUE.launch(service, machine)
                one = replace(launch, processes=1)
                found |= dict.fromkeys(slots(service.name, launch.processes), one)
        return found

    def _note_trouble(self) -> None:
        now = self._estate.now
        for host in self._estate.hosts.values():
            if host.agent is None or host.is_cut or self._estate.server_down:
                self._troubled[host.name] = now

    def check(self) -> None:
        """What must always hold.

        @raise WrongTurn: it did not.
        """
        now = self._estate.now
        self._note_trouble()
        for host in self._estate.hosts.values():
            wanted = self._launches(host.name)
            for process in host.spawner.running():
                key = (host.name, process.pid)
                if process.name in wanted:
                    self._unwanted.pop(key, None)
                    continue
                since = max(self._unwanted.setdefault(key, now), self._troubled[host.name])
                if now - since > STOP_BOUND:
                    self._estate.wrong(f"{process.name} runs on {host.name} and is not wanted")
            if host.failures:
                self._estate.wrong(f"the agent of {host.name} gave up: {host.failures}")
        if self._estate.wrongs:
            raise WrongTurn("; ".join(self._estate.wrongs))

    def check_end(self) -> None:
        """What must hold when all accidents are over, and for long enough."""
        for host in self._estate.hosts.values():
            self._check_host(host)
        self.check()

    def _check_host(self, host: Host) -> None:
        wanted = self._launches(host.name)
        running = {process.name: process for process in host.spawner.running()}
        for slot, launch in wanted.items():
            if slot not in running and not self._is_finished(slot, host.name):
                self._estate.wrong(f"{slot} does not run on {host.name}")
            elif slot in running and running[slot].launch != launch:
                self._estate.wrong(f"{slot} runs on {host.name} with other settings")
        for slot in running.keys() - wanted.keys():
            self._estate.wrong(f"{slot} runs on {host.name} and should not")
        for name in SERVICES:
            self._check_nodes(host, name, [s for s in running if service_of(s) == name])

    def _is_finished(self, slot: str, machine: str) -> bool:
        if self._estate.wanted[service_of(slot)].settings["restart"] != "on-failure":
            return False
        status = self._estate.world.status(service_of(slot), machine) or {}
        every = status.get("processes") or [{"name": slot, **status}]
        return any(each["name"] == slot and each["phase"] == "finished" for each in every)

    def _check_nodes(self, host: Host, name: str, running: list[str]) -> None:
        world, machine = self._estate.world, host.name
        service = self._estate.wanted.get(name)
        status = world.status(name, machine)
        deployed = service is not None and machine in service.machines
        if deployed != (status is not None):
            self._estate.wrong(f"the status of {name} on {machine} is {status}")
        pid = world.read(world.paths.pid(machine, name))
        pids = {p.pid for p in host.spawner.running() if service_of(p.name) == name}
        if (pid is None and pids) or (pid is not None and pid not in pids):
            self._estate.wrong(f"the pid node of {name} on {machine} is {pid}, which runs: {pids}")
        state = world.read(world.paths.state(name, machine))
        if (state is not None) != ((status or {}).get("phase") == "ready"):
            self._estate.wrong(f"the state node of {name} on {machine} is {state} in {status}")
        if running and status and status["phase"] not in ("ready", "finished"):
            self._estate.wrong(f"{name} on {machine} is not ready: {status}")
