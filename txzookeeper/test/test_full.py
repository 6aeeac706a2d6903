"""A server that cannot write any more loses nothing that it acknowledged, and says what it does."""

from __future__ import annotations

import resource
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from txzookeeper.client import ZookeeperClient
from txzookeeper.constants import EPHEMERAL
from txzookeeper.errors import ConnectionLossException, NotReadOnlyException
from txzookeeper.retry import retry
from txzookeeper.testing.embedded import EmbeddedProcess

PAGE = b"x" * 4000


class FullDiskTests(TestCase):
    """A process that is allowed to write no further into its files, as if the disk were full."""

    timeout = 60

    async def setUp(self) -> None:  # type: ignore[override]
        """Start a server, and write something."""
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.server = EmbeddedProcess()
        self.addCleanup(self.server.close)
        await deferToThread(self.server.start)
        self.client = await self.connected()
        await self.client.create("/kept")
        await self.client.create("/mine", flags=EPHEMERAL)

    async def connected(self) -> ZookeeperClient:
        """Give a connected client that is closed in the end."""
        client = ZookeeperClient(self.server.servers, 8000, reactor=self.reactor)
        self.addCleanup(client.close)
        return await client.connect(timeout=20_000)

    def allow(self, size: int) -> None:
        """Let the server write up to this many bytes into each file."""
        assert self.server.process.pid is not None
        hard = resource.prlimit(self.server.process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(self.server.process.pid, resource.RLIMIT_FSIZE, (size, hard))

    async def fill(self) -> set[str]:
        """Write until no more goes, and give what was acknowledged."""
        acknowledged = set()

        async def write(number: int) -> None:
            acknowledged.add(await self.client.create(f"/kept/{number}", PAGE))

        with self.assertRaises(ConnectionLossException):
            for start in range(0, 10_000, 10):
                writing = [Deferred.fromCoroutine(write(start + n)) for n in range(10)]
                results: list[tuple[bool, Any]] = await DeferredList(writing, consumeErrors=True)
                for success, result in results:
                    if not success:
                        result.raiseException()
        return {path[6:] for path in acknowledged}

    async def until_writable(self) -> None:
        """Wait until something can be written."""
        for _ in range(100):
            try:
                await self.client.set("/kept", b"again")
                return
            except (NotReadOnlyException, ConnectionLossException):
                await deferLater(self.reactor, 0.05)
        self.fail("Nothing can be written.")

    async def test_full(self) -> None:
        """What does not fit is not acknowledged; reading goes on, and then writing again."""
        self.allow(300_000)
        acknowledged = await self.fill()
        kept = set(await retry(self.client, self.client.get_children, "/kept"))
        self.assertEqual(kept, acknowledged)
        self.assertGreater(len(kept), 20)
        await self.assertFailure(self.client.create("/kept/more"), NotReadOnlyException)
        self.assertIn("Mode: read-only", await deferToThread(self.server.process.ask, "srvr"))
        self.assertIn("cannot be read or written:", self.server.log)
        self.allow(resource.RLIM_INFINITY)
        await self.until_writable()
        await self.client.create("/kept/more")
        self.assertEqual(await deferToThread(self.server.process.ask, "isro"), "rw")
        self.assertIsNotNone(await self.client.exists("/mine"))
        self.assertIn("Writing is possible again", self.server.log)

    async def test_killed_while_full(self) -> None:
        """A server that is killed then, and started where there is room, has all of it too."""
        self.allow(300_000)
        acknowledged = await self.fill()
        await deferToThread(self.server.restart)
        client = await self.connected()
        kept = set(await client.get_children("/kept"))
        self.assertLessEqual(acknowledged, kept)
        self.assertLessEqual(len(kept - acknowledged), 10)
        await client.create("/kept/more")
        self.assertIsNotNone(await client.exists("/mine"))
