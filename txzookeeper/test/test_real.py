"""The client against a real ZooKeeper: what only a real one can prove."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from txzookeeper import constants as c
from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import (
    BadVersionException,
    ConnectionLossException,
    NoAuthException,
    SessionExpiredException,
)
from txzookeeper.managed import ManagedClient
from txzookeeper.permissions import make_digest_acl
from txzookeeper.testing.real import NOT_INSTALLED, RealServer, available


class RealServerTests(TestCase):
    """A server that is stopped and started under its clients."""

    skip = None if available() else NOT_INSTALLED
    timeout = 60

    def setUp(self) -> None:
        """Start a server."""
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.server = RealServer().start()
        self.addCleanup(self.server.close)

    async def connected(
        self, kind: type[ZookeeperClient] = ZookeeperClient, chroot: str = ""
    ) -> Any:
        """Give a connected client that is closed in the end."""
        client = kind(self.server.servers + chroot, 6000, reactor=self.reactor)
        self.addCleanup(client.close)
        return await client.connect(timeout=10_000)

    async def test_restart(self) -> None:
        """A killed server's return finds the same session, its watches and its waiting calls."""
        other = await self.connected()
        await other.create("/x")
        client = await self.connected(chroot="/x")
        before = client.client_id
        await client.create("/e", flags=c.EPHEMERAL)
        pairs = [client.get_and_watch("/e"), client.exists_and_watch("/n")]
        pairs.append(client.get_children_and_watch("/"))
        for result, _ in pairs:
            await result
        self.server.kill()
        await self.assertFailure(client.get("/e"), ConnectionLossException)
        waiting = client.get("/e")
        await deferToThread(self.server.restart)
        await waiting
        self.assertEqual(client.client_id, before)
        await gatherResults([other.set("/x/e", b"2"), other.create("/x/n")])
        events = [(await watch).type_name for _, watch in pairs]
        self.assertEqual(events, ["changed", "created", "child"])

    async def test_expiry(self) -> None:
        """A session ended elsewhere expires; a managed client goes on with its nodes."""
        plain, managed = await self.connected(), await self.connected(ManagedClient)
        await managed.create("/e", b"1", flags=c.EPHEMERAL)
        await managed.set("/e", b"2")
        new: Deferred[ManagedClient] = managed.subscribe_new_session()
        for victim in (plain, managed):
            await self.end_session(victim)
        await new
        self.assertEqual((await managed.get("/e"))[0], b"2")
        await self.assertFailure(plain.get("/e"), SessionExpiredException)
        self.assertTrue(plain.unrecoverable)

    async def end_session(self, victim: ZookeeperClient) -> None:
        """Resume a client's session elsewhere, and close it there."""
        state, expired = victim.client_id, Deferred[None]()
        victim.set_session_callback(
            lambda _, event: (
                expired.callback(None)
                if event.connection_state == c.EXPIRED_SESSION_STATE and not expired.called
                else None
            )
        )
        while not expired.called:
            thief = ZookeeperClient(self.server.servers, 6000, reactor=self.reactor)
            try:
                await thief.connect(client_id=state)
            except SessionExpiredException:
                break
            finally:
                await thief.close()
        await expired

    async def test_access(self) -> None:
        """A digest ACL admits who has the password, and nobody else."""
        owner, stranger = await self.connected(), await self.connected()
        await owner.add_auth("digest", "u:p")
        await owner.create("/secret", b"1", [make_digest_acl("u", "p")])
        self.assertEqual((await owner.get("/secret"))[0], b"1")
        await self.assertFailure(stranger.get("/secret"), NoAuthException)

    async def test_transaction(self) -> None:
        """A failed transaction names its culprit, and a good one gives all results."""
        client = await self.connected()
        results = await client.transaction().create("/a").set("/a", b"1").check("/a", 1).commit()
        self.assertEqual((results[0], results[1].version, results[2]), ("/a", 1, None))
        failing = client.transaction().create("/b").set("/a", b"", 7).delete("/a").commit()
        error = await self.assertFailure(failing, BadVersionException)
        self.assertEqual((error.path, error.index), ("/a", 1))

    async def test_many_watches(self) -> None:
        """More watches than fit into one packet are armed again after a reconnection."""
        client, other = await self.connected(), await self.connected()
        paths = [f"/{number:0>200}" for number in range(2000)]
        pairs = [client.exists_and_watch(path) for path in paths]
        await gatherResults([result for result, _ in pairs])
        self.server.kill()
        await deferToThread(self.server.restart)
        await client.sync()
        await gatherResults([other.create(path) for path in paths])
        events = await gatherResults([watch for _, watch in pairs])
        self.assertEqual([event.path for event in events], paths)

    async def test_beside_kazoo(self) -> None:
        """An independent client sees the same nodes, field by field."""
        client = await self.connected()
        await client.add_auth("digest", "u:p")
        await client.create("/a", b"data", [make_digest_acl("u", "p", c.PERM_ALL)])
        await client.create("/a/b")
        seen = await deferToThread(self.ask_kazoo)
        data, stat = await client.get("/a")
        acls, _ = await client.get_acl("/a")
        self.assertEqual(seen, (data, tuple(stat), await client.get_children("/a"), acls[0].id))

    def ask_kazoo(self) -> tuple[object, ...]:
        """Read the same with kazoo."""
        from kazoo.client import KazooClient

        kazoo = KazooClient(self.server.servers, auth_data=[("digest", "u:p")])
        kazoo.start()
        try:
            (data, stat), (acls, _) = kazoo.get("/a"), kazoo.get_acls("/a")
            return data, tuple(stat), kazoo.get_children("/a"), acls[0].id.id
        finally:
            kazoo.stop()
            kazoo.close()
