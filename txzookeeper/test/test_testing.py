"""What tests are given keeps what it promises to them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Awaitable
from pathlib import Path
from threading import Thread

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import SynchronousTestCase, TestCase

from txzookeeper import EPHEMERAL, ConnectionLossException, ZookeeperClient
from txzookeeper.testing import (
    NOT_INSTALLED,
    VARIABLE,
    MemoryServer,
    NeverFired,
    RealServer,
    available,
)
from txzookeeper.testing.process import free_ports


class MemoryServerTests(SynchronousTestCase):
    """A server in memory, and clients in its time."""

    def setUp(self) -> None:
        """Start it."""
        self.server = MemoryServer()
        self.addCleanup(self.server.close)

    def client(self) -> ZookeeperClient:
        """Give a client that is connected."""
        client = ZookeeperClient(
            self.server.servers,
            4000,
            reactor=self.server.clock,
            endpoint=self.server.endpoint,
        )
        self.addCleanup(lambda: self.server.run(client.close()))
        return self.server.run(client.connect())

    def test_run(self) -> None:
        """Work is run to its end, and its result or error is given."""
        client = self.client()

        async def work() -> bytes:
            await client.create("/a", b"x")
            return (await client.get("/a"))[0]

        self.assertEqual(self.server.run(work()), b"x")
        self.assertRaises(NeverFired, self.server.run, Deferred())

    def test_a_day(self) -> None:
        """A day passes in a moment, with all its pings."""
        client = self.client()
        self.server.run(client.create("/e", flags=EPHEMERAL))
        self.server.advance(24 * 3600)
        self.assertTrue(client.connected)
        self.assertEqual(self.server.clock.seconds(), 24 * 3600)

    def test_held(self) -> None:
        """A cut network tells nobody: the client finds out by its own clock, then comes back."""
        client = self.client()
        self.server.hold()
        call = client.create("/a")
        self.server.advance(1)
        self.assertTrue(client.connected)
        self.server.advance(2)
        self.assertFalse(client.connected)
        self.failureResultOf(call, ConnectionLossException)
        self.server.release()
        self.server.run(client.create("/b"))

    def test_held_for_too_long(self) -> None:
        """When the network is cut for longer than the time-out, the session's nodes go."""
        client = self.client()
        self.server.run(client.create("/e", flags=EPHEMERAL))
        self.server.hold()
        self.server.advance(5)
        self.assertNotIn("/e", self.server.server.tree.nodes)
        self.server.release()
        self.server.advance(5)
        self.assertTrue(client.unrecoverable)

    def test_networks(self) -> None:
        """Trouble on one network leaves the clients of another alone."""
        client = self.client()
        network = self.server.network()
        other = ZookeeperClient(
            self.server.servers, 4000, reactor=self.server.clock, endpoint=network.endpoint
        )
        self.server.run(other.connect())
        network.refuse_connections()
        network.drop_connections()
        self.assertEqual((client.connected, other.connected), (True, False))
        network.accept_connections()
        self.server.run(other.sync())
        self.server.run(other.close())

    def test_expired(self) -> None:
        """A session expires when a test says so."""
        client = self.client()
        self.server.expire(client.client_id[0])
        self.server.advance(1)
        self.assertTrue(client.unrecoverable)


class ProcessTests(SynchronousTestCase):
    """A real server's process."""

    def test_ports(self) -> None:
        """A port is given once, and it is none that the kernel may give to a connection."""
        ports = free_ports(5) + free_ports(5)
        self.assertEqual(len(set(ports)), 10)
        first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
        self.assertLess(max(ports), first)

    def test_threads(self) -> None:
        """A server that a thread started outlives the thread."""
        server = RealServer()
        self.addCleanup(server.close)
        starter = Thread(target=server.start)
        starter.start()
        starter.join()
        self.assertEqual(server.process.mode(), "standalone")

    if not available():
        test_threads.skip = NOT_INSTALLED  # type: ignore[attr-defined]


class CommandTests(TestCase):
    """``python -m txzookeeper.testing``."""

    skip = None if available() else NOT_INSTALLED

    async def python(self, *arguments: str) -> tuple[str, int]:
        """Run this Python, and give its output and status."""
        from twisted.internet import reactor

        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        out, _, status = await getProcessOutputAndValue(
            sys.executable, arguments, environment, reactor=reactor
        )
        return out.decode(), status

    def run_beside(self, *command: str) -> Awaitable[tuple[str, int]]:
        """Run a command beside a server, and give its output and status."""
        return self.python("-m", "txzookeeper.testing", *command)

    async def test_environment_and_status(self) -> None:
        """The command finds the server in its environment, and its exit status is handed on."""
        out, status = await self.run_beside("sh", "-c", f"echo ${VARIABLE}; exit 3")
        self.assertRegex(out, r"^127\.0\.0\.1:\d+\n$")
        self.assertEqual(status, 3)

    async def test_no_such_command(self) -> None:
        """A command that is not there is an exit status, not a traceback."""
        self.assertEqual(await self.run_beside("/no/such/command"), ("", 127))

    async def test_nothing_left_behind(self) -> None:
        """A server is gone with whoever started it, even if that ended without a word."""
        script = (
            "import os\n"
            "from txzookeeper.testing import RealServer\n"
            "server = RealServer().start()\n"
            "print(server.directory, server.process.pid, flush=True)\n"
            "os._exit(7)\n"
        )
        out, status = await self.python("-c", script)
        directory, pid = out.split()
        self.addCleanup(_remove, Path(directory))
        while _runs(int(pid)):
            await _moment()
        self.assertEqual(status, 7)


def _moment() -> Deferred[None]:
    from twisted.internet import reactor

    return deferLater(reactor, 0.01)


def _remove(directory: Path) -> None:
    shutil.rmtree(directory)


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
