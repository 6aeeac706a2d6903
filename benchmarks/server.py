"""The embedded server beside a real ZooKeeper, in alternating rounds of one run.

Usage: ``python benchmarks/server.py [--rounds N] [--operations N] [--nodes N] [--sessions N]
[--only NAME] [--json FILE]``.

Both run all the time, each on its own files on the same disk, and both put what they acknowledge
on the disk first (the real one with ``forceSync=yes``, unlike in the tests). The client is a bare
socket with prepared bytes for the calls, so that it is the server that is measured and not a
client; and ``txzookeeper`` for the sessions with watches. The table has the medians and extremes
of the rounds, and how many times better the embedded server is (above 1, in whatever unit).

A row's "1,000 in flight" means that the next calls are made when replies arrive, so that so many
are under way. The start is measured from the process's beginning to its answer to ``srvr``.
Memory is the resident set of the process: of the real one it has much to do with how much Java is
allowed, which is 2 GB here.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

import psutil
from by_socket import Socket
from by_txzookeeper import flow
from client import positive
from real_server import SETTINGS
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import react
from workloads import PAYLOAD

from txzookeeper import ZookeeperClient
from txzookeeper.testing import HOW_TO_GET_ONE, RealServer, available
from txzookeeper.testing.embedded import EmbeddedProcess
from txzookeeper.testing.own_server import OwnServer

EMBEDDED: Final = "embedded"
REAL: Final = "ZooKeeper"
RATE: Final = "ops/s"
_WARM: Final = 20_000
_OPTIONS: Final = ("-Xmx2g", "-XX:TieredStopAtLevel=4")
_CALLS: Final = (
    ("get-1", "get", 1, 10),
    ("get-1000", "get", 1000, 1),
    ("set-1", "set", 1, 40),
    ("set-1000", "set", 1000, 1),
    ("create-1000", "create", 1000, 1),
    ("delete-1000", "delete", 1000, 1),
    ("watch-1000", "watch", 1000, 2),
)
"""A row's name, what is called, how many are in flight, and by what the operations are divided."""

_NAMES: Final = ("start", *(name for name, *_ in _CALLS), "sessions", "memory")


class Candidate:
    """One of the two servers."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._pause = threading.Event()
        self._server: OwnServer = (
            EmbeddedProcess(tick=2000)
            if name == EMBEDDED
            else RealServer({**SETTINGS, "forceSync": "yes"}, options=_OPTIONS)
        )

    @property
    def servers(self) -> str:
        """Where it listens."""
        return self._server.servers

    @property
    def memory(self) -> float:
        """Its resident set in MB."""
        return float(psutil.Process(self._server.process.pid).memory_info().rss / 1e6)

    def start(self) -> float:
        """Start it, and give how long its first answer took, in ms."""
        began = time.perf_counter()
        self._server.process.launch()
        while "Mode:" not in self._server.process.ask("srvr"):
            if time.perf_counter() - began > 60:
                raise SystemExit(f"benchmark: {self.name} does not start:\n{self._server.log}")
            self._pause.wait(0.002)
        return 1000 * (time.perf_counter() - began)

    def restart(self) -> float:
        """Kill it and start it on its data, and give how long its first answer took, in ms."""
        self._server.kill()
        return self.start()

    def close(self) -> None:
        """End it, and remove its data."""
        self._server.close()


class Table:
    """The rows that are measured, each printed when it is complete."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rows: dict[str, dict[str, list[float]]] = {}
        cells = "".join(f"{name:>29}" for name in (EMBEDDED, REAL))
        print(f"{'median (min - max)':<48}{cells}{'ratio':>8}", flush=True)

    def add(self, title: str, unit: str, values: dict[str, list[float]]) -> None:
        """Add a row."""
        self._rows[f"{title}, {unit}"] = values
        ours, theirs = (statistics.median(values[name]) for name in (EMBEDDED, REAL))
        ratio = ours / theirs if unit == RATE else theirs / ours
        cells = "".join(f"{_cell(values[name], unit):>29}" for name in (EMBEDDED, REAL))
        print(f"{f'{title}, {unit}':<48}{cells}{ratio:>8.2f}", flush=True)

    def write(self) -> None:
        """Write all rounds into the file, if one is wanted."""
        if self._path is not None:
            self._path.write_text(json.dumps(self._rows, indent=1) + "\n")


def _cell(values: list[float], unit: str) -> str:
    digits = 0 if unit == RATE else 1
    low, middle, high = (
        f"{each:,.{digits}f}" for each in (min(values), statistics.median(values), max(values))
    )
    return f"{middle} ({low} - {high})"


class Bench:
    """Both servers, and what is done to them."""

    def __init__(self, reactor: Any, arguments: argparse.Namespace) -> None:
        self.candidates = [Candidate(EMBEDDED), Candidate(REAL)]
        self._reactor = reactor
        self._arguments = arguments
        self._table = Table(arguments.json)

    async def run(self) -> None:
        """Fill the table."""
        first = {each.name: [each.start()] for each in self.candidates}
        steps: dict[str, Callable[[], Awaitable[None]]] = {
            "start": partial(self._start, first),
            **{row[0]: partial(self._calls, *row[1:]) for row in _CALLS},
            "sessions": self._sessions,
            "memory": self._memory,
        }
        for each in self.candidates:
            await self._plant(each)
        for name in self._arguments.only or _NAMES:
            await steps[name]()
        self._table.write()

    async def _start(self, first: dict[str, list[float]]) -> None:
        values = first
        for _ in range(self._arguments.rounds - 1):
            for each in self.candidates:
                values[each.name].append(each.restart())
        self._table.add("start to first answer", "ms", values)

    async def _calls(self, deed: str, in_flight: int, divisor: int) -> None:
        count = max(self._arguments.operations // divisor, 10)
        values: dict[str, list[float]] = {each.name: [] for each in self.candidates}
        for turn in range(-1, self._arguments.rounds):
            for each in self.candidates:
                rate = await self._call(each, deed, count, in_flight)
                if turn >= 0:
                    values[each.name].append(rate)
        manner = "one at a time" if in_flight == 1 else f"{in_flight:,} in flight"
        self._table.add(f"{deed}, {manner}", RATE, values)

    async def _call(self, each: Candidate, deed: str, count: int, in_flight: int) -> float:
        """Make the calls, with what belongs before and after them, and give their rate."""
        connection = Socket(each.servers, "/bench")
        if deed == "delete":
            await connection.prepare("create", count, 1000)
            await connection.create(count, 1000)
        await connection.prepare(deed, count, in_flight)
        began = time.perf_counter()
        await getattr(connection, deed)(count, in_flight)
        rate = count / (time.perf_counter() - began)
        if deed == "create":
            await connection.prepare("delete", count, 1000)
            await connection.delete(count, 1000)
        await connection.stop()
        return rate

    async def _plant(self, each: Candidate) -> None:
        """Make what is read and written, and let Java compile its code."""
        client = await self._client(each)
        for path in ("/bench", "/bench/n", "/bench/c", "/bench/w", "/bench/m"):
            await client.create(path, PAYLOAD)
        await self._fill(client, "/bench/w", 1000)
        await client.close()
        for deed in ("get", "set", "create"):
            await self._call(each, deed, _WARM, 1000)

    async def _sessions(self) -> None:
        count = self._arguments.sessions
        opening: dict[str, list[float]] = {}
        telling: dict[str, list[float]] = {each.name: [] for each in self.candidates}
        for each in self.candidates:
            began = time.perf_counter()
            clients = [await self._client(each) for _ in range(count)]
            opening[each.name] = [1000 * (time.perf_counter() - began) / count]
            for _ in range(self._arguments.rounds):
                telling[each.name].append(await self._tell(clients))
            await gatherResults([client.close() for client in clients])
        self._table.add("a session opened, one at a time", "ms", opening)
        self._table.add(f"{count:,} sessions told of a change, all", "ms", telling)

    async def _tell(self, clients: list[ZookeeperClient]) -> float:
        """Have all watch one node, change it, and give how long it took until all knew, in ms."""
        pairs = [client.get_and_watch("/bench/n") for client in clients]
        await gatherResults([result for result, _ in pairs])
        began = time.perf_counter()
        await clients[0].set("/bench/n", PAYLOAD)
        await gatherResults([watch for _, watch in pairs])
        return 1000 * (time.perf_counter() - began)

    async def _memory(self) -> None:
        count = self._arguments.nodes
        fresh, full, start = {}, {}, {}
        for each in self.candidates:
            each.restart()
            fresh[each.name] = [each.memory]
            client = await self._client(each)
            await self._fill(client, "/bench/m", count)
            await client.close()
            full[each.name] = [each.memory]
            start[each.name] = [each.restart() for _ in range(self._arguments.rounds)]
        self._table.add("memory after the start", "MB", fresh)
        self._table.add(f"memory with {count:,} nodes of 100 bytes", "MB", full)
        self._table.add("start to first answer with these nodes", "ms", start)

    async def _fill(self, client: ZookeeperClient, path: str, count: int) -> None:
        await flow(lambda i: client.create(f"{path}/{i:07}", PAYLOAD), count, 1000)

    async def _client(self, each: Candidate) -> ZookeeperClient:
        client = ZookeeperClient(each.servers, 30_000, reactor=self._reactor, random=Random(1))
        return await client.connect(timeout=30_000)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--rounds", type=positive, default=5, help="of each server for each row (5)")
    add("--operations", type=positive, default=20_000, help="in flight in each round (20,000)")
    add("--nodes", type=positive, default=100_000, help="for the memory (100,000)")
    add("--sessions", type=positive, default=1_000, help="with a watch each (1,000)")
    add("--only", choices=_NAMES, action="append", help="may be repeated")
    add("--json", type=Path, metavar="FILE", help="write all rounds there")
    arguments = parser.parse_args()
    if not available():
        raise SystemExit(f"benchmark: {HOW_TO_GET_ONE}")
    # The server's modules are to be compiled, as they are where it is installed.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    react(lambda reactor: Deferred.fromCoroutine(_run(reactor, arguments)))


async def _run(reactor: Any, arguments: argparse.Namespace) -> None:
    bench = Bench(reactor, arguments)
    try:
        await bench.run()
    finally:
        for each in bench.candidates:
            each.close()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
