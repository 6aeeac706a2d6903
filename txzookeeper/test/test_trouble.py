"""Whatever happens, in whatever order: every Deferred fires once, and nothing stays behind."""

from __future__ import annotations

import contextlib
from random import Random
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from txzookeeper.client import ZookeeperClient
from txzookeeper.managed import ManagedClient
from txzookeeper.testing.memory import MemoryServer


class Trouble:
    """One run of random calls on random clients, amid random trouble."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.server = MemoryServer()
        self.fired: list[int] = []
        self.clients = [self.make(kind) for kind in (ZookeeperClient, ManagedClient) * 2]

    def make(self, kind: type[ZookeeperClient]) -> ZookeeperClient:
        """Make a client."""
        return kind(
            "memory:2181",
            3000,
            1000,
            reactor=self.server.clock,
            endpoint=self.server.endpoint,
            random=self.chance,
        )

    def track(self, waiting: Deferred[Any]) -> None:
        """Count how often it fires."""
        number = len(self.fired)
        self.fired.append(0)

        def count(_: object) -> None:
            self.fired[number] += 1

        waiting.addBoth(count)

    def run(self) -> None:
        """Let it all happen, then close everything while the network is as it is."""
        for client in self.clients:
            self.track(client.connect(timeout=self.chance.choice([None, 500])))
        for _ in range(60):
            self.chance.choice([self.call, self.call, self.watch, self.disturb])()
            self.server.advance(self.chance.choice([0, 0, 0.01, 0.3, 1.5]))
        for client in self.clients:
            self.track(client.close())
        self.server.advance(5)

    def call(self) -> None:
        """Make some call, and perhaps think better of it."""
        client, path = self.chance.choice(self.clients), f"/n{self.chance.randrange(4)}"
        calls: list[Any] = [
            lambda: client.create(path, flags=self.chance.choice([0, 1])),
            lambda: client.set(path, b"x"),
            lambda: client.delete(path),
            lambda: client.get(path),
            lambda: client.transaction().create(path).set(path, b"2").commit(),
            lambda: client.add_auth("digest", "a:b"),
            lambda: client.connect(timeout=400),
            lambda: client.close() if self.chance.random() < 0.2 else client.sync(),
        ]
        waiting = self.chance.choice(calls)()
        self.track(waiting)
        if self.chance.random() < 0.1:
            waiting.cancel()

    def watch(self) -> None:
        """Set some watch, and perhaps think better of it."""
        client, path = self.chance.choice(self.clients), f"/n{self.chance.randrange(4)}"
        pairs: list[Any] = [client.get_and_watch, client.exists_and_watch]
        result, watch = self.chance.choice([*pairs, client.get_children_and_watch])(path)
        self.track(result)
        watch.addErrback(lambda _: None)
        if self.chance.random() < 0.2:
            watch.cancel()

    def disturb(self) -> None:
        """Do something to the network, or end a session."""
        server, client = self.server, self.chance.choice(self.clients)
        deeds: list[Any] = [server.drop_connections, server.hold, server.release]
        deeds += [server.refuse_connections, server.accept_connections, server.accept_connections]
        if client.connected:
            deeds.append(lambda: server.expire(client.client_id[0]))
        # A client that is cut off may not know yet that its session has gone.
        with contextlib.suppress(KeyError):
            self.chance.choice(deeds)()

    def end(self) -> None:
        """Let the network be whole and the server stop."""
        self.server.release()
        self.server.advance(1)
        self.server.close()


class TroubleTests(SynchronousTestCase):
    """Many short runs."""

    def test_all_fires_once(self) -> None:
        """Every Deferred fires exactly once, nothing is left on the clock, nothing is logged."""
        for seed in range(60):
            trouble = Trouble(seed)
            trouble.run()
            self.assertEqual(set(trouble.fired), {1}, f"seed {seed}")
            trouble.end()
            left = trouble.server.clock.getDelayedCalls()
            self.assertEqual(left, [], f"seed {seed}")
        self.assertEqual(self.flushLoggedErrors(), [])
