"""The admin protocol, and the commands that use it, against a real ZooKeeper and real agents.

Usage: ``python benchmarks/admin.py [--calls N] [--megabytes N] [--services N] [--only PART]``.

The parts, each of which prints its rows:

calls
    A small command (``Hello``), alone and 50 in flight, over a UNIX socket and over TLS. Beside
    them an echo of as many bytes by Twisted without AMP, which is what a round trip costs.
logs
    Two agents, each with an instance that writes half of the megabytes as fast as it can, followed
    by one reader: live, and once more from the beginning. What arrives is compared with what was
    written by its SHA-256, for each instance. Then a reader that takes 1 MB/s.
status
    ``pop status`` for many services: how long it takes, and how often the client had to wait for
    ZooKeeper, as seen by a proxy between the two.
help
    ``pop --help``, from start to end.

The memory is what the agents have resident, at most, beyond what they had before.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import bare_echo
import psutil
from round_trips import Turns, proxy
from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.endpoints import (
    UNIXClientEndpoint,
    connectProtocol,
)
from twisted.internet.task import LoopingCall, deferLater, react
from twisted.internet.utils import getProcessOutputAndValue
from zope.interface import implementer

from pop.admin import Administrator, IOutput, Ways
from pop.cluster import Cluster
from pop.paths import Paths
from txzookeeper import ManagedClient
from txzookeeper.testing import RealServer
from txzookeeper.testing.process import free_ports

PARTS: Final = ("calls", "logs", "status", "help")
LINE: Final = 100
"""Bytes of each line that is written."""
WRITER: Final = r"""
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
signal.sigwait({signal.SIGUSR1})
for start in range(0, int(sys.argv[1]), 1000):
    block = b"".join(b"%09d " % n + b"x" * 89 + b"\n" for n in range(start, start + 1000))
    while block:
        block = block[os.write(1, block):]
signal.pause()
"""
IN_FLIGHT: Final = 50
IDENTITY: Final = "bench:not secret"
ELSEWHERE: Final = "elsewhere.example"
"""The name of an administrator's machine who does not come by the UNIX socket."""


class Machine:
    """One machine: a state directory and an agent."""

    def __init__(self, servers: str, directory: Path, name: str) -> None:
        self.name = name
        self.directory = directory / name
        self.environment = {
            **os.environ,
            "POP_ZOOKEEPER": servers,
            "POP_STATE_DIR": str(self.directory),
            "POP_MACHINE_ID": name,
            "POP_ADMIN_IDENTITY": IDENTITY,
        }

    def pop(self, *words: str) -> str:
        """Run one command."""
        command = [sys.executable, "-m", "pop", *words]
        done = subprocess.run(command, env=self.environment, check=True, capture_output=True)
        return done.stdout.decode()

    @property
    def agent(self) -> psutil.Process:
        """Its agent."""
        return psutil.Process(int((self.directory / "agent.lock").read_text()))


@implementer(IOutput)
class Reader:
    """Takes what is written: at once, or so many bytes a second.

    @ivar sizes, digests: what has arrived, by source.
    """

    def __init__(self, clock: Any, expected: int, rate: int | None = None) -> None:
        self.sizes: dict[str, int] = {}
        self.digests: dict[str, Any] = {}
        self.done: Deferred[None] = Deferred()
        self._clock = clock
        self._expected = expected
        self._rate = rate

    def write(self, source: str, data: bytes) -> Deferred[None]:
        """See L{IOutput.write}."""
        self.sizes[source] = self.sizes.get(source, 0) + len(data)
        self.digests.setdefault(source, hashlib.sha256()).update(data)
        if sum(self.sizes.values()) >= self._expected and not self.done.called:
            self.done.callback(None)
        if self._rate is None:
            return succeed(None)
        return deferLater(self._clock, len(data) / self._rate, lambda: None)


class Meter:
    """What agents use between two moments."""

    def __init__(self, machines: list[Machine]) -> None:
        self._agents = [machine.agent for machine in machines]
        self._before = [agent.memory_info().rss for agent in self._agents]
        self._used = self._cpu()
        self._most = list(self._before)
        self._began = time.perf_counter()
        self._looking = LoopingCall(self._look)
        self._looking.start(0.05)

    def _look(self) -> None:
        now = (agent.memory_info().rss for agent in self._agents)
        self._most = [max(pair) for pair in zip(self._most, now, strict=True)]

    def _cpu(self) -> float:
        times = [agent.cpu_times() for agent in self._agents]
        return float(sum(each.user + each.system for each in times))

    def stop(self) -> tuple[float, float, float]:
        """Seconds that passed, CPU seconds of all agents, and the most MiB that one has grown."""
        took = time.perf_counter() - self._began
        self._look()
        self._looking.stop()
        grown = max(most - b for most, b in zip(self._most, self._before, strict=True))
        return took, self._cpu() - self._used, grown / 2**20


def row(what: str, *figures: str) -> None:
    """Print one."""
    print(f"{what:<52}{'  '.join(figures)}", flush=True)


# Calls


async def calls(what: str, ask: Callable[[], Deferred[Any]], count: int) -> None:
    """One at a time, then many in flight."""
    for _ in range(200):
        await ask()
    took = []
    for _ in range(count // 10):
        begin = time.perf_counter()
        await ask()
        took.append(1e6 * (time.perf_counter() - begin))
    took.sort()
    begin = time.perf_counter()
    waiting = iter(range(count))

    async def flow() -> None:
        for _ in waiting:
            await ask()

    await gatherResults([Deferred.fromCoroutine(flow()) for _ in range(IN_FLIGHT)])
    rate = count / (time.perf_counter() - begin)
    row(
        what,
        f"{rate:8,.0f} calls/s with {IN_FLIGHT} in flight;",
        f"alone {statistics.median(took):6.0f} us, 99 % {took[int(0.99 * len(took))]:6.0f} us",
    )


def hello(admin: Administrator) -> Deferred[None]:
    """The smallest."""
    return Deferred.fromCoroutine(admin.greet())


async def floor(reactor: Any, directory: Path, count: int) -> None:
    """The same without AMP; the other end is in another process."""
    path = directory / "echo.sock"
    if (pid := os.fork()) == 0:
        os.execv(sys.executable, [sys.executable, bare_echo.__file__, str(path)])
    while not path.exists():
        await deferLater(reactor, 0.05)
    caller = await connectProtocol(UNIXClientEndpoint(reactor, str(path)), bare_echo.Caller())
    await calls("unix: bare echo by Twisted", caller.ask, count)
    os.kill(pid, 9)
    os.waitpid(pid, 0)


# Logs


async def logs(reactor: Any, ways: dict[str, Ways], machines: list[Machine], size: int) -> None:
    """Follow both, live and from the beginning, quickly and slowly.

    @param size: megabytes of both.
    """
    lines = size * 1_000_000 // LINE // len(machines) // 1000 * 1000
    writer = machines[0].directory.with_name("writer.py")
    writer.write_text(WRITER)
    argv = shlex.join([sys.executable, str(writer), str(lines)])
    words = [word for machine in machines for word in ("--machine", machine.name)]
    expected = digest(lines)
    for name, way in ways.items():
        agents = [await way.connect(machine.name) for machine in machines]
        service = f"talk-{name}"
        machines[0].pop("add", "command", "--name", service, "--argv", argv)
        machines[0].pop("deploy", service, *words, "--wait")
        await follow(machines, agents, reactor, service, lines, expected, start=True)
        await follow(machines, agents, reactor, service, lines, expected, start=False)
        await dawdle(machines, agents, reactor, service)
        for agent in agents:
            await agent.close()
        machines[0].pop("remove", service, "--force")


async def dawdle(
    machines: list[Machine], agents: list[Administrator], reactor: Any, service: str
) -> None:
    """Readers that take their time."""
    meter = Meter(machines)
    readers = [Reader(reactor, 1 << 60, rate=1_000_000) for _ in agents]
    asked = [a.logs(service, -1, True, r) for a, r in zip(agents, readers, strict=True)]
    await deferLater(reactor, 5.0)
    for each in asked:
        each.addErrback(lambda _: None).cancel()
    _, cpu, grown = meter.stop()
    what = f"{service}: readers that take 1 MB/s each"
    row(what, f"{grown:5.1f} MiB more, CPU {cpu:.2f} s in 5 s")


async def follow(
    machines: list[Machine],
    agents: list[Administrator],
    reactor: Any,
    service: str,
    lines: int,
    expected: str,
    start: bool,
) -> None:
    """One reader of all machines."""
    meter = Meter(machines)
    readers = [Reader(reactor, lines * LINE) for _ in agents]
    asked = [a.logs(service, -1, True, r) for a, r in zip(agents, readers, strict=True)]
    if start:
        for agent in agents:
            await agent.signal(service, "USR1")
    await gatherResults([reader.done for reader in readers]).addTimeout(300, reactor)
    took, cpu, grown = meter.stop()
    for each in asked:
        each.addErrback(lambda _: None).cancel()
    right = all(reader.digests[service].hexdigest() == expected for reader in readers)
    total = sum(sum(reader.sizes.values()) for reader in readers) / 1e6
    how = "live" if start else "from the beginning"
    row(
        f"{service}: {total:.0f} MB of {len(agents)} machines, {how}",
        f"{total / took:6.1f} MB/s, {took:.2f} s;",
        f"agents: {grown:.1f} MiB more, CPU {cpu:.2f} s;",
        "no line lost or reordered" if right else "LINES ARE MISSING OR IN ANOTHER ORDER",
    )


def digest(lines: int) -> str:
    """Of what each instance writes."""
    found = hashlib.sha256()
    for start in range(0, lines, 1000):
        numbers = range(start, start + 1000)
        found.update(b"".join(b"%09d " % n + b"x" * 89 + b"\n" for n in numbers))
    return found.hexdigest()


# Commands


async def status(reactor: Any, machine: Machine, servers: str, services: int) -> None:
    """Many services, half of them deployed where nobody is."""
    found = {
        f"s{n:04}": {"type": "command", "settings": {"argv": "true"}, "machines": ["nowhere"]}
        for n in range(services)
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"services": found, "machines": {"nowhere": {}}}, file)
        file.flush()
        machine.pop("load", file.name)
    turns = Turns()
    async with proxy(reactor, servers, turns) as way:
        took = []
        for _ in range(7):
            turns.count = 0
            took.append(await timed(reactor, machine, "--zookeeper", way, "status"))
    row(
        f"pop status, {services:,} services",
        f"{statistics.median(took):.2f} s (best {min(took):.2f} s),",
        f"{turns.count} round trips with the session's beginning and end",
    )


async def timed(reactor: Any, machine: Machine, *words: str) -> float:
    """How long a command takes."""
    begin = time.perf_counter()
    _, err, status = await getProcessOutputAndValue(
        sys.executable, ["-m", "pop", *words], env=machine.environment, reactor=reactor
    )
    if status:
        raise SystemExit(f"benchmark: pop {' '.join(words)}: {err.decode()}")
    return time.perf_counter() - begin


async def help_(reactor: Any, machine: Machine) -> None:
    """How soon it is there."""
    took = [await timed(reactor, machine, "--help") for _ in range(15)]
    bare = []
    for _ in range(15):
        begin = time.perf_counter()
        await getProcessOutputAndValue(sys.executable, ["-c", "pass"], reactor=reactor)
        bare.append(time.perf_counter() - begin)
    row(
        "pop --help",
        f"{statistics.median(took):.3f} s (best {min(took):.3f} s);",
        f"Python alone {statistics.median(bare):.3f} s",
    )


@contextmanager
def agents(servers: str, directory: Path) -> Iterator[list[Machine]]:
    """Two machines."""
    machines = [Machine(servers, directory, name) for name in ("m1", "m2")]
    machines[0].pop("init")
    for machine in machines:
        address = f"tls:{free_ports(1)[0]}:interface=127.0.0.1:host=127.0.0.1"
        machine.pop("start", "--admin", address)
    try:
        yield machines
    finally:
        for machine in machines:
            machine.pop("stop")


async def measure(reactor: Any, servers: str, arguments: argparse.Namespace) -> None:
    """All parts, or one."""
    parts = [arguments.only] if arguments.only else list(PARTS)
    with tempfile.TemporaryDirectory() as name, agents(servers, Path(name)) as machines:
        client = ManagedClient(servers, reactor=reactor)
        await client.connect()
        await client.add_auth("digest", IDENTITY)
        cluster = Cluster(client, Paths(), reactor)
        ways = {
            "unix": Ways(reactor, cluster, IDENTITY),
            "tls": Ways(reactor, cluster, IDENTITY, here=ELSEWHERE),
        }
        if "calls" in parts:
            await floor(reactor, Path(name), arguments.calls)
            for how, way in ways.items():
                admin = await way.connect("m1")
                await calls(f"{how}: Hello by AMP", partial(hello, admin), arguments.calls)
                await admin.close()
        if "logs" in parts:
            await logs(reactor, ways, machines, arguments.megabytes)
        if "status" in parts:
            await status(reactor, machines[0], servers, arguments.services)
        if "help" in parts:
            await help_(reactor, machines[0])
        await client.close()


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--only", choices=PARTS)
    arguments = parser.parse_args()
    with RealServer() as server:
        react(lambda reactor: Deferred.fromCoroutine(measure(reactor, server.servers, arguments)))


if __name__ == "__main__":
    main()
