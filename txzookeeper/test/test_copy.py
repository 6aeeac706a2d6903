"""A tree moves from the embedded server to a real ZooKeeper, and back, by a client's means."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from txzookeeper.client import ZookeeperClient
from txzookeeper.constants import EPHEMERAL, PERM_ALL
from txzookeeper.permissions import make_digest_acl
from txzookeeper.testing.embedded import EmbeddedProcess
from txzookeeper.testing.real import NOT_INSTALLED, RealServer, available

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "copy_tree.py"
MISSING = None if PROGRAM.exists() else "needs the examples of a checkout"
NODES = {"/": b"root", "/a": b"\xff\0", "/a/b": b"", "/a/b/c": b"x" * 100_000, "/z": b"z"}
SECRET = make_digest_acl("me", "secret", PERM_ALL)


class CopyTests(TestCase):
    """Two servers, and the program that the documentation shows."""

    skip = MISSING or (None if available() else NOT_INSTALLED)
    timeout = 120

    async def test_there_and_back(self) -> None:
        """Paths, data and ACLs arrive; what is ephemeral or the server's own stays behind."""
        embedded, real, empty = EmbeddedProcess(), RealServer(), EmbeddedProcess()
        for server in (embedded, real, empty):
            self.addCleanup(server.close)
            await deferToThread(server.start)
        client = await self.connected(embedded.servers)
        for path, data in NODES.items():
            if path != "/":
                await client.create(path, data)
        await client.set("/", b"root")
        await client.create("/a/mine", flags=EPHEMERAL)
        await client.set_acl("/a/b", [SECRET])
        await self.copy(embedded.servers, real.servers)
        self.assertEqual(await self.seen(real.servers), (NODES, [SECRET]))
        await self.copy(real.servers, empty.servers)
        self.assertEqual(await self.seen(empty.servers), (NODES, [SECRET]))

    async def copy(self, origin: str, destination: str) -> None:
        """Run the program."""
        command = [sys.executable, str(PROGRAM), origin, destination, "me:secret"]
        out = await deferToThread(subprocess.check_output, command, text=True, timeout=60)
        self.assertEqual(out, f"{len(NODES)} nodes are at {destination}.\n")

    async def connected(self, servers: str) -> ZookeeperClient:
        """Give a connected client that is closed in the end."""
        from twisted.internet import reactor

        clock: Any = reactor
        client = ZookeeperClient(servers, 8000, reactor=clock)
        self.addCleanup(client.close)
        await client.connect(timeout=20_000)
        await client.add_auth("digest", "me:secret")
        return client

    async def seen(self, servers: str) -> tuple[dict[str, bytes], list[Any]]:
        """Give all nodes with their data, and one's ACL."""
        client = await self.connected(servers)
        found, places = {}, ["/"]
        while places:
            path = places.pop()
            found[path] = (await client.get(path))[0]
            names = await client.get_children(path)
            places += [f"{path.rstrip('/')}/{name}" for name in names if name != "zookeeper"]
        acls, _ = await client.get_acl("/a/b")
        return found, list(acls)
