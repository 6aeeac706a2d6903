"""A managed client outlives its sessions."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import constants as c
from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import AuthFailedException, ClosingException, ConnectionLossException
from txzookeeper.event import ClientEvent, session_event
from txzookeeper.managed import Ephemerals, ManagedClient, note_change
from txzookeeper.permissions import ZOO_READ_ACL_UNSAFE
from txzookeeper.records import CreateRequest, DeleteRequest, SetACLRequest, SetDataRequest, Stat
from txzookeeper.test.test_client import ClientTestCase


class EphemeralsTests(SynchronousTestCase):
    """The table of what to make again."""

    def test_changes(self) -> None:
        """It follows creation, changes and deletion, and leaves others alone."""
        table: Ephemerals = {}
        for path, flags in (("/e", 1), ("/p", 0), ("/s", 3), ("/gone", 1)):
            note_change(table, c.CREATE_OP, CreateRequest(path, b"1", (), flags))
        note_change(table, c.SET_DATA_OP, SetDataRequest("/e", b"2", -1))
        note_change(table, c.SET_DATA_OP, SetDataRequest("/p", b"2", -1))
        note_change(table, c.SET_ACL_OP, SetACLRequest("/e", ZOO_READ_ACL_UNSAFE, -1))
        note_change(table, c.DELETE_OP, DeleteRequest("/gone", -1))
        note_change(table, c.DELETE_OP, DeleteRequest("/p", -1))
        self.assertEqual(table, {"/e": CreateRequest("/e", b"2", ZOO_READ_ACL_UNSAFE, 1)})


class ManagedClientTests(ClientTestCase):
    """Expiry, and what comes after."""

    client: ManagedClient

    def kind(self) -> Callable[..., ZookeeperClient]:
        """Test this one."""
        return ManagedClient

    def expire(self) -> None:
        """Let the session expire and the next one begin."""
        new = self.client.subscribe_new_session()
        self.server.expire(self.client.client_id[0])
        self.server.run(new)

    def test_log(self) -> None:
        """The log names the session that has expired."""
        session = f"0x{self.client.client_id[0]:x}"
        with capturedLogs() as events:
            self.expire()
        expired = [each for each in map(formatEvent, events) if each and "expired" in each]
        self.assertEqual(expired, [f"The session {session} is expired: a server says so"])

    def test_made_again(self) -> None:
        """Its ephemeral nodes come back with their last data and ACL, sequence nodes do not."""
        run, client = self.server.run, self.client
        run(client.create("/p"))
        run(client.create("/p/e", b"1", flags=c.EPHEMERAL))
        run(client.set("/p/e", b"2"))
        run(client.set_acl("/p/e", ZOO_READ_ACL_UNSAFE))
        run(client.create("/p/s-", flags=c.EPHEMERAL | c.SEQUENCE))
        run(client.transaction().create("/p/t", b"1", flags=c.EPHEMERAL).commit())
        run(client.transaction().set("/p/t", b"3").create("/p/x", flags=c.EPHEMERAL).commit())
        run(client.transaction().delete("/p/x").commit())
        before = client.client_id[0]
        self.expire()
        self.assertNotEqual(client.client_id[0], before)
        self.assertEqual(client.reestablished, 1)
        names = run(client.get_children("/p"))
        self.assertEqual(sorted(names), ["e", "t"])
        data, stat = run(client.get("/p/t"))
        self.assertEqual((data, stat.ephemeral_owner), (b"3", client.client_id[0]))
        self.assertEqual(run(client.get("/p/e"))[0], b"2")
        self.assertEqual(tuple(run(client.get_acl("/p/e"))[0]), ZOO_READ_ACL_UNSAFE)

    def test_adopted(self) -> None:
        """A node that an earlier client of the session made is made again once it is adopted."""
        run, client = self.server.run, self.client
        run(client.create("/e", b"1", flags=c.EPHEMERAL))
        session = run(client.hand_over())
        run(client.connect(client_id=session))
        run(client.set("/e", b"2"))
        client.adopt("/e", b"2", [ZOO_READ_ACL_UNSAFE[0]])
        self.expire()
        data, stat = run(client.get("/e"))
        self.assertEqual((data, stat.ephemeral_owner), (b"2", client.client_id[0]))
        self.assertEqual(tuple(run(client.get_acl("/e"))[0]), ZOO_READ_ACL_UNSAFE)

    def test_abandoned(self) -> None:
        """What others have deleted is not made again once it is abandoned."""
        run, client = self.server.run, self.client
        for path in ("/e", "/f"):
            run(client.create(path, flags=c.EPHEMERAL))
        client.abandon("/e")
        self.expire()
        self.assertIsNone(run(client.exists("/e")))
        self.assertIsNotNone(run(client.exists("/f")))

    def test_resumed_too_late(self) -> None:
        """A session to resume that is gone is followed by a new one, as one that expires later."""
        gone = (0x123456, b"0123456789abcdef")
        self.server.run(self.client.close())
        self.server.run(self.client.connect(client_id=gone))
        self.assertNotEqual(gone[0], self.client.client_id[0])
        self.assertEqual("/e", self.server.run(self.client.create("/e", flags=c.EPHEMERAL)))

    def test_failed_changes(self) -> None:
        """What did not happen is not made again."""
        failing = self.client.transaction().create("/e", flags=c.EPHEMERAL).delete("/gone")
        failing.commit().addErrback(lambda _: None)
        self.client.create("/a/b", flags=c.EPHEMERAL).addErrback(lambda _: None)
        self.server.settle()
        self.expire()
        self.assertNotIn("e", self.server.run(self.client.get_children("/")))

    def test_not_sent(self) -> None:
        """A deletion that could not be sent leaves the node one to be made again."""
        self.server.run(self.client.create("/e", flags=c.EPHEMERAL))
        self.server.refuse_connections()
        self.server.drop_connections()
        failing = self.client.fail_fast.delete("/e")
        self.failureResultOf(failing, ConnectionLossException)
        self.server.accept_connections()
        self.expire()
        self.assertIn("e", self.server.run(self.client.get_children("/")))

    def test_called_when_told(self) -> None:
        """A call made by who is told of the expiry waits for the next session."""
        calls: list[Deferred[Stat | None]] = []

        def told(event: ClientEvent) -> None:
            if event.connection_state == c.EXPIRED_SESSION_STATE:
                calls.append(self.client.exists("/"))

        self.client.subscribe_session(told)
        self.expire()
        self.assertIsNotNone(self.server.run(calls[0]))

    def test_stale_node(self) -> None:
        """A node of another session in the place of its own is replaced."""
        run = self.server.run
        run(self.client.create("/e", b"mine", flags=c.EPHEMERAL))
        other = self.connected()
        self.server.refuse_connections()
        new = self.client.subscribe_new_session()
        self.server.expire(self.client.client_id[0])
        run(other.create("/e", b"stale", flags=c.EPHEMERAL))
        self.server.accept_connections()
        run(new)
        data, stat = run(self.client.get("/e"))
        self.assertEqual((data, stat.ephemeral_owner), (b"mine", self.client.client_id[0]))

    def test_order(self) -> None:
        """First the nodes are back, then watches fire, then waiting calls go, then it is told."""
        run, order = self.server.run, list[str]()
        run(self.client.create("/e", b"1", flags=c.EPHEMERAL))
        result, watch = self.client.exists_and_watch("/e")
        run(result)
        self.server.refuse_connections()
        self.server.expire(self.client.client_id[0])
        waiting = self.client.get("/e")
        self.assertNoResult(watch)
        watch.addCallback(lambda event: order.append(f"watch {event}"))
        waiting.addCallback(lambda result: order.append(f"call {result[0]!r}"))
        self.client.subscribe_new_session().addCallback(lambda _: order.append("told"))
        self.server.accept_connections()
        run(waiting)
        event = session_event(c.CONNECTED_STATE)
        self.assertEqual(order, [f"watch {event}", "told", "call b'1'"])

    def test_interrupted(self) -> None:
        """A disconnection, or a second expiry, while nodes are made again begins it again."""
        run = self.server.run
        for number in range(5):
            run(self.client.create(f"/e{number}", flags=c.EPHEMERAL))
        new = self.client.subscribe_new_session()
        self.server.expire(self.client.client_id[0])
        for moment in range(6):
            self.server.advance(0.05 * moment)
            self.server.drop_connections()
            if self.client.connected:
                self.server.expire(self.client.client_id[0])
        run(new)
        names = run(self.client.get_children("/"))
        self.assertEqual(sum(name.startswith("e") for name in names), 5)
        _, stat = run(self.client.get("/e3"))
        self.assertEqual(stat.ephemeral_owner, self.client.client_id[0])

    def test_again_and_again(self) -> None:
        """It survives any number of expiries."""
        self.server.run(self.client.create("/e", b"1", flags=c.EPHEMERAL))
        for count in range(1, 5):
            self.expire()
            self.assertEqual(self.client.reestablished, count)
            self.assertEqual(self.server.run(self.client.get("/e"))[0], b"1")

    def test_node_that_cannot_be_made(self) -> None:
        """A node whose parent is gone is left out, and the others come back."""
        run = self.server.run
        other = self.connected()
        run(other.create("/p"))
        run(self.client.create("/p/e", flags=c.EPHEMERAL))
        run(self.client.create("/f", flags=c.EPHEMERAL))
        self.server.refuse_connections()
        new = self.client.subscribe_new_session()
        self.server.expire(self.client.client_id[0])
        run(other.delete("/p"))
        self.server.accept_connections()
        run(new)
        self.assertIsNotNone(run(self.client.exists("/f")))

    def test_closed_meanwhile(self) -> None:
        """Closing between two sessions ends the waiting calls and the watches."""
        result, watch = self.client.exists_and_watch("/e")
        self.server.run(result)
        self.server.refuse_connections()
        self.server.expire(self.client.client_id[0])
        waiting = self.client.get("/e")
        self.server.run(self.client.close())
        self.failureResultOf(waiting, ClosingException)
        self.assertEqual(self.successResultOf(watch), session_event(c.CLOSED_STATE))

    def test_refused(self) -> None:
        """Refused credentials end it, as they would be refused again."""
        self.run_failing(self.client.add_auth("bogus", ""), AuthFailedException)
        self.assertTrue(self.client.unrecoverable)
