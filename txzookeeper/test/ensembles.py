"""An ensemble that tests share, and clients that notice what happens to it."""

from __future__ import annotations

import atexit
from collections.abc import Awaitable, Callable
from functools import cache, partial
from random import Random
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from txzookeeper import constants as c
from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import ConnectionLossException
from txzookeeper.event import ClientEvent
from txzookeeper.testing.ensemble import RealEnsemble
from txzookeeper.testing.real import NOT_INSTALLED, available

SKIPPED: Final = None if available() else NOT_INSTALLED

T = TypeVar("T")


@cache
def ensemble() -> RealEnsemble:
    """Give the ensemble of all tests here; each leaves it with three servers that run."""
    started = RealEnsemble().start()
    atexit.register(started.close)
    return started


class InOrder(Random):
    """Leaves the servers in the order in which they are given."""

    def shuffle(self, x: Any) -> None:
        """Leave it."""


async def again(call: Callable[[], Awaitable[T]]) -> T:
    """Give the result of a call, made anew whenever the connection was lost under it."""
    while True:
        try:
            return await call()
        except ConnectionLossException:
            continue


class Witness:
    """A client with all that its session holds, and a record of what it is told.

    It owns the ephemeral node ``/NAME``, and has a one-shot and a standing watch on ``/watched``.
    """

    def __init__(self, client: ZookeeperClient, name: str) -> None:
        self.client = client
        self.path = f"/{name}"
        self.states: list[int] = []
        self.fired: list[str] = []
        self.told: list[str] = []
        self.arrivals: list[tuple[int, Deferred[None]]] = []
        client.subscribe_session(self.changed)

    def changed(self, event: ClientEvent) -> None:
        """Note the session's state."""
        self.states.append(event.connection_state)
        for state, arrival in list(self.arrivals):
            if state == event.connection_state:
                self.arrivals.remove((state, arrival))
                arrival.callback(None)

    def reached(self, state: int) -> Deferred[None]:
        """Fire when the session next comes to this state."""
        arrival: Deferred[None] = Deferred()
        self.arrivals.append((state, arrival))
        return arrival

    async def begin(self) -> None:
        """Connect, make the node, set the watches."""
        await self.client.connect(timeout=10_000)
        await self.client.create(self.path, flags=c.EPHEMERAL)
        await self.client.add_watch("/watched", lambda event: self.told.append(event.type_name))
        await self.watch()
        self.id = self.client.client_id
        self.states.clear()

    async def catch_up(self) -> None:
        """Have seen all that was acknowledged to anybody until now.

        A write does that. A sync does not: a leader answers those of its own clients before it
        has carried out what it let the others carry out.
        """
        await again(partial(self.client.set, self.path))

    async def watch(self) -> None:
        """Set the one-shot watch."""
        result, self.watching = self.client.exists_and_watch("/watched")
        self.watching.addCallback(lambda event: self.fired.append(event.type_name))
        await result


class EnsembleTestCase(TestCase):
    """A test that makes trouble in the ensemble."""

    timeout = 180

    async def setUp(self) -> None:  # type: ignore[override]
        """Have three servers that run, a client of all of them, and a node to be watched."""
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.ensemble = ensemble()
        self.other = self.client(self.ensemble.servers)
        await self.other.connect(timeout=10_000)
        await self.other.create("/watched")
        self.addCleanup(again, lambda: self.other.delete("/watched"))
        self.addCleanup(deferToThread, self.ensemble.start)

    def client(self, servers: str, timeout: int = 6000, **options: Any) -> ZookeeperClient:
        """Give a client that tries these servers in this order, and is closed in the end."""
        client = ZookeeperClient(
            servers, timeout, 1000, reactor=self.reactor, random=InOrder(), **options
        )
        self.addCleanup(client.close)
        return client

    async def witness(self, number: int, name: str = "witness") -> Witness:
        """Give a witness that is connected to this server, and knows the others."""
        others = [self.ensemble.server(each) for each in self.numbers if each != number]
        servers = ",".join([self.ensemble.server(number), *others])
        witness = Witness(self.client(servers), name)
        await witness.begin()
        return witness

    @property
    def numbers(self) -> list[int]:
        """All servers."""
        return list(self.ensemble.processes)

    async def find(self) -> tuple[int, int]:
        """Give the numbers of the leader and of a follower."""
        leader, followers = await deferToThread(self.ensemble.roles)
        return leader, followers[0]

    async def assert_survived(self, *witnesses: Witness) -> None:
        """Nothing of these sessions is lost: their nodes, their watches, which fire once."""
        for witness in witnesses:
            await again(witness.client.sync)
            self.assertEqual(witness.client.client_id, witness.id)
            self.assertEqual(witness.fired, [])
            self.assertEqual(set(witness.told), {"session"} if witness.states else set())
            witness.told.clear()
        await again(self.other.sync)
        for witness in witnesses:
            stat = await again(partial(self.other.exists, witness.path))
            self.assertEqual(stat and stat.ephemeral_owner, witness.id[0])
        for content in (b"1", b"2"):
            await again(partial(self.other.set, "/watched", content))
        for witness in witnesses:
            await witness.catch_up()
            self.assertEqual(witness.fired, ["changed"])
            self.assertEqual(witness.told, ["changed", "changed"])
