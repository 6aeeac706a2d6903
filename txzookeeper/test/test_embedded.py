"""The embedded server on real sockets: its endpoints, its limits, and clients that misbehave."""

from __future__ import annotations

import resource
import shutil
import socket
import tempfile
from pathlib import Path
from struct import Struct
from typing import Any

from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from txzookeeper import constants as c
from txzookeeper.client import ZookeeperClient
from txzookeeper.connections import Limits
from txzookeeper.embedded import EmbeddedServer
from txzookeeper.jute import encode
from txzookeeper.records import ConnectRequest, GetDataRequest, RequestHeader
from txzookeeper.testing.certificates import Authority
from txzookeeper.tls import tls_endpoint
from txzookeeper.trouble import BadEndpoint, DirectoryInUse

_LENGTH = Struct(">i")

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


class SlowReaderTests(EmbeddedTestCase):
    """A client that asks for much, and reads late."""

    async def test_late(self) -> None:
        """It gets every byte in order; meanwhile others are served, and little waits for it."""
        server = self.serve()
        client = await self.connect(server)
        data = bytes(range(256)) * 2000
        await client.create("/big", data)
        before = _resident()
        address: Any = server.addresses[0]
        late = await deferToThread(_asking, address.port, 100)
        self.addCleanup(late.close)
        for _ in range(20):
            await client.set("/big", data)
        self.assertLess(_resident() - before, 20_000_000)
        replies = await deferToThread(_read_replies, late, 100)
        self.assertEqual([reply[16:-68] == replies[0][16:-68] for reply in replies], [True] * 100)
        self.assertEqual(replies[0][20:-68], data)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _asking(port: int, times: int) -> socket.socket:
    """Give a connection on which a node has been asked for so many times."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    hello = encode(ConnectRequest(0, 0, 10_000, 0, b""))
    connection.sendall(_LENGTH.pack(len(hello)) + hello)
    _read_replies(connection, 1)
    body = encode(RequestHeader(1, c.GET_DATA_OP)) + encode(GetDataRequest("/big", False))
    connection.sendall((_LENGTH.pack(len(body)) + body) * times)
    return connection


def _read_replies(connection: socket.socket, number: int) -> list[bytes]:
    file = connection.makefile("rb")
    return [file.read(*_LENGTH.unpack(file.read(4))) for _ in range(number)]
