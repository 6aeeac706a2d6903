"""What may happen to machines, agents, services and ZooKeeper."""

from collections.abc import Callable

from pop.test.estates import SERVICES, Estate, check_of
from pop.testing import HANGS


class Accidents:
    """Bring one about after the other, by chance.

    @param operate: what happens more often than any of them: operators change their minds.
    """

    def __init__(self, estate: Estate, operate: Callable[[], None]) -> None:
        self._estate = estate
        self._operate = operate

    def happen(self) -> None:
        """One of them."""
        happen = self._estate.chance.choice(
            (
                *(self._operate,) * 4,
                *(self._crash,) * 3,
                *(self._kill_agent, self._start_agents, self._stop_agent, self._reboot),
                *(self._cut, self._drop, self._expire, self._stop_server, self._mend),
                *(self._hang, self._break_check, self._refuse),
            )
        )
        self._estate.figures.accidents += 1
        happen()

    def _crash(self) -> None:
        alive = [
            (host, process)
            for host in self._estate.hosts.values()
            for process in host.spawner.running()
            if process.alive
        ]
        if alive:
            host, process = self._estate.chance.choice(alive)
            how = self._estate.chance.choice(("exit 0", "exit 3", "signal"))
            self._estate.say(f"{process.name} ends on {host.name}: {how}")
            if how == "signal":
                process.crash()
            else:
                process.exit(int(how[-1]))

    def _kill_agent(self) -> None:
        host = self._estate.some_host()
        if host.agent:
            self._estate.say(f"the agent of {host.name} is killed")
            host.kill()
            if self._estate.chance.random() < 0.5:
                self._estate.advance(self._estate.chance.choice((0.0, 0.1, 3.0, 8.0)))
                self._estate.say(f"it is started again on {host.name}")
                host.start()

    def _reboot(self) -> None:
        host = self._estate.some_host()
        self._estate.say(f"{host.name} falls")
        host.reboot()

    def _stop_agent(self) -> None:
        host = self._estate.some_host()
        if host.agent and not self._estate.server_down and not host.is_cut:
            self._estate.say(f"the agent of {host.name} is stopped")
            keep = self._estate.chance.random() < 0.3
            host.stop(keep=keep)
            if host.spawner.running() and not keep:
                self._estate.wrong(f"processes outlive the stop of the agent of {host.name}")

    def _start_agents(self) -> None:
        for host in self._estate.hosts.values():
            if host.agent is None:
                self._estate.say(f"the agent of {host.name} is started")
                host.start()

    def _cut(self) -> None:
        host = self._estate.some_host()
        self._estate.say(f"{host.name} is cut off")
        host.cut()

    def _mend(self) -> None:
        for host in self._estate.hosts.values():
            if host.is_cut:
                self._estate.say(f"{host.name} is no longer cut off")
                host.mend()
        if self._estate.server_down:
            self._start_server()

    def _drop(self) -> None:
        host = self._estate.some_host()
        self._estate.say(f"the connection of {host.name} breaks")
        host.network.drop_connections()

    def _expire(self) -> None:
        sessions = list(self._estate.world.server.server.tree.sessions)
        if sessions and not self._estate.server_down:
            session = self._estate.chance.choice(sorted(sessions))
            self._estate.say(f"the session {session:#x} expires")
            self._estate.world.server.expire(session)

    def _stop_server(self) -> None:
        if not self._estate.server_down:
            self._estate.say("ZooKeeper stops")
            self._estate.server_down = True
            self._estate.world.server.server.doStop()
            for network in self._estate.networks():
                network.refuse_connections()
            self._estate.world.server.settle()

    def _start_server(self) -> None:
        self._estate.say("ZooKeeper is started")
        self._estate.server_down = False
        server = self._estate.world.server.server
        for session in server.tree.sessions:
            server.tree.touch(session, server.elapsed())
        server.doStart()
        for network in self._estate.networks():
            network.accept_connections()

    def _hang(self) -> None:
        service = self._estate.chance.choice(SERVICES)
        self._estate.say(f"{service} hangs from now on when it is started")
        self._estate.hanging.add(service)

    def _break_check(self) -> None:
        host, service = self._estate.some_host(), self._estate.chance.choice(SERVICES)
        fault = self._estate.chance.choice(("refuses connections", HANGS))
        self._estate.say(f"the check of {service} on {host.name}: {fault}")
        host.probes.faults[check_of(service)] = fault

    def _refuse(self) -> None:
        host, service = self._estate.some_host(), self._estate.chance.choice(SERVICES)
        self._estate.say(f"{service} cannot be started on {host.name}")
        host.spawner.refuse(service)

    def heal(self) -> None:
        """All of them are over."""
        self._estate.hanging.clear()
        for host in self._estate.hosts.values():
            host.probes.faults.clear()
            host.spawner.refusals.clear()
            for process in host.spawner.running():
                if process.alive and process.launch.program.notifies:
                    process.notify()
        self._mend()
        self._start_agents()
