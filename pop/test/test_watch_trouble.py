"""What a machine should run is known again after any trouble with ZooKeeper."""

from pop.model import Service
from pop.namespace import init
from pop.test.test_watch import WatchTestCase
from txzookeeper import ZOO_OPEN_ACL_UNSAFE, make_digest_acl


class LostTests(WatchTestCase):
    """Connections and sessions that are lost."""

    def begin(self) -> None:
        super().begin()
        self.deploy("a", "m1", argv="old")
        self.deploy("b", "m1")
        self.server.settle()

    def change_all(self) -> None:
        """Begin several changes at once: one service comes, one changes, one goes."""
        transaction = self.client.transaction()
        new = Service("c", "command", {"argv": "x"}, ("m1",))
        self.cluster.create(transaction, new, list(ZOO_OPEN_ACL_UNSAFE))
        transaction.set("/services/a/settings", b'{"argv": "new"}')
        transaction.set("/services/b/machines", b"[]").commit()

    def check_all(self, step: int) -> None:
        """All of it is known."""
        found = self.seen()
        self.assertEqual({"a", "c"}, set(found), step)
        self.assertEqual({"argv": "new"}, found["a"].settings, step)

    def test_dropped_at_each_step(self) -> None:
        """A connection that breaks at any moment of reading costs nothing but a little time."""
        for step in self.at_each_step(self.change_all, self.network.drop_connections):
            self.server.advance(5)
            self.check_all(step)

    def test_expired_at_each_step(self) -> None:
        """Nor does a session that expires at any moment."""

        def expire() -> None:
            self.server.server.expire(self.agent.client.client_id[0])

        for step in self.at_each_step(self.change_all, expire):
            self.server.advance(5)
            self.check_all(step)
            self.assertEqual(1, self.agent.client.reestablished)

    def test_changed_while_away(self) -> None:
        """What changed while the connection was away is known once it is back."""
        self.network.refuse_connections()
        self.network.drop_connections()
        self.change_all()
        self.server.advance(2)
        self.assertEqual({"a", "b"}, set(self.wanted().services))
        self.network.accept_connections()
        self.server.advance(2)
        self.check_all(0)

    def test_changed_while_away_for_long(self) -> None:
        """The same if it was away for so long that the session expired."""
        self.network.refuse_connections()
        self.network.drop_connections()
        self.change_all()
        self.run_(self.cluster.remove("b"))
        self.server.advance(120)
        self.assertEqual({"a", "b"}, set(self.wanted().services))
        self.network.accept_connections()
        self.server.advance(10)
        self.check_all(0)
        self.assertEqual(1, self.agent.client.reestablished)

    def test_no_flicker(self) -> None:
        """A session that expires and a connection that breaks change nothing that is wanted."""
        self.told.clear()
        before = self.wanted()
        for _ in range(3):
            self.network.drop_connections()
            self.server.advance(1)
            self.server.expire(self.agent.client.client_id[0])
            self.server.advance(1)
        self.assertEqual(before, self.wanted())
        self.assertEqual([], self.told)

    def test_stopped_while_away(self) -> None:
        """It can be stopped while ZooKeeper is away."""
        self.network.refuse_connections()
        self.network.drop_connections()
        self.server.advance(1)
        self.agent.unwatch("m1")
        self.run_(self.agent.client.close())
        self.assertEqual([], self.flushLoggedErrors())


class RefusedTests(WatchTestCase):
    """Nodes that ZooKeeper does not let us read."""

    secret = (make_digest_acl("them", "secret"),)

    def test_refused(self) -> None:
        """A node that we may not read is tried again and again; nothing else waits for it."""
        self.put("/services/web/type", b"command")
        self.put("/services/web/settings", b'{"argv": "x"}')
        self.run_(self.client.set_acl("/services/web/settings", self.secret))
        self.put("/services/web/machines", b'["m1"]')
        self.deploy("other", "m1")
        self.server.advance(12)
        self.assertEqual({"other"}, set(self.seen()))
        self.run_(self.client.add_auth("digest", "them:secret"))
        self.run_(self.client.set_acl("/services/web/settings", ZOO_OPEN_ACL_UNSAFE))
        self.server.advance(6)
        self.assertEqual({"web", "other"}, set(self.seen()))

    def test_stopped_while_refused(self) -> None:
        """It can be stopped while it waits to try again."""
        self.deploy("web", "m1")
        self.seen()
        self.run_(init(self.cluster, force=True, identity="them:secret"))
        self.server.advance(12)
        self.agent.unwatch("m1")
        self.assertEqual([], self.flushLoggedErrors())
