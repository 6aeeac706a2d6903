"""A web server on real sockets, and a client that is not ours."""

import os
import socket
import ssl
from collections.abc import Callable
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from time import time  # noqa: TID251  # OpenSSL knows no other
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from pop.authority import Authority
from pop.components import Framework, ServiceRegistration, use_ipopo
from pop.components import http as names
from pop.test.test_component_http_server import Echo

LARGE = 8 << 20


class Guest:
    """Answers with where a request came from."""

    def do_GET(self, request: Any, response: Any) -> None:
        """The client's port, and whether it came by TLS."""
        said = f"{request.get_client_address()[1]} {request.is_secure()}"
        response.send_content(200, said, "text/plain")


class Large:
    """Answers with much.

    @ivar most: the pieces that it wrote before it was stopped.
    """

    def __init__(self) -> None:
        self.wrote = 0
        self.ended: Deferred[None] = Deferred()

    async def do_GET(self, request: Any, response: Any) -> None:
        """As long as somebody reads."""
        try:
            for _ in range(LARGE >> 16):
                await response.write(b"x" * (1 << 16))
                self.wrote += 1
        finally:
            self.ended.callback(None)


class RealCase(TestCase):
    """A framework, and the server in it."""

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.framework = Framework(clock=reactor, environment={})
        self.context = self.framework.get_bundle_context()
        for name in ("pop.components.ipopo", "pop.components.http.basic"):
            self.framework.install_bundle(name)
        self.successResultOf(self.framework.start())
        self.addCleanup(self.framework.stop)
        self.bound: dict[str, ServiceRegistration] = {}

    def listen(self, **properties: Any) -> int:
        """The port of a new server."""
        said = {"address": "127.0.0.1", "port": 0, **properties}
        with use_ipopo(self.context) as ipopo:
            given = {f"pelix.http.{key}": value for key, value in said.items()}
            ipopo.instantiate(names.FACTORY_HTTP_BASIC, "web", given)
            port: int = ipopo.component("web").properties[names.HTTP_SERVICE_PORT]
            return port

    def bind(self, path: str, servlet: Any) -> Any:
        """Let a servlet answer, in the place of any that the test has put there."""
        if (before := self.bound.pop(path, None)) is not None:
            before.unregister()
        properties = {names.HTTP_SERVLET_PATH: path}
        registered = self.context.register_service(names.HTTP_SERVLET, servlet, properties)
        self.bound[path] = registered
        return servlet

    def certificate(self) -> tuple[Path, ssl.SSLContext]:
        """A file with a certificate and its key, and what trusts that."""
        authority = Authority.make(time())
        pem = Path(self.mktemp())
        pem.write_bytes(authority.agent("m1", time()).pem)
        trusting = ssl.create_default_context(cadata=authority.pem.decode())
        trusting.check_hostname = False
        return pem, trusting

    async def using(self, connection: HTTPConnection, use: Callable[[HTTPConnection], Any]) -> Any:
        """What comes of what is done with a connection, in a thread."""
        try:
            return await deferToThread(use, connection)
        finally:
            connection.close()


def get(connection: HTTPConnection, path: str = "/") -> str:
    """The body of an answer."""
    connection.request("GET", path)
    return connection.getresponse().read().decode()


def status(connection: HTTPConnection) -> int:
    """The code of an answer."""
    connection.request("GET", "/")
    return connection.getresponse().status


def connect(port: int) -> socket.socket:
    """A connection that has yet to ask."""
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def post(connection: HTTPConnection) -> int:
    """The code that a body that is too large is answered with."""
    connection.request("POST", "/echo", b"x" * LARGE)
    return connection.getresponse().status


class SocketTests(RealCase):
    """Clients by TCP, by TLS and on this machine."""

    async def test_kept(self) -> None:
        """A client sends as many requests as it likes on one connection; iPOPO's server closes it
        after each."""
        self.bind("/", Guest())
        connection = HTTPConnection("127.0.0.1", self.listen(), timeout=5)
        ports = await self.using(connection, lambda known: {get(known) for _ in range(5)})
        self.assertEqual(1, len(ports))

    async def test_secure(self) -> None:
        """TLS needs but a certificate and its key, in two properties or in the description of an
        endpoint."""
        pem, trusting = self.certificate()
        self.bind("/", Guest())
        self.bind("/echo", Echo())
        files = {"pelix.https.cert_file": str(pem), "pelix.https.key_file": str(pem)}
        for given in (files, {names.HTTP_ENDPOINT: f"ssl:0:interface=127.0.0.1:privateKey={pem}"}):
            with use_ipopo(self.context) as ipopo:
                properties = {"pelix.http.address": "127.0.0.1", "pelix.http.port": 0, **given}
                ipopo.instantiate(names.FACTORY_HTTP_BASIC, "web", properties)
                port = ipopo.component("web").properties[names.HTTP_SERVICE_PORT]
                self.assertTrue(ipopo.component("web").properties[names.HTTP_USES_SSL])
            connection = HTTPSConnection("127.0.0.1", port, timeout=5, context=trusting)
            self.assertIn("True", await self.using(connection, get))
            self.assertEqual(413, await self.using(connection, post))
            large = self.bind("/large", Large())
            self.assertEqual(LARGE, len(await self.using(connection, lambda c: get(c, "/large"))))
            self.assertEqual(LARGE >> 16, large.wrote)
            with use_ipopo(self.context) as ipopo:
                await ipopo.kill("web")

    async def test_local(self) -> None:
        """A UNIX socket has the mode that is asked for."""
        path = os.path.relpath(self.mktemp())
        self.bind("/", Guest())
        self.listen(endpoint=f"unix:{path}:mode=600")
        self.assertEqual(0o600, os.stat(path).st_mode & 0o777)
        connection = HTTPConnection("localhost", timeout=5)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(path)
        self.assertEqual("0 False", await self.using(connection, get))

    async def test_taken(self) -> None:
        """A port that is taken is named, without a traceback; once it is free, it can be had."""
        port = self.listen()
        with use_ipopo(self.context) as ipopo:
            ipopo.instantiate(
                names.FACTORY_HTTP_BASIC,
                "second",
                {"pelix.http.address": "127.0.0.1", "pelix.http.port": port},
            )
            second = ipopo.component("second")
            self.assertIn(f"cannot listen at tcp:{port}", second.error_trace)
            self.assertIn("in use", second.error_trace)
            await ipopo.kill("web")
            ipopo.retry_erroneous("second")
            self.assertEqual("VALID", second.state.name)


class LimitTests(RealCase):
    """Clients that send or read more than is good."""

    async def test_refused(self) -> None:
        """A client that sends all of a body that is too large, before it reads, reads why it was
        refused; with iPOPO, only that the connection broke."""
        self.bind("/echo", Echo())
        connection = HTTPConnection("127.0.0.1", self.listen(), timeout=5)
        self.assertEqual(413, await self.using(connection, post))

    async def test_crowd(self) -> None:
        """A client that is one too many reads that, by TLS too, and is answered when there is room
        again; one that has had its answer makes room by itself."""
        self.bind("/", Guest())
        pem, trusting = self.certificate()
        secure = {"endpoint": f"ssl:0:interface=127.0.0.1:privateKey={pem}"}
        for given in ({}, secure):
            port = self.listen(max_connections=1, **given)
            one, other = (
                HTTPSConnection("127.0.0.1", port, timeout=5, context=trusting)
                if given
                else HTTPConnection("127.0.0.1", port, timeout=5)
                for _ in range(2)
            )
            with await deferToThread(connect, port):
                self.assertEqual(503, await self.using(other, status))
            while await deferToThread(status, one) == 503:  # until it is seen that they are gone
                one.close()
            self.assertEqual(200, await self.using(other, status))
            self.assertEqual(b"", await deferToThread(one.sock.recv, 1))
            one.close()
            with use_ipopo(self.context) as ipopo:
                await ipopo.kill("web")

    async def test_whole(self) -> None:
        """A long answer arrives whole, at the pace of whoever reads it."""
        large = self.bind("/", Large())
        connection = HTTPConnection("127.0.0.1", self.listen(), timeout=5)
        self.assertEqual(LARGE, len(await self.using(connection, get)))
        self.assertEqual(LARGE >> 16, large.wrote)

    async def test_not_read(self) -> None:
        """What a client does not read is not made, either."""
        large = self.bind("/", Large())
        port = self.listen()

        def begin() -> socket.socket:
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
            client.connect(("127.0.0.1", port))
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            client.recv(1)
            return client

        client = await deferToThread(begin)
        client.close()
        await large.ended
        self.assertLess(large.wrote, LARGE >> 16)
