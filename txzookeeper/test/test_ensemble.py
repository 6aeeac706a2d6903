"""The client and a real ensemble of three servers, in health and in trouble."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from txzookeeper import constants as c
from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import (
    BadArgumentsException,
    BadVersionException,
    ConnectionTimeoutException,
    NoAuthException,
    NotReadOnlyException,
)
from txzookeeper.event import ClientEvent
from txzookeeper.records import Stat
from txzookeeper.test.ensembles import SKIPPED, EnsembleTestCase, Witness, again, ensemble
from txzookeeper.testing import RealWorld, client_tests
from txzookeeper.testing.ensemble import LOCAL_SESSIONS, SUPER, RealEnsemble
from txzookeeper.testing.proxy import Proxy


def ensemble_world() -> RealWorld:
    """Give a world on the ensemble."""
    from twisted.internet import reactor

    return RealWorld(reactor, ensemble().servers)


class ConformanceTests(client_tests(ensemble_world)):  # type: ignore[misc]
    """What a single server keeps, an ensemble keeps too."""

    skip = SKIPPED


class TroubleTests(EnsembleTestCase):
    """Servers that go, and come back."""

    skip = SKIPPED

    async def test_leader_stopped(self) -> None:
        """When the leader is stopped all sessions live on, whichever server they were on."""
        leader, follower = await self.find()
        witnesses = [await self.witness(leader, "a"), await self.witness(follower, "b")]
        await deferToThread(self.ensemble.stop, leader)
        await self.assert_survived(*witnesses)

    async def test_follower_killed(self) -> None:
        """When a follower is killed its clients go elsewhere, and those of others do not notice."""
        leader, follower = await self.find()
        moved, stayed = await self.witness(follower, "a"), await self.witness(leader, "b")
        await deferToThread(self.ensemble.kill, follower)
        await self.assert_survived(moved, stayed)
        self.assertEqual(moved.states, [c.CONNECTING_STATE, c.CONNECTED_STATE])
        self.assertEqual(stayed.states, [])

    async def test_leader_frozen(self) -> None:
        """When the leader stands still the others choose a new one, and all sessions live on."""
        leader, follower = await self.find()
        witnesses = [await self.witness(leader, "a"), await self.witness(follower, "b")]
        self.ensemble.freeze(leader)
        self.addCleanup(self.ensemble.thaw, leader)
        await gatherResults([witness.reached(c.CONNECTING_STATE) for witness in witnesses])
        await self.assert_survived(*witnesses)

    async def test_follower_frozen(self) -> None:
        """A client finds out by itself that its server stands still, and goes elsewhere."""
        leader, follower = await self.find()
        moved, stayed = await self.witness(follower, "a"), await self.witness(leader, "b")
        self.ensemble.freeze(follower)
        self.addCleanup(self.ensemble.thaw, follower)
        await moved.reached(c.CONNECTED_STATE)
        await self.assert_survived(moved, stayed)
        self.assertEqual(stayed.states, [])

    async def test_rolling_restart(self) -> None:
        """While each server in turn is killed and comes back, what was acknowledged stays."""
        witness = await self.witness(1)
        await self.other.create("/counter", b"0")
        made: list[str] = []
        writing = Deferred.fromCoroutine(self.write(made))
        for number in self.numbers:
            await deferToThread(self.ensemble.kill, number)
            await deferToThread(self.ensemble.start)
        self.writing = False
        await writing
        await witness.catch_up()
        names = await again(lambda: witness.client.get_children("/counter"))
        data, _ = await again(lambda: witness.client.get("/counter"))
        self.assertEqual(set(made) - {f"/counter/{name}" for name in names}, set())
        self.assertEqual(data, made[-1].encode())
        self.assertGreater(len(made), len(self.numbers))
        for name in names:
            await self.other.delete(f"/counter/{name}")
        await self.other.delete("/counter")
        await self.assert_survived(witness)

    async def write(self, made: list[str]) -> None:
        """Make sequence nodes, and set their parent to the last one's path, until told to stop."""
        self.writing = True
        while self.writing:
            path = await again(lambda: self.other.create("/counter/n-", flags=c.SEQUENCE))
            await again(partial(self.other.set, "/counter", path.encode()))
            made.append(path)


class PartitionTests(EnsembleTestCase):
    """Clients that are cut off, from one server or from all."""

    skip = SKIPPED

    async def proxied(self, timeout: int = 6000) -> tuple[list[Proxy], Witness]:
        """Give a witness that reaches the servers through proxies, and the proxies."""
        proxies = [Proxy(self.reactor, self.ensemble.server(each)) for each in self.numbers]
        for proxy in proxies:
            proxy.accept_connections()
            self.addCleanup(proxy.close)
        servers = ",".join(proxy.servers for proxy in proxies)
        witness = Witness(self.client(servers, timeout), "witness")
        await witness.begin()
        return proxies, witness

    async def test_cut(self) -> None:
        """A client whose connections to one server break goes to another one."""
        proxies, witness = await self.proxied()
        await proxies[0].refuse_connections()
        proxies[0].drop_connections()
        await witness.reached(c.CONNECTED_STATE)
        await self.assert_survived(witness)

    async def test_silence(self) -> None:
        """A client that hears no more of one server goes to another one."""
        proxies, witness = await self.proxied()
        proxies[0].hold()
        await witness.reached(c.CONNECTED_STATE)
        await self.assert_survived(witness)

    async def test_short_partition(self) -> None:
        """A client that hears of no server for a moment keeps its session."""
        proxies, witness = await self.proxied()
        for proxy in proxies:
            proxy.hold()
        await witness.reached(c.CONNECTING_STATE)
        for proxy in proxies:
            proxy.release()
        await witness.reached(c.CONNECTED_STATE)
        await self.assert_survived(witness)

    async def test_lost(self) -> None:
        """A client cut off from all servers knows that it is lost before its node is gone."""
        proxies, witness = await self.proxied(2000)
        history: list[str] = []
        lost, expired = witness.reached(c.LOST_STATE), witness.reached(c.EXPIRED_SESSION_STATE)
        lost.addCallback(lambda _: history.append("lost"))
        stat, deleted = self.other.exists_and_watch(witness.path)
        deleted.addCallback(lambda event: history.append(event.type_name))
        self.assertIsNotNone(await stat)
        for proxy in proxies:
            proxy.hold()
        await lost
        self.assertLessEqual(witness.client.session_left, 0)
        await deleted
        self.assertEqual(history, ["lost", "deleted"])
        for proxy in proxies:
            proxy.release()
        await expired
        await witness.client.close()
        self.assertEqual((witness.fired, witness.told), (["session"], ["session"]))


class EphemeralTests(EnsembleTestCase):
    """Ephemeral nodes, which go when their client does."""

    skip = SKIPPED

    async def test_closed(self) -> None:
        """A client that closes takes its node with it, for clients of all servers."""
        leader, follower = await self.find()
        witness, other = await self.witness(leader, "a"), await self.witness(follower, "b")
        await witness.client.close()
        await other.catch_up()
        self.assertIsNone(await other.client.exists("/a"))

    async def test_vanished(self) -> None:
        """The node of a client that vanished goes when its session's time is over."""
        vanished = self.client(self.ensemble.servers, 1000)
        await vanished.connect()
        await vanished.create("/a", flags=c.EPHEMERAL)
        await vanished.hand_over()
        stat, watch = self.other.exists_and_watch("/a")
        self.assertIsNotNone(await stat)
        self.assertEqual((await watch).type_name, "deleted")

    async def test_handed_over(self) -> None:
        """A session that is taken over through another server keeps its node."""
        leader, follower = await self.find()
        witness = await self.witness(leader)
        client_id = await witness.client.hand_over()
        heir = self.client(self.ensemble.server(follower))
        await heir.connect(client_id=client_id)
        self.assertEqual(heir.client_id, client_id)
        self.assertEqual(await heir.get_ephemerals(), [witness.path])


class ReadOnlyTests(TestCase):
    """One server of three, which can only read."""

    skip = SKIPPED
    timeout = 180

    def client(self, ensemble: RealEnsemble, **options: Any) -> ZookeeperClient:
        """Give a client that is closed in the end."""
        from twisted.internet import reactor

        client = ZookeeperClient(ensemble.servers, 4000, 1000, reactor=reactor, **options)
        self.addCleanup(client.close)
        return client

    async def test_read_only(self) -> None:
        """Clients that ask for it can read there, and write when a second server is back."""
        ensemble = RealEnsemble(LOCAL_SESSIONS).start()
        self.addCleanup(ensemble.close)
        writer = await self.client(ensemble).connect()
        await writer.create("/a", b"1")
        await writer.close()
        for number in (1, 2):
            await deferToThread(ensemble.stop, number)
        # It has just lost the others, and is still ending what it did with them.
        await deferToThread(ensemble.processes[3].await_answer, 30.0, "read-only")
        client = self.client(ensemble, read_only=True)
        states: list[int] = []
        written: Deferred[Stat] = Deferred()

        def changed(event: ClientEvent) -> None:
            states.append(event.connection_state)
            if event.connection_state == c.CONNECTED_STATE:
                client.set("/a", b"2").chainDeferred(written)

        client.subscribe_session(changed)
        await client.connect()
        self.assertEqual((await client.get("/a"))[0], b"1")
        await self.assertFailure(client.set("/a", b"2"), NotReadOnlyException)
        refused = self.client(ensemble).connect(timeout=100)
        await self.assertFailure(refused, ConnectionTimeoutException)
        self.assertEqual((states[-1:], client.connected), ([c.READONLY_STATE], True))
        await deferToThread(ensemble.restart, 1)
        await written
        self.assertEqual(states[-3:], [c.READONLY_STATE, c.CONNECTING_STATE, c.CONNECTED_STATE])


class ConfigurationTests(EnsembleTestCase):
    """Who belongs to the ensemble."""

    skip = SKIPPED

    async def test_reconfig(self) -> None:
        """A server is taken out and in again, and who watches the configuration is told."""
        await self.other.add_auth("digest", SUPER)
        _, follower = await self.find()
        watching = self.client(self.ensemble.servers)
        await watching.connect()
        result, watch = watching.get_config_and_watch()
        everybody, _ = await result
        self.assertEqual(members(everybody), set(self.numbers))
        fewer, stat = await self.other.reconfig(leaving=str(follower))
        self.assertEqual(members(fewer), set(self.numbers) - {follower})
        self.assertEqual((await watch).type_name, "changed")
        await again(watching.sync)
        self.assertEqual(await again(watching.get_config), (fewer, stat))
        joining = f"server.{follower}={self.ensemble.members[follower]}"
        again_all, _ = await again(lambda: self.other.reconfig(joining=joining))
        self.assertEqual(members(again_all), set(self.numbers))

    async def test_refused(self) -> None:
        """Nobody but who may do so changes the configuration, or to one that cannot be."""
        await self.assertFailure(self.other.reconfig(leaving="1"), NoAuthException)
        await self.other.add_auth("digest", SUPER)
        await self.assertFailure(self.other.reconfig(leaving="1", config_id=1), BadVersionException)
        await self.assertFailure(self.other.reconfig(joining="nonsense"), BadArgumentsException)


def members(config: bytes) -> set[int]:
    """Give the numbers of a configuration's servers."""
    return {int(number) for number in re.findall(rb"^server\.(\d+)=", config, re.MULTILINE)}
