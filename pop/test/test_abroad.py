"""Agents that are administered from other machines: real ones, by TLS."""

import json
import os

from twisted.internet.defer import Deferred, gatherResults

from pop.admin import Administrator, Ways
from pop.cluster import Cluster
from pop.errors import AgentSilent, NoIdentity, PopError
from pop.paths import Paths
from pop.test.intruders import answer, context, in_thread
from pop.test.shells import EmbeddedTestCase, Shell, free_port
from txzookeeper import ManagedClient
from txzookeeper.errors import NoNodeException

IDENTITY = "me:secret"


class AbroadTests(EmbeddedTestCase):
    """Agents of a namespace that an identity protects."""

    async def begin(self, *words: str) -> Shell:
        """A namespace, and an agent there."""
        shell = self.shell()
        shell.environment["POP_ADMIN_IDENTITY"] = IDENTITY
        await shell.pop("init")
        self.port = free_port()
        at = f"tls:{self.port}:interface=127.0.0.1"
        await shell.pop("start", "--admin", at)
        self.addCleanup(shell.try_pop, "stop")
        client = ManagedClient(self.servers, session_timeout=10_000, reactor=shell.reactor)
        client.add_auth("digest", IDENTITY)
        await client.connect()
        self.addCleanup(client.close)
        self.cluster = Cluster(client, Paths(shell.environment["POP_PATH_PREFIX"]), shell.reactor)
        self.ways = Ways(shell.reactor, self.cluster, IDENTITY, "me@there", here="elsewhere")
        return shell

    async def reached(self) -> Administrator:
        """Its agent, as soon as it lets us in."""
        return await self.ways.connect("m1")

    async def refused(self, kind: type[PopError], identity: str | None) -> str:
        """The sentence that whoever has this identity is refused with."""
        ways = Ways(self.cluster.clock, self.cluster, identity, here="elsewhere")
        try:
            await ways.connect("m1")
        except kind as error:
            return str(error)
        raise AssertionError("nothing was refused")

    async def test_asked(self) -> None:
        """One secret is enough to ask it from anywhere, and what it is says where it listens."""
        await self.begin()
        admin = await self.reached()
        self.assertEqual("m1", (await admin.info())["machine"])
        await admin.close()
        data, _ = await self.cluster.client.get(self.cluster.paths.agent("m1"))
        expected = {"hosts": ["127.0.0.1"], "port": self.port}
        self.assertEqual(expected, json.loads(data)["admin"]["tls"])
        self.assertIn("--admin-identity", await self.refused(NoIdentity, None))
        self.assertEqual(b"", await in_thread(answer, self.port, context(None), b"\0\0"))

    async def test_light(self) -> None:
        """OpenSSL is loaded in agents that are told to listen so, and in no others."""
        shell = await self.begin()
        other = self.shell("m2", shell.environment["POP_PATH_PREFIX"])
        other.environment["POP_ADMIN_IDENTITY"] = IDENTITY
        await other.pop("start")
        self.addCleanup(other.try_pop, "stop")
        here = Ways(shell.reactor, self.cluster, IDENTITY)
        for machine, expected in (("m1", True), ("m2", False)):
            admin = await here.connect(machine)
            info = await admin.info()
            await admin.close()
            with open(f"/proc/{info['pid']}/maps") as maps:
                self.assertEqual(expected, "cryptography/hazmat" in maps.read(), machine)

    async def test_many(self) -> None:
        """Who reaches many agents at a time reads the authority once, and anew when it is of no use
        any more."""
        shell = await self.begin()
        path = self.cluster.paths.authority
        both = [Deferred.fromCoroutine(self.ways.connect("m1")) for _ in range(2)]
        for admin in await gatherResults(both):
            await admin.close()
        sealed, _ = await self.cluster.client.get(path)
        await self.cluster.client.delete(path)
        # Until an agent has seen that, it lets in whoever knows the old one.
        self.assertNotEqual(sealed, await shell.until(self.authority))
        await shell.until(self.again)

    async def authority(self) -> bytes | None:
        """The authority as it lies in ZooKeeper, if it does."""
        try:
            return (await self.cluster.client.get(self.cluster.paths.authority))[0]
        except NoNodeException:
            return None

    async def test_upgraded(self) -> None:
        """While it becomes another version of itself, those who come wait for a moment."""
        shell = await self.begin()
        before = await (await self.reached()).info()
        await shell.pop("upgrade")
        admin = await self.reached()
        self.assertEqual(before["pid"], (await admin.info())["pid"])
        await admin.close()

    async def test_reset(self) -> None:
        """When the namespace is made anew it has another authority, and the agent goes by that."""
        shell = await self.begin()
        await (await self.reached()).close()
        await shell.pop("init", "--force")
        await shell.until(self.again)

    async def again(self) -> bool:
        """Whether it lets us in."""
        try:
            await (await self.reached()).close()
        except PopError:
            return False
        return True

    async def test_killed(self) -> None:
        """The successor of a killed one is reached at the same place."""
        shell = await self.begin()
        pid = (await (await self.reached()).info())["pid"]
        os.kill(pid, 9)
        await shell.pop("start", "--admin", f"tls:{self.port}:interface=127.0.0.1")
        await (await self.reached()).close()

    async def test_taken(self) -> None:
        """An agent whose port somebody else has does its work, and says what is missing."""
        shell = await self.begin()
        other = self.shell("m2", shell.environment["POP_PATH_PREFIX"])
        other.environment["POP_ADMIN_IDENTITY"] = IDENTITY
        await other.pop("start", "--admin", f"tls:{self.port}:interface=127.0.0.1")
        self.addCleanup(other.try_pop, "stop")
        log = os.path.join(other.environment["POP_STATE_DIR"], "agent.log")
        with open(log) as file:
            self.assertIn("Nobody can come in from other machines: cannot listen", file.read())
        await (await self.reached()).close()
        # who answers at m2's address is m1
        try:
            await self.ways.connect("m2")
        except AgentSilent as error:
            self.assertIn("certificate is not for", str(error))

    async def test_open_to_everybody(self) -> None:
        """Where no identity protects the namespace, nobody vouches for anybody: refused."""
        shell = self.shell()
        await shell.pop("init")
        said = await shell.refuse("start", "--admin", "tls:8765")
        self.assertIn("--admin-identity", said)
        shell.environment["POP_ADMIN_IDENTITY"] = IDENTITY
        for command in ("start", "fg"):
            said = await shell.refuse(command, "--admin", "tls:8765")
            self.assertIn("open to everybody", said)
        said = await shell.refuse("start", "--admin", "8765")
        self.assertIn("tls:PORT", said)
