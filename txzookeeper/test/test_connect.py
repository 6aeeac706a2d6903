"""How a client comes to a session, against the memory server, in a clock's time."""

from __future__ import annotations

from twisted.internet.defer import CancelledError

from txzookeeper import constants as c
from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import (
    AuthFailedException,
    ConnectionException,
    ConnectionTimeoutException,
    MarshallingErrorException,
    NotConnectedException,
)
from txzookeeper.permissions import make_digest_acl
from txzookeeper.test.test_client import ClientTestCase


class ConnectTests(ClientTestCase):
    """Connecting, when it is not easy."""

    def test_timeout(self) -> None:
        """Connecting gives up after its time, naming the servers and the last reason."""
        self.server.refuse_connections()
        client = self.make("one:1,two:2")
        error = self.run_failing(client.connect(timeout=3000), ConnectionTimeoutException)
        self.assertRegex(str(error), r"one:1,two:2 within 3000 ms.*(one|two):\d: .*refused")

    def test_cut_off(self) -> None:
        """A server that does not answer is given up, and the next is tried."""
        self.server.hold()
        client = self.make()
        connecting = client.connect(timeout=9000)
        self.server.advance(8.9)
        self.assertNoResult(connecting)
        error = self.run_failing(connecting, ConnectionTimeoutException)
        self.assertIn("No answer within 4 s.", str(error))
        self.server.release()

    def test_cancelled(self) -> None:
        """Cancelling stops the attempts."""
        self.server.refuse_connections()
        client = self.make()
        connecting = client.connect()
        self.server.advance(2)
        connecting.cancel()
        self.failureResultOf(connecting, CancelledError)
        self.assertEqual(client.state, c.CLOSED_STATE)

    def test_calls_wait(self) -> None:
        """Calls made while connecting wait for it; before, they fail."""
        client = self.make()
        self.failureResultOf(client.get("/"), NotConnectedException)
        client.connect()
        self.server.run(client.get("/"))

    def test_twice(self) -> None:
        """A connected client cannot be connected again."""
        self.failureResultOf(self.client.connect(), ConnectionException)

    def test_bad_servers(self) -> None:
        """A bad server list is a ValueError, from ``connect`` in its Deferred."""
        self.assertRaises(ValueError, self.make, "a:x")
        self.failureResultOf(self.make().connect("a:x"), ValueError)

    def test_bad_session(self) -> None:
        """An id or a time-out that cannot be told to a server is told to the program."""
        for client_id in ((7, "text"), ("7", b"secret"), (1 << 64, b"secret")):
            connecting = self.make().connect(client_id=client_id)  # type: ignore[arg-type]
            self.failureResultOf(connecting, MarshallingErrorException)
        client = ZookeeperClient("one:1", 2.5, reactor=self.server.clock)  # type: ignore[arg-type]
        error = self.failureResultOf(client.connect(), MarshallingErrorException).value
        self.assertIn("its timeout must be int, not float.", str(error))
        self.assertEqual(client.state, c.DISCONNECTED_STATE)

    def test_auth(self) -> None:
        """Credentials count from their acceptance on, and after a reconnection too."""
        secret = [make_digest_acl("u", "p")]
        self.server.run(self.client.add_auth("digest", "u:p"))
        self.server.run(self.client.create("/a", b"1", secret))
        self.server.drop_connections()
        self.assertEqual(self.server.run(self.client.get("/a"))[0], b"1")

    def test_auth_before(self) -> None:
        """Credentials given before the connection are told on it."""
        client = self.make()
        accepted = client.add_auth("digest", b"u:p")
        again = client.add_auth("digest", "u:p")
        self.server.run(client.connect())
        self.successResultOf(accepted)
        self.successResultOf(again)

    def test_auth_refused(self) -> None:
        """Refused credentials end the client."""
        client = self.make()
        refused = client.add_auth("bogus", "x")
        self.run_failing(client.connect(), AuthFailedException)
        self.failureResultOf(refused, AuthFailedException)
        self.failureResultOf(client.get("/"), AuthFailedException)
        self.assertTrue(client.unrecoverable)
