"""From writing a ``machines`` node to the pid node, against a real ZooKeeper and real processes.

Usage: ``python benchmarks/converge.py [--rounds N] [--services 1,10,50] [--idle SECONDS]``.

Each round deploys N services at once by writing their ``machines`` nodes with a client of its own,
one write each, and takes for each the time until its pid node appears; then undeploys them all.
Beside it, in the same run, stands the floor: the same number of ``subprocess.Popen`` calls of the
same program without pop or ZooKeeper, and a write to ZooKeeper alone. Last, the agent's CPU time
while the most services run and nothing happens.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from kazoo.client import KazooClient

from txzookeeper.testing import RealServer

PROGRAM = "sleep 1000000"
MACHINE = "bench"


class Bench:
    """One agent, one ZooKeeper, and a foreign client that writes and watches."""

    def __init__(self, servers: str, state_dir: str) -> None:
        self.environment = {
            **os.environ,
            "POP_ZOOKEEPER": servers,
            "POP_STATE_DIR": state_dir,
            "POP_MACHINE_ID": MACHINE,
        }
        self.client = KazooClient(servers)
        self.client.start()

    def pop(self, *words: str) -> None:
        """Run one command."""
        command = [sys.executable, "-m", "pop", *words]
        subprocess.run(command, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def prepare(self, count: int) -> None:
        """Add the services by one file."""
        services = {
            f"s{n}": {"type": "command", "settings": {"argv": PROGRAM}} for n in range(count)
        }
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"services": services}, file)
            file.flush()
            self.pop("load", file.name)

    def deploy(self, count: int) -> list[float]:
        """Deploy so many at once; seconds from the writing of each to its pid node."""
        appeared: dict[str, float] = {}

        def arm(name: str) -> None:
            def created(_: Any) -> None:
                appeared[name] = time.perf_counter()

            assert not self.client.exists(f"/machines/{MACHINE}/{name}", watch=created)

        names = [f"s{n}" for n in range(count)]
        for name in names:
            arm(name)
        written = {}
        pending = []
        for name in names:
            written[name] = time.perf_counter()
            path = f"/services/{name}/machines"
            pending.append(self.client.set_async(path, f'["{MACHINE}"]'.encode()))
        for one in pending:
            one.get()
        wait_for(lambda: len(appeared) == count)
        for one in [self.client.set_async(f"/services/{n}/machines", b"[]") for n in names]:
            one.get()
        wait_for(lambda: not self.client.get_children(f"/machines/{MACHINE}"))
        return [appeared[name] - written[name] for name in names]

    def write(self) -> float:
        """Seconds that one write to ZooKeeper takes."""
        begin = time.perf_counter()
        self.client.set("/services/s0/machines", b"[]")
        return time.perf_counter() - begin


def floor(count: int) -> list[float]:
    """Seconds until each of so many bare children runs, started one after the other."""
    begin = time.perf_counter()
    children, took = [], []
    for _ in range(count):
        children.append(subprocess.Popen(PROGRAM.split(), start_new_session=True))
        took.append(time.perf_counter() - begin)
    for child in children:
        child.kill()
        child.wait()
    return took


def wait_for(condition: Callable[[], bool], patience: float = 60.0) -> None:
    """Look every 10 ms, for so many seconds."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("benchmark: what was waited for did not happen")
        time.sleep(0.01)  # noqa: TID251  # a benchmark is a program without a reactor


def line(label: str, seconds: list[float]) -> None:
    """Print a row: milliseconds."""
    ordered = sorted(1000 * s for s in seconds)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    median = statistics.median(ordered)
    print(f"{label:<44}{ordered[0]:8.1f}{median:8.1f}{p95:8.1f}{ordered[-1]:8.1f}", flush=True)


def idle(pid: int, seconds: float) -> None:
    """Print the agent's CPU time while nothing happens, and its memory."""
    agent = psutil.Process(pid)
    before, begin = agent.cpu_times(), time.monotonic()
    time.sleep(seconds)  # noqa: TID251  # a benchmark is a program without a reactor
    after, took = agent.cpu_times(), time.monotonic() - begin
    used = after.user + after.system - before.user - before.system
    memory = agent.memory_info().rss / 2**20
    print(f"idle: {100 * used / took:.3f} % CPU over {took:.0f} s, {memory:.1f} MiB resident")


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--services", default="1,10,50")
    parser.add_argument("--idle", type=float, default=30.0)
    arguments = parser.parse_args()
    counts = [int(word) for word in arguments.services.split(",")]
    with RealServer() as server, tempfile.TemporaryDirectory() as state_dir:
        bench = Bench(server.servers, state_dir)
        bench.pop("init")
        bench.prepare(max(counts))
        bench.pop("start")
        try:
            measure(bench, counts, arguments.rounds)
            rest(bench, max(counts), Path(state_dir), arguments.idle)
        finally:
            bench.pop("stop")
            bench.client.stop()


def measure(bench: Bench, counts: list[int], rounds: int) -> None:
    """The latencies, pop's and the floor's in turn."""
    print(f"{'milliseconds':<44}{'min':>8}{'p50':>8}{'p95':>8}{'max':>8}")
    line("one write to ZooKeeper", [bench.write() for _ in range(rounds)])
    for count in counts:
        pop: list[float] = []
        bare: list[float] = []
        for _ in range(rounds if count < 50 else max(rounds // 4, 3)):
            pop += bench.deploy(count)
            bare += floor(count)
        line(f"{count} at once: machines node to pid node", pop)
        line(f"{count} at once: bare subprocess.Popen", bare)
        ratio = statistics.median(pop) / statistics.median(bare)
        print(f"{count} at once: ratio of the medians {ratio:.1f}", flush=True)


def rest(bench: Bench, count: int, state_dir: Path, seconds: float) -> None:
    """The agent at rest, with so many services."""
    for n in range(count):
        bench.client.set(f"/services/s{n}/machines", f'["{MACHINE}"]'.encode())
    wait_for(lambda: len(bench.client.get_children(f"/machines/{MACHINE}")) == count)
    time.sleep(2)  # noqa: TID251  # a benchmark is a program without a reactor
    idle(int((state_dir / "agent.lock").read_text()), seconds)


if __name__ == "__main__":
    main()
