"""Frameworks that call each other over real sockets, in one process and in two."""

import os
import stat
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import rmtree
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from pop.components import Framework, Tracker
from pop.components.remote.link import NOT_YET
from pop.components.remote.remoteerror import RemoteError
from pop.test.callers import BUNDLES, Echo, IEcho
from pop.test.shells import Agent, free_port

GREETER = """
import os

from pop.components import ComponentFactory, Instantiate, Property, Provides

@ComponentFactory("greeter")
@Provides("sample.greeter")
@Property("_exported", "service.exported.interfaces", "*")
@Instantiate("greeter")
class Greeter:
    def greet(self, name):
        return f"Hello, {name}, from {os.getpid()}!"

    async def refuse(self, name):
        raise PermissionError(name)
"""


class SocketCase(TestCase):
    """Makes frameworks that run in this process, on the real reactor."""

    timeout = 60

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.path = Path(tempfile.mkdtemp(prefix="pop-remote-"))
        self.addCleanup(rmtree, self.path)
        self.address = f"unix:{self.path}/socket"

    async def make(self, **properties: Any) -> Framework:
        """One that ends with the test."""
        given = {f"pop.remote.{name}": value for name, value in properties.items()}
        framework = Framework(given, clock=self.reactor, environment={})
        framework.install_bundle("pop.components.ipopo")
        for name in BUNDLES:
            framework.install_bundle(f"pop.components.remote.{name}")
        await framework.start()
        self.addCleanup(framework.stop)
        return framework

    def follow(self, framework: Framework, spec: Any) -> Any:
        """What becomes of what stands for something there."""
        tracker = Tracker(framework.get_bundle_context(), spec)
        self.addCleanup(tracker.close)
        return tracker.__aiter__()


class OneProcessTests(SocketCase):
    """Two frameworks in one process."""

    async def call(self, server: Framework, client: Framework) -> None:
        """One calls the other."""
        given = {"service.exported.interfaces": "*"}
        registration = server.get_bundle_context().register_service(IEcho, Echo(), given)
        changes = self.follow(client, IEcho)
        far = (await anext(changes)).object
        self.assertEqual(["x" * 100_000, {"n": 1}], await far.say("x" * 100_000, n=1))
        calls = [far.say(number) for number in range(500)]
        self.assertEqual([[n, {}] for n in range(500)], [await call for call in calls])
        with self.assertRaises(ValueError):
            await far.fail("value")
        registration.unregister()
        self.assertEqual("removed", (await anext(changes)).kind)

    async def test_unix(self) -> None:
        """Over a UNIX socket, which only its owner may use."""
        server = await self.make(listen=self.address)
        self.assertEqual(0o600, stat.S_IMODE(os.stat(self.path / "socket").st_mode))
        await self.call(server, await self.make(peers=self.address))

    async def test_tls(self) -> None:
        """Over TLS, with a certificate that the caller trusts and a secret that both know."""
        self.write_certificate()
        port = free_port()
        files = f"privateKey={self.path}/server.key:certKey={self.path}/cert.pem"
        listen = f"ssl:{port}:interface=127.0.0.1:{files}"
        server = await self.make(listen=listen, secret="s3cret")
        peers = f"tls:localhost:{port}:trustRoots={self.path}"
        await self.call(server, await self.make(peers=peers, secret="s3cret"))

    async def test_not_trusted(self) -> None:
        """Without a certificate that it trusts, a framework tells no secret, and says why."""
        self.write_certificate()
        port = free_port()
        files = f"privateKey={self.path}/server.key:certKey={self.path}/cert.pem"
        listen = f"ssl:{port}:interface=127.0.0.1:{files}"
        await self.make(listen=listen, secret="s3cret")
        client = await self.make(peers=f"tls:localhost:{port}", secret="s3cret")
        context = client.get_bundle_context()
        reference = context.get_service_reference("pop.remote.links")
        assert reference is not None
        [link] = context.get_service(reference)
        while link.why in (NOT_YET, "Connection refused"):
            await deferLater(self.reactor, 0.01)
        self.assertEqual("certificate verify failed", link.why)

    def write_certificate(self) -> None:
        """For localhost, vouched for by itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), 1)
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
            .add_extension(x509.BasicConstraints(True, None), True)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        (self.path / "server.key").write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        (self.path / "cert.pem").write_bytes(certificate.public_bytes(pem))


class TwoProcessTests(SocketCase):
    """A framework in a process of its own."""

    def spawn(self) -> Agent:
        """C{python -m pop.components}, with something that wants to be exported."""
        (self.path / "greeter.py").write_text(GREETER)
        child = Agent()
        command = [
            sys.executable,
            "-m",
            "pop.components",
            "-D",
            f"pop.remote.listen={self.address}",
        ]
        command += ["pop.components.remote.core", "pop.components.remote.transport", "greeter"]
        stdin = self.reactor.spawnProcess(child, sys.executable, command, None, str(self.path))
        self.addCleanup(lambda: child.ended)
        self.addCleanup(stdin.closeStdin)
        return child

    async def test_killed(self) -> None:
        """It is called; nothing stands for it any more once its process was killed; and something
        does again when there is another."""
        client = await self.make(peers=self.address)
        changes = self.follow(client, "sample.greeter")
        for _ in range(2):
            child = self.spawn()
            change = await anext(changes)
            self.assertEqual("added", change.kind, child.output)
            said = await change.object.greet("you")
            self.assertEqual(f"Hello, you, from {child.pid}!", said)
            with self.assertRaises(PermissionError) as raised:
                await change.object.refuse("you")
            self.assertIsInstance(raised.exception, RemoteError)
            child.signal("KILL")
            self.assertEqual("removed", (await anext(changes)).kind)

    async def test_stopped(self) -> None:
        """When it ends in order, so does what stands for it."""
        client = await self.make(peers=self.address)
        changes = self.follow(client, "sample.greeter")
        child = self.spawn()
        await anext(changes)
        transport: Any = child.transport
        transport.closeStdin()
        self.assertEqual("removed", (await anext(changes)).kind)
        self.assertEqual(0, await child.ended)
        self.assertEqual("", child.output)
