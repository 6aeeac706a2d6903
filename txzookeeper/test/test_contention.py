"""Locks, leases and counters among clients to whom anything may happen, at random moments."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError, gatherResults

from txzookeeper.counter import Counter
from txzookeeper.errors import ConnectionLossException
from txzookeeper.lock import Lock, LockLost, ReadLock, Semaphore, WriteLock
from txzookeeper.managed import ManagedClient
from txzookeeper.test.stage import StageTestCase
from txzookeeper.testing.memory import Network
from txzookeeper.utils import sleep
from txzookeeper.waiting_line import tickets

Check = Callable[[list[Lock]], None]
"""What must hold of all locks whenever one is held."""

RUNS = 20


class Mischief:
    """Breaks and mends the networks of some clients, until it is told to stop."""

    def __init__(self, networks: list[Network], chance: Random) -> None:
        self.going_on = True
        self._networks = networks
        self._chance = chance

    async def go_on(self) -> None:
        """Do something to somebody every now and then; in the end all is well."""
        while self.going_on:
            await sleep(self._networks[0].clock, self._chance.expovariate(1))
            network = self._chance.choice(self._networks)
            deeds = (
                *(network.drop_connections, network.hold, network.release),
                *(network.refuse_connections, network.accept_connections),
            )
            self._chance.choice(deeds)()
        for network in self._networks:
            network.release()
            network.accept_connections()


class ContentionTests(StageTestCase):
    """Some clients want the same, while their connections are cut, held up and refused."""

    def contest(self, seed: int, visits: Any, count: int = 4) -> None:
        """Run ``visits(client, chance)`` for several clients in the midst of mischief."""
        chance = Random(seed)
        networks = [self.stage.server.network() for _ in range(count)]
        clients = []
        for network in networks:
            client = ManagedClient(
                self.stage.server.servers,
                chance.choice((2000, 6000)),
                reactor=self.stage.server.clock,
                endpoint=network.endpoint,
                random=chance,
            )
            self.stage.clients.append(client)
            clients.append(self.run_work(client.connect()))
        mischief = Mischief(networks, chance)

        async def all_of_it() -> None:
            going_on = Deferred.fromCoroutine(mischief.go_on())
            visiting = [Deferred.fromCoroutine(visits(each, chance)) for each in clients]
            await sleep(self.client, 60)
            mischief.going_on = False
            await gatherResults([going_on, *visiting])

        self.stage.run(all_of_it(), limit=600)
        for client in clients:
            self.run_work(client.close())

    def each_run(self, path: str) -> Any:
        """Give seeds, and after each of them require that nobody is left in line."""
        for seed in range(RUNS):
            yield seed
            self.assertEqual(self.run_work(tickets(self.client, path)), [])

    async def hold(self, lock: Lock, chance: Random, check: Any) -> bool:
        """Try to have a lock for some time; say whether it came to that."""
        waiting = lock.acquire().addTimeout(chance.uniform(0, 20), self.client.reactor)
        try:
            await waiting
        except TimeoutError:
            return False
        check()
        await sleep(self.client, chance.uniform(0, 4))
        try:
            await lock.release()
        except LockLost:
            return False
        return True

    def test_lock(self) -> None:
        """Never do two believe that they hold it, and all get it, with rising tokens."""
        for seed in self.each_run("/lock"):
            locks: list[Lock] = []
            tokens: list[int] = []

            def check(locks: list[Lock] = locks, tokens: list[int] = tokens) -> None:
                [lock] = [each for each in locks if each.acquired]
                tokens.append(lock.token)

            async def visits(
                client: ManagedClient,
                chance: Random,
                locks: list[Lock] = locks,
                check: Any = check,
            ) -> None:
                lock = Lock("/lock", client, random=chance)
                locks.append(lock)
                for _ in range(4):
                    while not await self.hold(lock, chance, check):
                        pass

            self.contest(seed, visits)
            self.assertEqual(tokens, sorted(set(tokens)))
            self.assertGreaterEqual(len(tokens), 16)

    def share(self, path: str, new: Callable[[ManagedClient, Random], Lock], check: Check) -> None:
        """Let all have one lock after the other; whenever one has it, check all there were."""
        for seed in self.each_run(path):
            locks: list[Lock] = []

            async def visits(
                client: ManagedClient, chance: Random, locks: list[Lock] = locks
            ) -> None:
                for _ in range(4):
                    lock = new(client, chance)
                    locks.append(lock)
                    await self.hold(lock, chance, partial(check, locks))

            self.contest(seed, visits)

    def test_shared(self) -> None:
        """Never does anybody share it with a writer."""

        def new(client: ManagedClient, chance: Random) -> Lock:
            return chance.choice((ReadLock, WriteLock))("/rw", client, random=chance)

        def check(locks: list[Lock]) -> None:
            kinds = [each.kind for each in locks if each.acquired]
            self.assertIn(kinds, (["write"], ["read"] * len(kinds)))

        self.share("/rw", new, check)

    def test_semaphore(self) -> None:
        """Never do more believe that they hold it than there are leases."""

        def new(client: ManagedClient, chance: Random) -> Lock:
            return Semaphore("/semaphore", client, 2, random=chance)

        def check(locks: list[Lock]) -> None:
            self.assertLessEqual([each.acquired for each in locks].count(True), 2)

        self.share("/semaphore", new, check)

    def test_counter(self) -> None:
        """What was added is there, and what may have been added or not was told."""
        for seed in range(RUNS):
            sure, unsure = [0], [0]

            async def visits(
                client: ManagedClient,
                chance: Random,
                sure: list[int] = sure,
                unsure: list[int] = unsure,
            ) -> None:
                counter = Counter("/counter", client, random=chance)
                for _ in range(20):
                    try:
                        await counter.add()
                        sure[0] += 1
                    except ConnectionLossException:
                        unsure[0] += 1
                    await sleep(client, chance.uniform(0, 1))

            counter = Counter("/counter", self.client)
            before = self.run_work(counter.value())
            self.contest(seed, visits)
            added = self.run_work(counter.value()) - before
            self.assertLessEqual(sure[0], added)
            self.assertLessEqual(added, sure[0] + unsure[0])
            self.assertEqual(sure[0] + unsure[0], 80)
