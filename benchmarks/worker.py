"""A process in which one party works: it obeys its input, and reports on its output.

Usage: ``python benchmarks/worker.py PARTY SERVERS ROOT``; a line is ``NAME COUNT``, where the name
is that of a workload, and the answer a JSON object with the wall-clock seconds, the CPU seconds
of this process (all threads) in user and system mode and of the server if our parent runs it, and
how much our memory has grown in KiB.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from resource import RUSAGE_SELF, getrusage
from typing import Any, Final, Protocol

import psutil
from real_server import processor_time
from workloads import BY_NAME, Workload

KAZOO: Final = "kazoo"
TXZOOKEEPER: Final = "txzookeeper"
FLOOR: Final = "floor"


class Party(Protocol):
    """Who can be measured; its deeds are named by the workloads and take (count, in_flight)."""

    async def start(self) -> None:
        """Connect."""

    async def stop(self) -> None:
        """Close."""

    async def prepare(self, deed: str, count: int, in_flight: int) -> None:
        """Do what is not to be measured."""


async def measure(party: Party, workload: Workload, count: int) -> dict[str, float]:
    """Do the work once, with what belongs before and after it, and say what it took."""

    async def do(deed: str) -> None:
        if deed:
            await getattr(party, deed)(count, workload.in_flight)

    await party.prepare(workload.timed, count, workload.in_flight)
    await do(workload.before)
    gc.collect()
    memory = _resident()
    server = processor_time()
    used, begin = getrusage(RUSAGE_SELF), time.perf_counter()
    await do(workload.timed)
    took, after = time.perf_counter() - begin, getrusage(RUSAGE_SELF)
    server = processor_time() - server
    gc.collect()
    grown = _resident() - memory
    await do(workload.after)
    return {
        "count": count,
        "seconds": took,
        "user": after.ru_utime - used.ru_utime,
        "system": after.ru_stime - used.ru_stime,
        "server": server,
        "kib": grown,
    }


def _resident() -> float:
    return float(psutil.Process().memory_info().rss) / 1024


async def obey(party: Party, read: Callable[[], Awaitable[str]]) -> None:
    """Measure what each line asks for, until there are no more lines."""
    await party.start()
    while line := await read():
        name, count = line.split()
        try:
            report: dict[str, Any] = await measure(party, BY_NAME[name], int(count))
        except Exception as error:
            report = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(report), flush=True)
    await party.stop()


def main(kind: str, servers: str, root: str) -> None:
    """Be this party until the input ends."""
    if kind == TXZOOKEEPER:
        _turn(servers, root)
    elif kind == KAZOO:
        from by_kazoo import Kazoo

        _block(obey(Kazoo(servers, root), _read_line))
    else:
        from by_socket import Socket

        _block(obey(Socket(servers, root), _read_line))


async def _read_line() -> str:
    return sys.stdin.readline()


def _block(work: Coroutine[Any, Any, None]) -> None:
    """Run what waits for nothing but blocking calls."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise RuntimeError("it waits for something that never comes")


def _turn(servers: str, root: str) -> None:
    """Run on Twisted's reactor; a thread waits for the lines."""
    from by_txzookeeper import TxZookeeper
    from twisted.internet.defer import Deferred
    from twisted.internet.task import react
    from twisted.internet.threads import deferToThread

    def run(reactor: Any) -> Deferred[None]:
        party = TxZookeeper(reactor, servers, root)
        return Deferred.fromCoroutine(obey(party, lambda: deferToThread(sys.stdin.readline)))

    react(run)


if __name__ == "__main__":
    main(*sys.argv[1:])
