"""The workloads by kazoo, each in the way that is quickest for it."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from kazoo.client import KazooClient
from kazoo.protocol.states import KazooState
from real_server import cut_connections, watch_count
from workloads import PAYLOAD

PATIENCE = 60.0


class Kazoo:
    """kazoo on threads; calls in flight are waited for in their order.

    That is its best: with a semaphore, with chained callbacks, or in batches it is slower.
    """

    def __init__(self, servers: str, root: str) -> None:
        logging.getLogger("kazoo").setLevel(logging.CRITICAL)
        self._servers = servers
        self._root = root
        self._client = KazooClient(servers, timeout=30)
        self._events: SimpleQueue[Any] = SimpleQueue()
        self._kept: list[Any] = []

    async def start(self) -> None:
        """Connect."""
        self._client.start(timeout=10)

    async def stop(self) -> None:
        """Close."""
        self._client.stop()
        self._client.close()

    async def prepare(self, deed: str, count: int, in_flight: int) -> None:
        """Nothing is prepared."""

    async def get(self, count: int, in_flight: int) -> None:
        """Read one node."""
        path = f"{self._root}/n"
        if in_flight == 1:
            for _ in range(count):
                self._client.get(path)
        else:
            _flow(lambda i: self._client.get_async(path), count, in_flight)

    async def set(self, count: int, in_flight: int) -> None:
        """Write one node."""
        path = f"{self._root}/n"
        if in_flight == 1:
            for _ in range(count):
                self._client.set(path, PAYLOAD)
        else:
            _flow(lambda i: self._client.set_async(path, PAYLOAD), count, in_flight)

    async def create(self, count: int, in_flight: int) -> None:
        """Make so many nodes."""
        path = f"{self._root}/c/"
        if in_flight == 1:
            for i in range(count):
                self._client.create(f"{path}{i:07}", PAYLOAD)
        else:
            _flow(lambda i: self._client.create_async(f"{path}{i:07}", PAYLOAD), count, in_flight)

    async def delete(self, count: int, in_flight: int) -> None:
        """Delete so many nodes."""
        path = f"{self._root}/c/"
        if in_flight == 1:
            for i in range(count):
                self._client.delete(f"{path}{i:07}")
        else:
            _flow(lambda i: self._client.delete_async(f"{path}{i:07}"), count, in_flight)

    async def watch(self, count: int, in_flight: int) -> None:
        """Arm a watch, set, and receive the event."""
        path = f"{self._root}/w/"
        seen = self._events.put
        if in_flight == 1:
            for i in range(count):
                self._client.get(f"{path}{i % 1000:07}", seen)
                self._client.set(f"{path}{i % 1000:07}", PAYLOAD)
                self._events.get(timeout=PATIENCE)
            return

        def change(i: int) -> Any:
            node = f"{path}{i % in_flight:07}"
            self._client.get_async(node, seen)
            return self._client.set_async(node, PAYLOAD)

        _flow(change, count, in_flight)
        self._await_events(count)

    async def multi(self, count: int, in_flight: int) -> None:
        """Commit transactions: a check, and three times create, set, delete."""
        node, path = f"{self._root}/n", f"{self._root}/c/t"

        def commit(i: int) -> Any:
            transaction = self._client.transaction()
            transaction.check(node, -1)
            for _ in range(3):
                transaction.create(f"{path}{i:07}", PAYLOAD)
                transaction.set_data(f"{path}{i:07}", PAYLOAD)
                transaction.delete(f"{path}{i:07}")
            return transaction.commit_async()

        if in_flight == 1:
            for i in range(count):
                _succeeded(commit(i).get())
        else:
            _flow(commit, count, in_flight, _succeeded)

    async def arm(self, count: int, in_flight: int) -> None:
        """Arm a watch on each of so many nodes."""
        path, seen = f"{self._root}/r/", self._events.put
        _flow(lambda i: self._client.get_async(f"{path}{i:07}", seen), count, in_flight)

    async def keep(self, count: int, in_flight: int) -> None:
        """Keep a watch on each of so many nodes through reconnects, by its recipe."""
        self._kept = [
            self._client.DataWatch(f"{self._root}/r/{i:07}", self._told) for i in range(count)
        ]

    async def fire(self, count: int, in_flight: int) -> None:
        """Change all nodes that are watched, and wait for all events."""
        path = f"{self._root}/r/"
        _flow(lambda i: self._client.set_async(f"{path}{i:07}", PAYLOAD), count, in_flight)
        self._await_events(count)

    async def reconnect(self, count: int, in_flight: int) -> None:
        """Lose the connection, and wait until calls are answered and all watches are armed."""
        lost = threading.Event()

        def changed(state: str) -> None:
            if state == KazooState.SUSPENDED:
                lost.set()

        self._client.add_listener(changed)
        cut_connections(self._servers)
        if not lost.wait(PATIENCE):
            raise RuntimeError("kazoo did not notice that its connection was cut")
        self._client.retry(self._client.exists, self._root)
        end = time.monotonic() + PATIENCE
        while count and watch_count(self._servers) != count:
            if time.monotonic() > end:
                raise RuntimeError("kazoo's watches were not all armed again, or cannot be counted")
            time.sleep(0.005)  # noqa: TID251  # a benchmark is a program without a reactor

    async def hold_watches(self, count: int, in_flight: int) -> None:
        """Arm so many watches, of nodes that do not exist."""
        path, seen = f"{self._root}/absent-", self._events.put
        _flow(lambda i: self._client.exists_async(f"{path}{i:07}", seen), count, in_flight)

    async def hold_clients(self, count: int, in_flight: int) -> None:
        """Make so many clients, and start none."""
        self._kept = [KazooClient(self._servers, timeout=30) for _ in range(count)]

    async def hold_sessions(self, count: int, in_flight: int) -> None:
        """Make so many clients, and connect all."""
        await self.hold_clients(count, in_flight)
        for client in self._kept:
            client.start(timeout=10)

    def _told(self, data: bytes, stat: Any, event: Any) -> None:
        if event is not None:
            self._events.put(event)

    def _await_events(self, count: int) -> None:
        try:
            for _ in range(count):
                self._events.get(timeout=PATIENCE)
        except Empty:
            raise RuntimeError("kazoo did not receive all events") from None


def _flow(
    make: Callable[[int], Any],
    count: int,
    in_flight: int,
    check: Callable[[Any], None] = lambda result: None,
) -> None:
    """Keep so many calls in flight until all are answered."""
    pending: deque[Any] = deque()
    for i in range(count):
        if len(pending) == in_flight:
            check(pending.popleft().get())
        pending.append(make(i))
    while pending:
        check(pending.popleft().get())


def _succeeded(results: list[Any]) -> None:
    """Raise what kazoo gives as results when a transaction failed."""
    for result in results:
        if isinstance(result, Exception):
            raise result
