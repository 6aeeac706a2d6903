"""The workloads by txzookeeper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from real_server import cut_connections, watch_count
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from workloads import PAYLOAD

from txzookeeper import CONNECTING_STATE, ClientEvent, ZookeeperClient


class TxZookeeper:
    """txzookeeper on Twisted; calls in flight are chained by their callbacks."""

    def __init__(self, reactor: IReactorTime, servers: str, root: str) -> None:
        self._reactor = reactor
        self._servers = servers
        self._root = root
        self._client = self._new_client()
        self._clients: list[ZookeeperClient] = []
        self._fired = 0

    async def start(self) -> None:
        """Connect."""
        await self._client.connect(timeout=10_000)

    async def stop(self) -> None:
        """Close."""
        for client in [self._client, *self._clients]:
            await client.close()

    async def prepare(self, deed: str, count: int, in_flight: int) -> None:
        """Forget the events of what was measured before."""
        self._fired = 0

    async def get(self, count: int, in_flight: int) -> None:
        """Read one node."""
        path = f"{self._root}/n"
        if in_flight == 1:
            for _ in range(count):
                await self._client.get(path)
        else:
            await flow(lambda i: self._client.get(path), count, in_flight)

    async def set(self, count: int, in_flight: int) -> None:
        """Write one node."""
        path = f"{self._root}/n"
        if in_flight == 1:
            for _ in range(count):
                await self._client.set(path, PAYLOAD)
        else:
            await flow(lambda i: self._client.set(path, PAYLOAD), count, in_flight)

    async def create(self, count: int, in_flight: int) -> None:
        """Make so many nodes."""
        path = f"{self._root}/c/"
        if in_flight == 1:
            for i in range(count):
                await self._client.create(f"{path}{i:07}", PAYLOAD)
        else:
            await flow(lambda i: self._client.create(f"{path}{i:07}", PAYLOAD), count, in_flight)

    async def delete(self, count: int, in_flight: int) -> None:
        """Delete so many nodes."""
        path = f"{self._root}/c/"
        if in_flight == 1:
            for i in range(count):
                await self._client.delete(f"{path}{i:07}")
        else:
            await flow(lambda i: self._client.delete(f"{path}{i:07}"), count, in_flight)

    async def watch(self, count: int, in_flight: int) -> None:
        """Arm a watch, set, and receive the event."""
        path = f"{self._root}/w/"
        if in_flight == 1:
            for i in range(count):
                node = f"{path}{i % 1000:07}"
                result, watch = self._client.get_and_watch(node)
                await result
                await self._client.set(node, PAYLOAD)
                await watch
            return

        def change(i: int) -> Deferred[Any]:
            node = f"{path}{i % in_flight:07}"
            self._client.get_and_watch(node)[1].addCallback(self._count)
            return self._client.set(node, PAYLOAD)

        await flow(change, count, in_flight)
        self._expect(count)

    async def multi(self, count: int, in_flight: int) -> None:
        """Commit transactions: a check, and three times create, set, delete."""
        node, path = f"{self._root}/n", f"{self._root}/c/t"

        def commit(i: int) -> Deferred[Any]:
            transaction = self._client.transaction()
            transaction.check(node, -1)
            for _ in range(3):
                transaction.create(f"{path}{i:07}", PAYLOAD)
                transaction.set(f"{path}{i:07}", PAYLOAD)
                transaction.delete(f"{path}{i:07}")
            return transaction.commit()

        if in_flight == 1:
            for i in range(count):
                await commit(i)
        else:
            await flow(commit, count, in_flight)

    async def arm(self, count: int, in_flight: int) -> None:
        """Arm a watch on each of so many nodes."""
        path = f"{self._root}/r/"

        def look(i: int) -> Deferred[Any]:
            result, watch = self._client.get_and_watch(f"{path}{i:07}")
            watch.addCallback(self._count)
            return result

        await flow(look, count, in_flight)

    keep = arm

    async def fire(self, count: int, in_flight: int) -> None:
        """Change all nodes that are watched, and see that all events came."""
        path = f"{self._root}/r/"
        armed = watch_count(self._servers)
        if armed is not None and armed < count:
            raise RuntimeError(f"the server has {armed} watches armed instead of {count}")
        await flow(lambda i: self._client.set(f"{path}{i:07}", PAYLOAD), count, in_flight)
        self._expect(count)

    async def reconnect(self, count: int, in_flight: int) -> None:
        """Lose the connection, and wait until calls are answered and all watches are armed.

        An answer says both, as no call overtakes the watches; ``fire`` looks again.
        """
        lost: Deferred[None] = Deferred()

        def changed(_: object, event: ClientEvent) -> None:
            if event.connection_state == CONNECTING_STATE and not lost.called:
                lost.callback(None)

        self._client.set_session_callback(changed)
        cut_connections(self._servers)
        await lost
        await self._client.exists(self._root)

    async def hold_watches(self, count: int, in_flight: int) -> None:
        """Arm so many watches, of nodes that do not exist."""
        path = f"{self._root}/absent-"

        def look(i: int) -> Deferred[Any]:
            result, watch = self._client.exists_and_watch(f"{path}{i:07}")
            watch.addCallback(self._count)
            return result

        await flow(look, count, in_flight)

    async def hold_clients(self, count: int, in_flight: int) -> None:
        """Make so many clients, and connect none."""
        self._clients = [self._new_client() for _ in range(count)]

    async def hold_sessions(self, count: int, in_flight: int) -> None:
        """Make so many clients, and connect all."""
        await self.hold_clients(count, in_flight)
        for client in self._clients:
            await client.connect(timeout=10_000)

    def _new_client(self) -> ZookeeperClient:
        return ZookeeperClient(self._servers, 30_000, reactor=self._reactor)

    def _count(self, event: ClientEvent) -> None:
        self._fired += 1

    def _expect(self, count: int) -> None:
        # An event of one's own change comes before the reply to it.
        if self._fired != count:
            raise RuntimeError(f"{self._fired} events came instead of {count}")


def flow(make: Callable[[int], Deferred[Any]], count: int, in_flight: int) -> Deferred[None]:
    """Keep so many calls in flight until all are answered."""
    done: Deferred[None] = Deferred()
    started = answered = 0

    def start() -> None:
        nonlocal started
        call = make(started)
        started += 1
        call.addCallbacks(go_on, give_up)

    def go_on(_: object) -> None:
        nonlocal answered
        answered += 1
        if started < count:
            start()
        elif answered == count:
            done.callback(None)

    def give_up(failure: Failure) -> None:
        if not done.called:
            done.errback(failure)

    for _ in range(min(count, in_flight)):
        start()
    if not count:
        done.callback(None)
    return done
