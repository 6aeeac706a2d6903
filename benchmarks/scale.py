"""Thousands of sessions of one process and one reactor, through a restart of their ZooKeeper.

Usage: ``python benchmarks/scale.py [--sessions N] [--watches N] [--timeout SECONDS]``.

Each session is a client of its own with watches on nodes of its own. The server is killed and
started again on the same data; then it is told how long until all sessions are back, and whether
that was within the session's time-out; whether any expired, or was another one than before;
whether the server has all watches again, and each of them fires, once. The server is asked about
it too. Memory and CPU time are those of this process, which is all clients together.

The exit status is 1 if a session expired or a watch did not fire.
"""

from __future__ import annotations

import argparse
import gc
import resource
import sys
import time
from collections import Counter
from random import Random
from typing import Any

import psutil
from by_txzookeeper import flow
from client import positive
from real_server import OPTIONS, SETTINGS, monitored, own_server
from twisted.internet.defer import Deferred, DeferredList, gatherResults
from twisted.internet.task import deferLater, react
from twisted.internet.threads import deferToThread

from txzookeeper import CONNECTED_STATE, ClientEvent, ManagedClient, ZookeeperClient
from txzookeeper.errors import ZooKeeperException
from txzookeeper.testing import RealServer

ROOT = "/scale"
_SPARE_FILES = 200
_AT_A_TIME = 200
"""So many sessions are opened at once in the beginning: the restart is what all do at once."""


class Sitter:
    """One session, its watches, and what it went through."""

    def __init__(self, crowd: Crowd, number: int) -> None:
        self.client = ZookeeperClient(
            crowd.servers, crowd.timeout, reactor=crowd.reactor, random=Random(number)
        )
        self.session = 0
        self.back_at = 0.0
        self.states: Counter[str] = Counter()
        self.fired: Counter[str] = Counter()
        self._crowd = crowd
        self._path = f"{ROOT}/{number:05}"
        self._returned: Deferred[None] | None = None

    async def sit(self, watches: int) -> None:
        """Connect, make the nodes, and watch them."""
        await self.client.connect(timeout=60_000)
        self.session = self.client.client_id[0]
        await self.client.create(self._path)
        for number in range(watches):
            await self.client.create(f"{self._path}/{number}", b"before")
            read, watch = self.client.get_and_watch(f"{self._path}/{number}")
            watch.addCallback(self._changed)
            await read
        self.client.set_session_callback(self._stands)

    def returned(self) -> Deferred[None]:
        """Fire when it is connected again, after it has lost its connection."""
        self._returned = Deferred()
        return self._returned

    def _changed(self, event: ClientEvent) -> None:
        self.fired[event.type_name] += 1

    def _stands(self, _: object, event: ClientEvent) -> None:
        self.states[event.state_name] += 1
        over = self.client.unrecoverable
        if event.connection_state == CONNECTED_STATE or over:
            self.back_at = time.monotonic()
            if self._returned is not None and not self._returned.called:
                self._returned.callback(None)


class Crowd:
    """All sessions, and the one who changes what they watch."""

    def __init__(self, reactor: Any, server: RealServer, arguments: argparse.Namespace) -> None:
        self.reactor = reactor
        self.servers = server.servers
        self.timeout = round(1000 * arguments.timeout)
        self._server = server
        self._watches: int = arguments.watches
        self._writer = ManagedClient(self.servers, self.timeout, reactor=reactor)
        self._meter = Meter()
        self._sitters = [Sitter(self, number) for number in range(arguments.sessions)]

    async def sit(self) -> None:
        """Open all sessions and arm all watches."""
        await self._writer.connect(timeout=10_000)
        await self._writer.create(ROOT)
        self._meter.start()
        waiting = iter(self._sitters)
        await gatherResults(
            [Deferred.fromCoroutine(self._sit(waiting)) for _ in range(_AT_A_TIME)],
            consumeErrors=True,
        )
        self._meter.tell(f"{len(self._sitters):,} sessions with {self._watches} watches each")
        granted = {each.client.session_timeout for each in self._sitters}
        print(f"the server grants them {'/'.join(map(str, sorted(granted)))} ms")
        await self._look()

    async def _sit(self, waiting: Any) -> None:
        for sitter in waiting:
            await sitter.sit(self._watches)

    async def rest(self, seconds: float) -> None:
        """Let nothing happen but pings."""
        self._meter.start()
        await deferLater(self.reactor, seconds)
        self._meter.tell("nothing happens")

    async def restart(self) -> bool:
        """Restart the server, and wait until all are back; says whether all are what they were."""
        returned = [each.returned() for each in self._sitters]
        self._meter.start()
        killed = time.monotonic()
        await deferToThread(self._server.kill)
        await deferToThread(self._server.start)
        down = time.monotonic() - killed
        print(f"the server was killed, and seen to serve again after {down:.2f} s")
        everybody = DeferredList(returned, consumeErrors=True)
        limit = self.reactor.callLater(3 * self.timeout / 1000, everybody.cancel)
        await everybody
        if limit.active():
            limit.cancel()
        self._meter.tell("the wait for all sessions")
        return self._tell_returns(killed)

    def _tell_returns(self, killed: float) -> bool:
        away = sorted(each.back_at - killed for each in self._sitters if each.client.connected)
        if away:
            first, half, most = (away[len(away) * percent // 100] for percent in (0, 50, 95))
            print(
                f"  away: the first {first:.2f} s, half {half:.2f} s, 95 % {most:.2f} s, ", end=""
            )
            print(f"the last {away[-1]:.2f} s, which is {away[-1] - first:.2f} s after the first")
        within = sum(1000 * each < self.timeout for each in away)
        print(f"  back within the time-out of {self.timeout / 1000:g} s: {within:,} of ", end="")
        print(f"{len(self._sitters):,}")
        states = sum((each.states for each in self._sitters), Counter[str]())
        print("  " + ", ".join(f"{name} {count:,}" for name, count in sorted(states.items())))
        expired = sum(each.client.unrecoverable for each in self._sitters)
        absent = sum(not each.client.connected for each in self._sitters)
        others = sum(each.client.client_id[0] != each.session for each in self._sitters)
        print(f"  expired {expired}, not connected {absent}, another session than before {others}")
        return not (expired or absent or others)

    async def change(self) -> bool:
        """Change all that is watched; says whether each watch fired once, and told of a change."""
        await self._writer.exists(ROOT)
        await self._look()
        early = sum(each.fired.total() for each in self._sitters)
        self._meter.start()
        nodes = [
            f"{ROOT}/{number:05}/{watch}"
            for number in range(len(self._sitters))
            for watch in range(self._watches)
        ]
        await flow(lambda i: self._writer.set(nodes[i], b"after"), len(nodes), 1000)
        # An answer comes after all events; whoever gets none has expired, which shows below.
        answers = [each.client.fail_fast.exists(ROOT) for each in self._sitters]
        await DeferredList(answers, consumeErrors=True)
        self._meter.tell(f"{len(nodes):,} nodes changed, and all events received")
        fired = sum((each.fired for each in self._sitters), Counter[str]())
        complete = sum(each.fired == Counter(changed=self._watches) for each in self._sitters)
        print(f"  fired before anything had changed: {early}; then: {dict(fired)}")
        print(f"  sessions that were told of each change once: {complete:,} of ", end="")
        print(f"{len(self._sitters):,}")
        return not early and complete == len(self._sitters)

    async def leave(self) -> None:
        """Close all sessions."""
        self._meter.start()
        await gatherResults([each.client.close() for each in self._sitters])
        self._meter.tell("all sessions are closed")
        await self._look()
        await self._writer.close()

    async def _look(self) -> None:
        """Ask the server."""
        said = await deferToThread(monitored, self.servers)
        names = ("num_alive_connections", "global_sessions", "watch_count", "znode_count")
        counts = ", ".join(f"{name} {int(said.get(f'zk_{name}', -1)):,}" for name in names)
        print(f"  the server says: {counts}", flush=True)


class Meter:
    """Wall-clock time, CPU time and memory of this process, between two moments."""

    def start(self) -> None:
        """Begin."""
        self._began = time.monotonic()
        self._used = resource.getrusage(resource.RUSAGE_SELF)

    def tell(self, what: str) -> None:
        """Print what it took since the beginning."""
        took = time.monotonic() - self._began
        used = resource.getrusage(resource.RUSAGE_SELF)
        user = used.ru_utime - self._used.ru_utime
        system = used.ru_stime - self._used.ru_stime
        gc.collect()
        memory = psutil.Process().memory_info().rss / 2**20
        print(f"{what}: {took:.2f} s, CPU {user:.2f} s user {system:.2f} s system, ", end="")
        print(f"{memory:.0f} MiB resident", flush=True)


def main() -> None:
    """Run it all."""
    arguments = parse(sys.argv[1:])
    allow_files(arguments.sessions + _SPARE_FILES)
    tick = max(round(1000 * arguments.timeout / 20), 500)
    settings = {**SETTINGS, "tickTime": str(tick)}
    with own_server(settings) as server:
        print(f"ZooKeeper with a tick of {tick} ms, {' '.join(OPTIONS)}")
        react(lambda reactor: Deferred.fromCoroutine(_run(reactor, server, arguments)))


async def _run(reactor: Any, server: RealServer, arguments: argparse.Namespace) -> None:
    crowd = Crowd(reactor, server, arguments)
    await crowd.sit()
    await crowd.rest(arguments.rest)
    returned = await crowd.restart()
    try:
        told = await crowd.change()
    except ZooKeeperException as error:
        print(f"  what is watched could not be changed: {error}")
        told = False
    await crowd.leave()
    if not (returned and told):
        raise SystemExit(1)


def parse(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--sessions", type=positive, default=2000, metavar="N", help="(2,000)")
    add("--watches", type=positive, default=10, metavar="N", help="of each session (10)")
    add("--timeout", type=_seconds, default=10.0, metavar="SECONDS", help="of a session (10)")
    add("--rest", type=_seconds, default=10.0, metavar="SECONDS", help="idle before (10)")
    return parser.parse_args(words)


def _seconds(word: str) -> float:
    try:
        seconds = float(word)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{word!r} is no number of seconds from 1 to 3600")
    return seconds


def allow_files(needed: int) -> None:
    """Let this process, and the server it starts, have so many files open; exits if it may not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    most = hard if hard == resource.RLIM_INFINITY else max(hard, needed)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, most))
    except (ValueError, OSError):
        message = f"this needs {needed} open files, and {hard} are allowed here: raise it with"
        raise SystemExit(f"benchmark: {message} `ulimit -Hn {needed}`, or as root.") from None


if __name__ == "__main__":
    main()
