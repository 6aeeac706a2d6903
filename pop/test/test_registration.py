"""A machine and its agent are known, and there is one agent only."""

from twisted.internet.defer import Deferred

from pop.cluster import Cluster
from pop.errors import BrokenNode, MachineTaken
from pop.model import AgentInfo, Machine, Status
from pop.namespace import init
from pop.registration import Registration
from pop.reports import Report, Reports
from pop.test.clusters import ClusterTestCase, plain
from txzookeeper import make_digest_acl

MACHINE = Machine("m1", "alpha", ("10.0.0.1",), {"rack": "7"}, "1.0", "3.11")
AGENT, NODE = "/agents/m1", "/machines/m1"
MINE = AgentInfo(100, "alpha", "/var/lib/pop", "mine")
READY = Report(Status("ready"), 41, {})


class RegistrationTestCase(ClusterTestCase):
    """An agent of machine m1 that is not registered yet."""

    def begin(self) -> None:
        super().begin()
        self.network = self.server.network()
        self.agents: list[tuple[Registration, Reports]] = []
        self.agent = self.connect(self.network)
        self.mine = self.make(self.agent)
        self.reports = self.agents[0][1]

    def end(self) -> None:
        for registration, reports in self.agents:
            registration.stop()
            reports.stop()
        super().end()

    def make(
        self, cluster: Cluster, info: AgentInfo = MINE, machine: Machine = MACHINE
    ) -> Registration:
        """An agent's registration."""
        reports = Reports(cluster, machine.id, self.clock)
        registration = Registration(cluster, machine, info, reports, self.clock)
        self.agents.append((registration, reports))
        return registration

    def check(self, note: object = None) -> None:
        """Both nodes are there, and they are right."""
        self.server.settle()
        self.assertEqual(MACHINE, Machine.from_json(NODE, self.data(NODE) or b""), note)
        self.assertEqual(MINE, AgentInfo.from_json(AGENT, self.data(AGENT) or b"{}"), note)
        self.assertEqual(0, self.stat(NODE).ephemeral_owner, note)
        owner = self.agent.client.client_id[0]
        self.assertEqual(owner, self.stat(AGENT).ephemeral_owner, note)


class RegisterTests(RegistrationTestCase):
    """Joining a cluster."""

    def test_register(self) -> None:
        """The machine is described for good, its agent as long as it lives."""
        self.run_(self.mine.register())
        self.check()
        self.mine.stop()
        self.run_(self.agent.client.close())
        self.assertEqual(None, self.data(AGENT))
        self.assertNotEqual(None, self.data(NODE))

    def test_described_anew(self) -> None:
        """What is known of the machine is brought up to date."""
        self.put(NODE, Machine("m1", "old").to_json())
        self.run_(self.mine.register())
        self.check()

    def test_acl(self) -> None:
        """Both nodes are protected as the namespace is."""
        self.agent.client.add_auth("digest", "us:secret")
        self.run_(init(self.agent, force=True, identity="us:secret"))
        self.run_(self.mine.register())
        for path in (AGENT, NODE):
            found, _ = self.run_(self.agent.client.get_acl(path))
            self.assertEqual([make_digest_acl("us", "secret")], found)

    def test_dropped(self) -> None:
        """A connection that breaks at any moment only makes it take longer."""

        def work() -> None:
            Deferred.fromCoroutine(self.mine.register())

        for step in self.at_each_step(work, lambda: self.network.drop_connections()):
            self.server.advance(5)
            self.check(step)

    def test_expired(self) -> None:
        """So does a session that expires at any moment."""

        def work() -> None:
            Deferred.fromCoroutine(self.mine.register())

        def trouble() -> None:
            self.server.server.expire(self.agent.client.client_id[0])

        for step in self.at_each_step(work, trouble):
            self.server.advance(5)
            self.check(step)

    def test_given_up(self) -> None:
        """One that waits can be cancelled, and leaves nothing."""
        self.run_(init(self.cluster, force=True, identity="them:secret"))
        nowhere = self.make(self.connect(prefix="/nowhere"))
        waiting = Deferred.fromCoroutine(nowhere.register())
        self.server.advance(5)
        self.assertNoResult(waiting)
        waiting.addErrback(lambda _: None)
        waiting.cancel()
        self.server.advance(5)


class OnlyOneTests(RegistrationTestCase):
    """Two agents that say they are the same machine."""

    def other(
        self, host: str = "beta", directory: str = "/other", state_id: str = "theirs"
    ) -> Registration:
        """Another agent's registration, on a connection of its own."""
        info = AgentInfo(200, host, directory, state_id)
        machine = Machine("m1", info.host, labels={"rack": "8"})
        return self.make(self.connect(), info, machine)

    def test_refused(self) -> None:
        """The second one is refused, and told who is there and where."""
        self.run_(self.mine.register())
        for other in (self.other(), self.other("alpha", "/var/lib/pop"), self.other(state_id="")):
            said = str(self.fails(MachineTaken, other.register()))
            for word in ("m1", "pid 100", "alpha", "/var/lib/pop", "6 seconds"):
                self.assertIn(word, said)
        self.server.advance(60)
        self.check()

    def test_nothing_changed(self) -> None:
        """The one that is refused changes nothing, nor does it describe the machine as its own."""
        self.run_(self.mine.register())
        before = self.tree()
        self.fails(MachineTaken, self.other().register())
        self.assertEqual(before, self.tree())

    def test_successor(self) -> None:
        """Whoever holds the same state directory succeeds at once, though the old session still
        lives."""
        network = self.server.network()
        predecessor = self.make(self.connect(network))
        self.run_(predecessor.register())
        predecessor.stop()
        network.refuse_connections()  # its process is gone
        self.run_(self.mine.register())
        self.check()
        old = self.clients[-1].client_id[0]
        self.server.expire(old)
        self.server.advance(1)
        self.check()

    def test_older_agent(self) -> None:
        """An agent's node without the id of its state directory is nobody's predecessor."""
        self.put(AGENT, b'{"pid": 3, "host": "alpha"}')
        self.fails(MachineTaken, self.make(self.connect(), AgentInfo(100)).register())

    def test_copied_state(self) -> None:
        """Two whose state directory is a copy of the other's do not fight for ever."""
        self.run_(self.mine.register())
        twin = self.make(self.connect(), AgentInfo(200, "clone", "/var/lib/pop", "mine"))
        waiting = Deferred.fromCoroutine(twin.register())
        waiting.addErrback(lambda _: None)
        for _ in range(1000):
            self.clock.step()
        self.assertFalse(self.clock.step())

    def test_after_expiry(self) -> None:
        """Once the old session has expired, anybody may be that machine."""
        other = self.other()
        self.run_(other.register())
        other.stop()
        client = self.clients[-1]
        self.server.refuse_connections()
        self.server.expire(client.client_id[0])
        self.run_(client.close())
        self.server.accept_connections()
        self.run_(self.mine.register())
        self.check()

    def test_both_at_once(self) -> None:
        """Of two that come at any moments, one is the machine and the other is refused."""
        outcomes: list[object] = []

        def work() -> None:
            outcomes.clear()
            self.late = self.other()
            Deferred.fromCoroutine(self.mine.register()).addBoth(outcomes.append)

        def trouble() -> None:
            Deferred.fromCoroutine(self.late.register()).addBoth(outcomes.append)

        for step in self.at_each_step(work, trouble):
            self.server.settle()
            self.assertEqual(1, outcomes.count(None), step)
            self.assertEqual(2, len(outcomes), step)

    def test_broken(self) -> None:
        """An agent's node that makes no sense is named."""
        self.put(AGENT, b"{")
        self.assertIn(AGENT, str(self.fails(BrokenNode, self.mine.register())))


class WaitingTests(RegistrationTestCase):
    """There is no namespace yet."""

    def begin(self) -> None:
        super().begin()
        self.network = self.server.network()
        self.late = self.connect(self.network, prefix="/late/pop")
        self.registered: list[object] = []
        registration = self.make(self.late)
        self.registering = Deferred.fromCoroutine(registration.register())
        self.registering.addBoth(self.registered.append)
        self.server.settle()

    def end(self) -> None:
        self.registering.cancel()
        super().end()

    def init(self) -> None:
        """Somebody makes the namespace."""
        admin = self.connect(prefix="/late/pop")
        self.run_(init(admin, force=False, identity=None))

    def check_late(self) -> None:
        """It is registered."""
        self.server.advance(5)
        self.assertEqual([None], self.registered)
        self.assertNotEqual(None, self.data("/late/pop/agents/m1"))

    def test_init(self) -> None:
        """It waits, however long, and joins as soon as there is one."""
        self.server.advance(1000)
        self.assertEqual([], self.registered)
        self.init()
        self.server.settle()
        self.check_late()

    def test_trouble_while_waiting(self) -> None:
        """Lost connections and sessions do not end its waiting."""
        for _ in range(3):
            self.network.drop_connections()
            self.server.advance(3)
            self.server.expire(self.late.client.client_id[0])
            self.server.advance(3)
        self.assertEqual([], self.registered)
        self.init()
        self.check_late()

    def test_made_by_hand(self) -> None:
        """A namespace made by hand, in any order, is joined when it is whole."""
        for path in ("", "/pop", "/pop/agents", "/pop/services", "/pop/machines"):
            self.assertEqual([], self.registered)
            self.client.create(f"/late{path}")
            for _ in range(1000):
                self.clock.step()
            self.assertFalse(self.clock.step(), f"only {path} was made, and it is never at rest")
            self.server.advance(60)
        self.check_late()


class KeepingTests(RegistrationTestCase):
    """The nodes are lost later on."""

    def begin(self) -> None:
        super().begin()
        self.run_(self.mine.register())
        self.deploy("web", "m1")
        self.reports.publish("web", READY)
        self.server.settle()

    def check_all(self, note: object = None) -> None:
        """Nodes and reports are there."""
        self.check(note)
        for path in ("/machines/m1/web", "/services/web/status/m1"):
            owner = self.agent.client.client_id[0]
            self.assertEqual(owner, self.stat(path).ephemeral_owner, note)

    def test_removed_by_hand(self) -> None:
        """Nodes that somebody deletes are made again."""
        self.run_(self.client.delete(AGENT))
        self.check_all()
        self.run_(self.client.delete("/machines/m1/web"))
        self.run_(self.client.delete(NODE))
        self.check_all()

    def test_edited_by_hand(self) -> None:
        """What somebody writes into them does no harm."""
        self.put(AGENT, b"{")
        self.put(NODE, b"[")
        self.server.advance(60)
        self.assertEqual(b"[", self.data(NODE))
        self.run_(self.client.delete(AGENT))
        self.check_all()

    def test_namespace_made_again(self) -> None:
        """After C{pop init --force} the machine is there again, and what it reports."""
        self.run_(init(self.cluster, force=True, identity=None))
        self.check()
        self.deploy("web", "m1")
        self.reports.publish("web", None)
        self.reports.publish("web", READY)
        self.check_all()

    def test_namespace_gone(self) -> None:
        """While there is no namespace it waits; then it is back."""
        transaction = self.client.transaction()
        for path in self.paths.roots:
            self.run_(self.cluster.delete(transaction, path))
        self.run_(transaction.commit())
        self.server.advance(60)
        self.run_(init(self.cluster, force=False, identity=None))
        self.check()

    def test_sessions(self) -> None:
        """Through lost connections and expired sessions, all nodes come back."""
        for number in range(4):
            self.network.drop_connections()
            self.server.advance(1)
            self.server.expire(self.agent.client.client_id[0])
            self.server.advance(5)
            self.check_all(number)

    def test_away_while_removed(self) -> None:
        """Nodes that were removed while ZooKeeper was away are made again."""
        self.network.refuse_connections()
        self.network.drop_connections()
        transaction = self.client.transaction()
        self.run_(self.cluster.delete(transaction, NODE))
        self.run_(self.cluster.delete(transaction, AGENT))
        self.run_(transaction.commit())
        self.server.advance(2)
        self.network.accept_connections()
        self.server.advance(5)
        self.check_all()

    def test_removed_at_each_step_of_trouble(self) -> None:
        """Removed and disconnected at any moment, they are made again."""

        def work() -> None:
            self.client.delete(AGENT)

        for step in self.at_each_step(work, lambda: self.network.drop_connections()):
            self.server.advance(5)
            self.check_all(step)

    def test_refused_later(self) -> None:
        """While ZooKeeper refuses, it is tried again and again."""
        self.run_(self.client.set_acl("/agents", [make_digest_acl("x", "y")]))
        self.client.add_auth("digest", "x:y")
        self.run_(self.client.delete(AGENT))
        self.server.advance(11)
        self.assertEqual(None, self.data(AGENT))
        self.run_(self.client.set_acl("/agents", self.run_(self.cluster.acl())))
        self.server.advance(6)
        self.check_all()

    def test_stopped(self) -> None:
        """Once it is stopped, nobody makes them again."""
        self.mine.stop()
        self.mine.stop()
        self.run_(self.client.delete(AGENT))
        self.server.advance(60)
        self.assertEqual(None, self.data(AGENT))

    def test_unknown_keys(self) -> None:
        """What a newer pop has written of an agent can still be read."""
        self.put("/agents/m2", b'{"pid": 7, "endpoint": "tcp:1"}')
        info = AgentInfo.from_json("/agents/m2", self.data("/agents/m2") or b"")
        self.assertEqual({"endpoint": "tcp:1"}, info.extra)
        self.assertEqual("tcp:1", plain(info.to_json())["endpoint"])
