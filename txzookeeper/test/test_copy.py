"""A tree moves from the embedded server to a real ZooKeeper, and back, by a client's means."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from kazoo.client import KazooClient
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
        embedded, real, empty = await self.servers()
        client = await self.connected(embedded)
        await client.create("/a/mine", flags=EPHEMERAL)
        await self.copy(embedded, real)
        self.assertEqual(await self.seen(real), (NODES, [SECRET]))
        await self.copy(real, empty)
        self.assertEqual(await self.seen(empty), (NODES, [SECRET]))

    async def test_any_client(self) -> None:
        """Whatever client copies the nodes, they arrive: here it is kazoo, there and back."""
        embedded, real, empty = await self.servers()
        await deferToThread(copy_by_kazoo, embedded, real)
        self.assertEqual(await self.seen(real), (NODES, [SECRET]))
        await deferToThread(copy_by_kazoo, real, empty)
        self.assertEqual(await self.seen(empty), (NODES, [SECRET]))

    async def test_refused(self) -> None:
        """What cannot be copied is told in a sentence."""
        for arguments, sentence in [
            (["127.0.0.1:x", "127.0.0.1"], "where a port belongs"),
            (["127.0.0.1:1"], "examples/copy_tree.py FROM TO"),
        ]:
            command = [sys.executable, str(PROGRAM), *arguments]
            done = await deferToThread(
                subprocess.run, command, capture_output=True, text=True, timeout=60
            )
            self.assertEqual(done.returncode, 1)
            self.assertIn(sentence, done.stderr)
            self.assertNotIn("Traceback", done.stderr)

    async def servers(self) -> list[str]:
        """Start an embedded server with all the nodes, and two empty ones: real, and embedded."""
        servers: list[EmbeddedProcess | RealServer]
        servers = [EmbeddedProcess(), RealServer(), EmbeddedProcess()]
        for server in servers:
            self.addCleanup(server.close)
            await deferToThread(server.start)
        client = await self.connected(servers[0].servers)
        await client.set("/", NODES["/"])
        for path in sorted(NODES.keys() - {"/"}):
            await client.create(path, NODES[path])
        await client.set_acl("/a/b", [SECRET])
        return [server.servers for server in servers]

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


def copy_by_kazoo(origin: str, destination: str) -> None:
    """Copy all nodes."""
    source, target = KazooClient(origin), KazooClient(destination)
    for client in (source, target):
        client.start(20)
        client.add_auth("digest", "me:secret")

    def copy(path: str) -> None:
        target.ensure_path(path)
        target.set(path, source.get(path)[0])
        for name in source.get_children(path):
            if name != "zookeeper":
                copy(f"{path.rstrip('/')}/{name}")
        target.set_acls(path, source.get_acls(path)[0])

    copy("/")
    for client in (source, target):
        client.stop()
        client.close()
