"""The client over TLS, against a real ZooKeeper."""

from __future__ import annotations

import atexit
from functools import cache
from typing import Any, Final

from twisted.trial.unittest import SynchronousTestCase, TestCase

from txzookeeper.client import ZookeeperClient
from txzookeeper.constants import PERM_ALL
from txzookeeper.errors import ClosingException, NoAuthException
from txzookeeper.records import ACL, ClientInfo
from txzookeeper.testing.certificates import Authority
from txzookeeper.testing.real import NOT_INSTALLED
from txzookeeper.testing.secure import SecureServer, secure_available
from txzookeeper.tls import tls_endpoint

OURS: Final = Authority("Ours")
THEIRS: Final = Authority("Theirs")
SKIPPED: Final = None if secure_available() else NOT_INSTALLED


@cache
def server(client_auth: str) -> SecureServer:
    """Give a server that treats clients without a certificate in this way."""
    started = SecureServer(OURS, client_auth=client_auth).start()
    atexit.register(started.close)
    return started


class TLSTestCase(TestCase):
    """A test with clients of a secure server."""

    timeout = 60

    def client(self, client_auth: str = "none", **options: Any) -> ZookeeperClient:
        """Give a client that is not connected; the options are those of ``tls_endpoint``."""
        from twisted.internet import reactor

        options.setdefault("authority", OURS.certificate)
        client = ZookeeperClient(
            server(client_auth).secure_servers,
            4000,
            reactor=reactor,
            endpoint=tls_endpoint(reactor, **options),
        )
        self.addCleanup(client.close)
        return client

    async def refusal(self, client: ZookeeperClient) -> str:
        """Give the reason for which the first try to connect fails, without the address."""
        said: list[str] = []

        def failed(client: ZookeeperClient, error: Exception) -> None:
            said.append(str(error))
            client.close()

        client.set_connection_error_callback(failed)
        await self.assertFailure(client.connect(), ClosingException)
        return said[0].partition(": ")[2]


class ServerTests(TLSTestCase):
    """The server proves who it is."""

    skip = SKIPPED

    async def test_verified(self) -> None:
        """With the right authority it is as without TLS; a watch's event comes through it too."""
        client = await self.client().connect()
        got, watch = client.exists_and_watch("/verified")
        self.assertIsNone(await got)
        await client.create("/verified", bytes(100_000))
        self.assertEqual((await watch).type_name, "created")
        self.assertEqual((await client.get("/verified"))[0], bytes(100_000))
        await client.delete("/verified")

    async def test_name(self) -> None:
        """A server is accepted by a name of its certificate, though dialled by another."""
        await self.client(hostname="localhost").connect()

    async def test_wrong_name(self) -> None:
        """A server is not accepted by a name that its certificate lacks, and the error says so."""
        said = await self.refusal(self.client(hostname="other.example"))
        self.assertIn("the server's certificate is not for other.example.", said)

    async def test_wrong_authority(self) -> None:
        """A server whose authority is unknown is not accepted, and the error says so."""
        expected = "no authority that we trust vouches for the server's certificate."
        for authority in (THEIRS.certificate, None):
            said = await self.refusal(self.client(authority=authority))
            self.assertIn(expected, said)

    async def test_several_authorities(self) -> None:
        """Any of the authorities may vouch for a server."""
        await self.client(authority=THEIRS.certificate + OURS.certificate).connect()

    async def test_resumed(self) -> None:
        """A session goes on over another encrypted connection."""
        client = await self.client().connect()
        client_id = await client.hand_over()
        other = await self.client().connect(client_id=client_id)
        self.assertEqual(other.client_id, client_id)


class ClientTests(TLSTestCase):
    """The client proves who it is."""

    skip = SKIPPED

    async def test_no_certificate(self) -> None:
        """A server that needs a certificate refuses a client that has none."""
        said = await self.refusal(self.client("need"))
        self.assertIn("the server refused TLS with us", said)

    async def test_wrong_certificate(self) -> None:
        """A server that needs a certificate refuses one of an authority that it does not know."""
        said = await self.refusal(self.client("need", certificate=THEIRS.issue("us")))
        self.assertIn("the server refused TLS with us", said)

    async def test_access(self) -> None:
        """The subject of a client's certificate is its identity of the scheme ``x509``."""
        us = await self.client("need", certificate=OURS.issue("us")).connect()
        other = await self.client("need", certificate=OURS.issue("other")).connect()
        await us.create("/ours", b"1", [ACL(PERM_ALL, "x509", "CN=us")])
        self.assertEqual((await us.get("/ours"))[0], b"1")
        await self.assertFailure(other.get("/ours"), NoAuthException)
        self.assertIn(ClientInfo("x509", "CN=us"), await us.whoami())
        await us.delete("/ours")


class ArgumentTests(SynchronousTestCase):
    """What ``tls_endpoint`` takes."""

    def refused(self, **options: bytes) -> str:
        """Give the error that these arguments raise."""
        return str(self.assertRaises(ValueError, tls_endpoint, None, **options))

    def test_no_certificate(self) -> None:
        """What is no PEM, or no certificate, is refused at once."""
        for nothing in (b"", b"certificate", OURS.issue("us").partition(b"-----BEGIN CERT")[0]):
            expected = "The authority cannot be used: There is no certificate in it"
            self.assertIn(expected, self.refused(authority=nothing))
            expected = "The certificate cannot be used: There is no certificate in it"
            self.assertIn(expected, self.refused(certificate=nothing))

    def test_broken(self) -> None:
        """A damaged certificate is refused at once."""
        broken = OURS.certificate.replace(b"M", b"!")
        self.assertIn("The authority cannot be used: ", self.refused(authority=broken))

    def test_keys(self) -> None:
        """A certificate without its key, or with another's or a locked one, is refused at once."""
        key, _, _ = OURS.issue("us").partition(b"-----BEGIN CERT")
        locked = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + OURS.certificate
        for pem in (OURS.certificate, key + OURS.certificate, locked):
            self.assertIn("The certificate cannot be used: ", self.refused(certificate=pem))
