"""The embedded server on real sockets: its endpoints, its limits, and clients that misbehave."""

from __future__ import annotations

import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from txzookeeper.client import ZookeeperClient
from txzookeeper.connections import Limits
from txzookeeper.embedded import EmbeddedServer
from txzookeeper.testing.certificates import Authority
from txzookeeper.tls import tls_endpoint
from txzookeeper.trouble import BadEndpoint, DirectoryInUse

HERE = "tcp:0:interface=127.0.0.1"


class EmbeddedTestCase(TestCase):
    """A directory for servers, and their clients."""

    timeout = 60

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.directory = Path(tempfile.mkdtemp(prefix="txzookeeper-"))
        self.addCleanup(shutil.rmtree, self.directory)

    def serve(self, *endpoints: str, **options: Any) -> EmbeddedServer:
        """Start a server on the directory."""
        server = EmbeddedServer(
            self.reactor,
            self.directory / "data",
            endpoints or [HERE],
            secret=b"secret",
            tick=500,
            **options,
        )
        server.startService()
        self.addCleanup(server.stopService)
        return server

    async def connect(self, server: EmbeddedServer, number: int = 0, **options: Any) -> Any:
        """Give a client that is connected to one of the server's endpoints."""
        address: Any = server.addresses[number]
        client = ZookeeperClient(f"127.0.0.1:{address.port}", 6000, reactor=self.reactor, **options)
        self.addCleanup(client.close)
        return await client.connect(timeout=10_000)


class EndpointTests(EmbeddedTestCase):
    """Where it listens."""

    async def test_tls(self) -> None:
        """It listens on several endpoints, TLS among them; all lead to the same tree."""
        authority = Authority()
        pem = self.directory / "server.pem"
        pem.write_bytes(authority.issue("server", ["127.0.0.1"]))
        tls = f"ssl:0:interface=127.0.0.1:privateKey={pem}:certKey={pem}"
        server = self.serve(HERE, tls)
        plain = await self.connect(server)
        endpoint = tls_endpoint(self.reactor, authority=authority.certificate)
        secure = await self.connect(server, 1, endpoint=endpoint)
        await plain.create("/a", b"x" * 500_000)
        self.assertEqual((await secure.get("/a"))[0], b"x" * 500_000)

    async def test_restarted(self) -> None:
        """Stopped and started again on its data, in the same process, it goes on."""
        server = self.serve()
        client = await self.connect(server)
        await client.create("/a", b"x")
        await client.hand_over()
        await server.stopService()
        again = self.serve()
        client = await self.connect(again)
        self.assertEqual((await client.get("/a"))[0], b"x")

    async def test_all_or_none(self) -> None:
        """If one endpoint cannot be had, none is taken, and the directory is free again."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.assertRaises(BadEndpoint, self.serve, HERE, f"tcp:{port}:interface=127.0.0.1")
        await deferLater(self.reactor, 0)
        server = self.serve()
        self.assertEqual(len(server.addresses), 1)
        self.assertRaises(DirectoryInUse, self.serve)

    def test_refused(self) -> None:
        """What cannot be listened on is told when the service is made ready: strings and files."""
        for endpoint, said in [
            ("tcp:x", "invalid literal"),
            ("nonsense:1", "Unknown endpoint type"),
            ("ssl:0:privateKey=/no/key", "No such file"),
        ]:
            server = EmbeddedServer(self.reactor, self.directory, [endpoint], secret=b"")
            self.assertIn(said, str(self.assertRaises(BadEndpoint, server.prepare)))
        self.assertEqual(list(self.directory.iterdir()), [])


class LimitTests(EmbeddedTestCase):
    """Connections beyond what is allowed."""

    def knock(self, server: EmbeddedServer) -> tuple[socket.socket, bytes]:
        """Give a new connection, and whether it stays open; nothing if it does not."""
        address: Any = server.addresses[0]
        connection = socket.create_connection(("127.0.0.1", address.port), timeout=10)
        self.addCleanup(connection.close)
        connection.sendall(b"is")
        try:
            connection.settimeout(0.3)
            return connection, connection.recv(1)
        except TimeoutError:
            return connection, b"open"
        except ConnectionResetError:
            return connection, b""

    async def test_from_one_address(self) -> None:
        """A flood from one address is refused beyond its limit; the others are served."""
        server = self.serve(limits=Limits(of_one_address=3))
        client = await self.connect(server)
        knocks = [await deferToThread(self.knock, server) for _ in range(4)]
        self.assertEqual([said for _, said in knocks], [b"open", b"open", b"", b""])
        await client.create("/a")
        knocks[0][0].close()
        await deferLater(self.reactor, 0.05)
        self.assertEqual((await deferToThread(self.knock, server))[1], b"open")

    async def test_in_all(self) -> None:
        """There are no more connections than allowed in all."""
        server = self.serve(limits=Limits(in_all=2))
        knocks = [await deferToThread(self.knock, server) for _ in range(3)]
        self.assertEqual([said for _, said in knocks], [b"open", b"open", b""])
