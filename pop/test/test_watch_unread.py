"""It is known what is not known yet of what a machine should run."""

from twisted.internet.defer import Deferred

from pop.test.test_watch import WatchTestCase
from txzookeeper import make_digest_acl
from txzookeeper.errors import ConnectionLossException


class UnreadTests(WatchTestCase):
    """What is not known is told from what is known not to be."""

    def begin(self) -> None:
        super().begin()
        self.deploy("web", "m1")
        self.deploy("far", "m2")
        self.server.settle()

    def look_again(self) -> None:
        """The agent begins to follow anew, as after its start."""
        self.agent.unwatch("m1")
        self.told.clear()
        self.agent.watch("m1", lambda: self.told.append(self.wanted()))

    def test_at_first(self) -> None:
        """At first it is not even known which services there are; then nothing is unread."""
        self.look_again()
        self.assertFalse(self.wanted().listed)
        self.run_(self.agent.read_anew("m1"))
        self.assertEqual({"web"}, set(self.wanted().services))
        self.assertEqual((True, frozenset()), (self.wanted().listed, self.wanted().unread))

    def test_in_between(self) -> None:
        """Until a service was read it is unread; that it was read is told, if anybody asked."""
        self.look_again()
        while not self.wanted().unread:
            self.clock.step()
        self.assertEqual({"web", "far"}, self.wanted().unread)
        self.server.settle()
        self.assertEqual(frozenset(), self.wanted().unread)
        self.assertEqual([frozenset()], [told.unread for told in self.told[-1:]])

    def test_after_an_outage(self) -> None:
        """What changed while the connection was away is known once all was read anew."""
        self.network.refuse_connections()
        self.network.drop_connections()
        self.run_(self.cluster.undeploy("web", ["m1"]))
        self.run_(self.cluster.deploy("far", ["m1"]))
        self.deploy("new", "m1")
        self.server.advance(2)
        self.assertEqual({"web"}, set(self.wanted().services))
        anew = Deferred.fromCoroutine(self.agent.read_anew("m1"))
        self.network.accept_connections()
        while not anew.called:
            self.server.advance(0.01)
        self.successResultOf(anew)
        self.assertEqual({"far", "new"}, set(self.wanted().services))

    def test_outage_meanwhile(self) -> None:
        """If the connection breaks while it is read anew, that is an error."""
        anew = Deferred.fromCoroutine(self.agent.read_anew("m1"))
        self.network.drop_connections()
        self.failureResultOf(anew, ConnectionLossException)

    def test_refused(self) -> None:
        """What ZooKeeper refuses to give is not waited for, and stays unread."""
        self.run_(self.client.set_acl("/services/web/machines", [make_digest_acl("x", "y")]))
        self.look_again()
        self.run_(self.agent.read_anew("m1"))
        self.assertEqual({"web"}, self.wanted().unread)
        self.agent.client.add_auth("digest", "x:y")
        self.server.advance(6)
        self.assertEqual((frozenset(), {"web"}), (self.wanted().unread, set(self.seen())))

    def test_list_refused(self) -> None:
        """Not even the list of services may be read: nothing is known, until it may."""
        acl = self.run_(self.cluster.acl())
        self.run_(self.client.set_acl("/services", [make_digest_acl("x", "y")]))
        self.look_again()
        anew = Deferred.fromCoroutine(self.agent.read_anew("m1"))
        self.server.settle()
        self.assertFalse(self.wanted().listed)
        self.agent.client.add_auth("digest", "x:y")
        self.server.advance(6)
        self.assertTrue(self.told[0].listed)
        self.successResultOf(anew)
        self.client.add_auth("digest", "x:y")
        self.run_(self.client.set_acl("/services", acl))
