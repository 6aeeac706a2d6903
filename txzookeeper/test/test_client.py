"""The client against the memory server, in a clock's time."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import constants as c
from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import (
    BadArgumentsException,
    BadVersionException,
    ClosingException,
    ConnectionException,
    ConnectionLossException,
    MarshallingErrorException,
    NodeExistsException,
    NoNodeException,
    NotConnectedException,
    SessionExpiredException,
)
from txzookeeper.event import ClientEvent, session_event
from txzookeeper.permissions import ZOO_OPEN_ACL_UNSAFE, make_digest_acl
from txzookeeper.testing.memory import MemoryServer


class ClientTestCase(SynchronousTestCase):
    """A server, and clients of it that are closed in the end."""

    def setUp(self) -> None:
        """Start a server and connect a client."""
        self.server = MemoryServer()
        self.clients: list[ZookeeperClient] = []
        self.client = self.connected()

    def make(self, servers: str = "memory:2181", timeout: int = 6000) -> ZookeeperClient:
        """Make a client."""
        client = self.kind()(
            servers,
            timeout,
            reactor=self.server.clock,
            endpoint=self.server.endpoint,
            random=Random(1),
        )
        self.clients.append(client)
        return client

    def kind(self) -> Callable[..., ZookeeperClient]:
        """Give the class under test."""
        return ZookeeperClient

    def connected(self, servers: str = "memory:2181") -> ZookeeperClient:
        """Make a client that is connected."""
        client = self.make(servers)
        self.assertIs(self.server.run(client.connect()), client)
        return client

    def run_failing(self, waiting: Deferred[Any], kind: type[Exception]) -> Any:
        """Require that the call fails in this way, and give the error."""
        return self.assertRaises(kind, self.server.run, waiting)

    def tearDown(self) -> None:
        """Close everything, and require that nothing is left on the clock."""
        for client in self.clients:
            self.server.run(client.close())
        self.server.close()
        self.assertEqual(self.server.clock.getDelayedCalls(), [])


class CallTests(ClientTestCase):
    """The operations."""

    def test_life_of_a_node(self) -> None:
        """A node is made, read, changed, listed and deleted."""
        run, client = self.server.run, self.client
        self.assertEqual(run(client.create("/a", b"1")), "/a")
        data, stat = run(client.get("/a"))
        self.assertEqual((data, stat.version, stat.data_length), (b"1", 0, 1))
        self.assertEqual(run(client.set("/a", b"22", 0)).version, 1)
        self.assertEqual(run(client.create("/a/s-", flags=c.SEQUENCE)), "/a/s-0000000000")
        self.assertEqual(run(client.get_children("/a")), ["s-0000000000"])
        self.assertEqual(run(client.sync("/a")), "/a")
        self.assertIsNone(run(client.delete("/a/s-0000000000")))
        self.assertIsNone(run(client.delete("/a", 1)))
        self.assertIsNone(run(client.exists("/a")))

    def test_acl(self) -> None:
        """A node's ACL is given and changed."""
        run, client = self.server.run, self.client
        run(client.create("/a"))
        acls, stat = run(client.get_acl("/a"))
        self.assertEqual((tuple(acls), stat.aversion), (ZOO_OPEN_ACL_UNSAFE, 0))
        self.assertEqual(run(client.set_acl("/a", [make_digest_acl("u", "p")])).aversion, 1)

    def test_errors(self) -> None:
        """The server's refusals come as their exceptions, with the path."""
        self.server.run(self.client.create("/a"))
        for waiting, kind in (
            (self.client.get("/gone"), NoNodeException),
            (self.client.create("/a"), NodeExistsException),
            (self.client.set("/a", b"", 7), BadVersionException),
        ):
            self.assertIn(self.run_failing(waiting, kind).path, ("/a", "/gone"))

    def test_bad_arguments(self) -> None:
        """What cannot be sent fails its Deferred, and is never raised."""
        wrong: Any = None
        for waiting in (
            *(self.client.get("a"), self.client.exists("/a/"), self.client.get_children("//")),
            *(self.client.create(wrong), self.client.delete(""), self.client.set("/.", b"")),
            *(self.client.get_acl("x"), self.client.set_acl("x", []), self.client.sync("")),
            *(self.client.get_and_watch("x")[0], self.client.set("/a", bytes(2**20))),
        ):
            self.failureResultOf(waiting, BadArgumentsException)
        for waiting in (
            self.client.set("/a", wrong),
            self.client.set("/a", b"", 2**31),
            self.client.create("/a", b"", flags=wrong),
            self.client.add_auth(wrong, "u:p"),
        ):
            self.failureResultOf(waiting, MarshallingErrorException)

    def test_chroot(self) -> None:
        """A client with a chroot sees its own tree only, in results, events and errors."""
        run = self.server.run
        run(self.client.create("/x"))
        client = self.connected("memory:2181/x")
        children, watch = client.get_children_and_watch("/")
        self.assertEqual(run(children), [])
        self.assertEqual(run(client.create("/a")), "/a")
        self.assertEqual(run(watch), ClientEvent(c.CHILD_EVENT, c.CONNECTED_STATE, "/"))
        self.assertEqual(run(self.client.get_children("/x")), ["a"])
        self.assertEqual(run(client.sync("/a")), "/a")
        self.assertEqual(self.run_failing(client.get("/b"), NoNodeException).path, "/b")
        self.assertEqual(run(client.transaction().create("/t").commit()), ["/t"])

    def test_cancelled(self) -> None:
        """Cancelling a call leaves the others in step; a waiting one is not sent."""
        first, second = self.client.create("/a"), self.client.get_children("/")
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.assertIn("a", self.server.run(second))
        self.server.drop_connections()
        waiting = self.client.create("/never")
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.assertIsNone(self.server.run(self.client.exists("/never")))


class WatchTests(ClientTestCase):
    """The watches."""

    def test_fire(self) -> None:
        """Each watch fires with the event that it waited for."""
        run, client = self.server.run, self.client
        run(client.create("/a"))
        pairs: list[tuple[Any, Deferred[ClientEvent]]] = [
            client.get_and_watch("/a"),
            client.exists_and_watch("/new"),
            client.get_children_and_watch("/a"),
        ]
        for result, _ in pairs:
            run(result)
        changes: list[Deferred[Any]] = [client.set("/a"), client.create("/new")]
        for change in (*changes, client.create("/a/b")):
            self.server.run(change)
        events = [self.successResultOf(watch) for _, watch in pairs]
        self.assertEqual([event.path for event in events], ["/a", "/new", "/a"])
        self.assertEqual([event.type_name for event in events], ["changed", "created", "child"])

    def test_not_armed(self) -> None:
        """A get of a missing node arms nothing, an exists does."""
        result, watch = self.client.get_and_watch("/a")
        self.run_failing(result, NoNodeException)
        self.server.run(self.client.create("/a"))
        self.assertNoResult(watch)

    def test_rearmed(self) -> None:
        """After a disconnection the watches are armed again, before the waiting calls go out."""
        run = self.server.run
        run(self.client.create("/x"))
        client = self.connected("memory:2181/x")
        result, watch = client.exists_and_watch("/a")
        run(result)
        self.server.drop_connections()
        self.assertFalse(client.connected)
        created = client.create("/a")
        run(created)
        self.assertEqual(run(watch).type, c.CREATED_EVENT)

    def test_missed(self) -> None:
        """A change made while the client was away fires its watch, once it is back."""
        run = self.server.run
        run(self.client.create("/a"))
        other = self.connected()
        result, watch = other.get_and_watch("/a")
        run(result)
        self.server.hold()
        self.server.advance(4.5)
        self.assertFalse(other.connected)
        changed = self.client.set("/a", b"2")
        self.server.release()
        run(changed)
        self.assertEqual(run(watch).type, c.CHANGED_EVENT)

    def test_cancelled(self) -> None:
        """A cancelled watch is forgotten."""
        result, watch = self.client.exists_and_watch("/a")
        self.server.run(result)
        watch.cancel()
        self.failureResultOf(watch, CancelledError)
        self.assertEqual(len(self.client._channel.watches), 0)


class SessionTests(ClientTestCase):
    """Connecting, losing, expiring, closing."""

    def setUp(self) -> None:
        """Listen to the session."""
        super().setUp()
        self.states: list[str] = []
        self.client.set_session_callback(lambda _, event: self.states.append(event.state_name))

    def test_connected(self) -> None:
        """A connected client says so."""
        self.assertTrue(self.client.connected)
        self.assertEqual(self.client.state, c.CONNECTED_STATE)
        self.assertEqual(self.client.session_timeout, 6000)
        self.assertNotEqual(self.client.client_id[0], 0)
        self.assertIn("connected", repr(self.client))

    def test_resumed(self) -> None:
        """After a disconnection the same session goes on, and its ephemeral nodes stay."""
        self.server.run(self.client.create("/e", flags=c.EPHEMERAL))
        before = self.client.client_id
        in_flight = self.client.get("/e")
        self.server.drop_connections()
        self.failureResultOf(in_flight, ConnectionLossException)
        _, stat = self.server.run(self.client.get("/e"))
        self.assertEqual(self.client.client_id, before)
        self.assertEqual(stat.ephemeral_owner, before[0])
        self.assertEqual(self.states, ["connecting", "connected"])

    def test_back_off(self) -> None:
        """While no server is there it tries less and less often, and then returns."""
        failures: list[Exception] = []
        self.client.set_connection_error_callback(lambda _, error: failures.append(error))
        self.server.refuse_connections()
        self.server.drop_connections()
        self.server.advance(5)
        self.assertTrue(5 < len(failures) < 20, len(failures))
        self.assertIn("memory:2181: Connection was refused", str(failures[-1]))
        self.server.accept_connections()
        self.server.run(self.client.exists("/"))

    def test_cut_off(self) -> None:
        """A silent network is noticed after two thirds of the session."""
        self.server.hold()
        self.server.advance(3.9)
        self.assertTrue(self.client.connected)
        self.server.advance(0.2)
        self.assertFalse(self.client.connected)
        self.server.release()
        self.server.run(self.client.exists("/"))

    def test_expired(self) -> None:
        """An expired session ends its calls, its watches and its client."""
        result, watch = self.client.exists_and_watch("/a")
        self.server.run(result)
        self.server.refuse_connections()
        self.server.expire(self.client.client_id[0])
        waiting = self.client.get("/a")
        self.server.accept_connections()
        self.run_failing(waiting, SessionExpiredException)
        self.assertEqual(self.successResultOf(watch), session_event(c.EXPIRED_SESSION_STATE))
        self.assertEqual(self.states, ["connecting", "expired"])
        self.assertTrue(self.client.unrecoverable)
        self.failureResultOf(self.client.get("/a"), SessionExpiredException)
        self.failureResultOf(self.client.connect(), ConnectionException)

    def test_handed_over(self) -> None:
        """Another client can resume a session by its id and password."""
        other = self.make()
        self.server.run(other.connect(client_id=self.client.client_id))
        self.assertEqual(other.client_id, self.client.client_id)

    def test_resuming_what_is_gone(self) -> None:
        """Resuming a session that is gone fails."""
        other = self.make()
        self.run_failing(other.connect(client_id=(12345, bytes(16))), SessionExpiredException)

    def test_closed(self) -> None:
        """Closing ends what is outstanding, and can be asked for twice."""
        result, watch = self.client.exists_and_watch("/a")
        self.server.run(result)
        in_flight = self.client.get("/")
        closed, again = self.client.close(), self.client.close()
        self.failureResultOf(in_flight, ClosingException)
        self.assertEqual(self.successResultOf(watch), session_event(c.CLOSED_STATE))
        self.server.run(closed)
        self.server.run(again)
        self.failureResultOf(self.client.get("/a"), NotConnectedException)
        self.server.run(self.client.connect())
        self.server.run(self.client.get("/"))

    def test_closed_while_cut_off(self) -> None:
        """Closing ends even if the server does not answer."""
        self.server.hold()
        closed = self.client.close()
        self.server.advance(2.1)
        self.successResultOf(closed)
        self.server.release()

    def test_closed_while_away(self) -> None:
        """Closing ends while no server can be reached, and fails the waiting calls."""
        self.server.refuse_connections()
        self.server.drop_connections()
        waiting = self.client.get("/")
        self.server.run(self.client.close())
        self.failureResultOf(waiting, ClosingException)

    def test_closed_in_callbacks(self) -> None:
        """Closing from within a callback is as good as from elsewhere."""
        self.client.set_connection_error_callback(lambda client, _: client.close())
        self.server.refuse_connections()
        self.server.drop_connections()
        self.server.advance(1)
        self.assertEqual(self.client.state, c.CLOSED_STATE)

    def test_raising_callbacks(self) -> None:
        """Callbacks that raise are logged, and harm nobody."""
        self.client.set_session_callback(lambda *_: 1 / 0)
        self.client.set_connection_watcher(lambda _: 1 / 0)
        self.client.set_connection_error_callback(lambda *_: 1 / 0)
        self.server.drop_connections()
        self.server.run(self.client.exists("/"))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 5)
        self.client.set_session_callback(None)
        self.client.set_connection_watcher(None)
