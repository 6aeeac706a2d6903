"""How instances fare is in ZooKeeper, whatever happens on the way there."""

from dataclasses import replace

from pop.model import Status
from pop.namespace import init
from pop.reports import Report, Reports
from pop.test.clusters import ClusterTestCase, plain
from txzookeeper import EPHEMERAL, make_digest_acl

PID, STATE, STATUS = "/machines/m1/web", "/services/web/state/m1", "/services/web/status/m1"
ALL = (PID, STATE, STATUS)
STARTING = Report(Status("starting", "2026-01-01T00:00:00.000Z", "deployed"))
SPAWNED = replace(STARTING, pid=41)
READY = Report(Status("ready", "2026-01-01T00:00:01.000Z"), 41, {"port": 8000})
FAILED = Report(Status("failed", why="no such file", restarts=3, problem="x"))


class ReportsTestCase(ClusterTestCase):
    """A machine m1 and a service web that is deployed there, and the agent's client."""

    def begin(self) -> None:
        super().begin()
        self.network = self.server.network()
        self.agent = self.connect(self.network)
        self.reports = Reports(self.agent, "m1", self.clock)
        self.run_(self.client.create("/machines/m1"))
        self.deploy("web", "m1")

    def end(self) -> None:
        self.reports.stop()
        super().end()

    def publish(self, *reports: Report | None) -> None:
        """Publish reports at once, one after the other."""
        for report in reports:
            self.reports.publish("web", report)

    def check(self, report: Report | None, note: object = None) -> None:
        """The nodes are exactly those of the report, and they belong to the agent's session."""
        self.server.settle()
        pid = str(report.pid).encode() if report and report.pid else None
        self.assertEqual(pid, self.data(PID), note)
        state = self.data(STATE)
        wanted = report.state if report else None
        self.assertEqual(wanted, None if state is None else plain(state), note)
        status = self.data(STATUS)
        found = None if status is None else Status.from_json(STATUS, status)
        self.assertEqual(report.status if report else None, found, note)
        for path in ALL:
            stat = self.run_(self.client.exists(path))
            if stat:
                self.assertEqual(self.agent.client.client_id[0], stat.ephemeral_owner, note)


class PublishTests(ReportsTestCase):
    """Nothing goes wrong."""

    def test_phases(self) -> None:
        """From one phase to the next, the nodes are those of the phase."""
        for report in (STARTING, SPAWNED, READY, replace(READY, state={"port": 1}), FAILED, None):
            self.publish(report)
            self.check(report)
            self.publish(report)
            self.check(report)

    def test_empty_state(self) -> None:
        """A service that is ready and has nothing to say has an empty state node."""
        self.publish(replace(READY, state={}))
        self.server.settle()
        self.assertEqual(b"{}", self.data(STATE))

    def test_one_transaction(self) -> None:
        """What changes together is written together, and nothing else is written."""
        self.publish(READY)
        self.server.settle()
        self.assertEqual(1, len({self.stat(path).czxid for path in ALL}))
        pid = self.stat(PID)
        self.publish(replace(READY, status=FAILED.status, state={"port": 9}))
        self.server.settle()
        self.assertEqual(pid, self.stat(PID))
        self.assertEqual(self.stat(STATE).mzxid, self.stat(STATUS).mzxid)

    def test_same_again(self) -> None:
        """The same report once more writes nothing."""
        self.publish(READY)
        self.server.settle()
        before = [self.stat(path) for path in ALL]
        self.publish(READY, READY)
        self.server.settle()
        self.assertEqual(before, [self.stat(path) for path in ALL])

    def test_latest_wins(self) -> None:
        """While a write is under way the latest report waits; those between are never written."""
        states = [replace(READY, state={"n": number}) for number in range(50)]
        self.publish(*states)
        self.check(states[-1])
        self.assertEqual(1, self.stat(STATE).version)

    def test_there_and_back(self) -> None:
        """A report that is taken back while it is written leaves what was before."""
        self.publish(STARTING)
        self.server.settle()
        self.publish(READY, STARTING)
        self.check(STARTING)
        self.publish(None, STARTING)
        self.check(STARTING)
        self.publish(READY, None)
        self.check(None)

    def test_several_services(self) -> None:
        """Services do not wait for each other."""
        self.deploy("b", "m1")
        self.publish(READY)
        self.reports.publish("b", SPAWNED)
        self.check(READY)
        self.assertEqual(b"41", self.data("/machines/m1/b"))

    def test_acl(self) -> None:
        """Reports are protected as the namespace is."""
        identity = "us:secret"
        self.agent.client.add_auth("digest", identity)
        self.run_(init(self.agent, force=True, identity=identity))
        self.client.add_auth("digest", identity)
        self.run_(self.agent.client.create("/machines/m1"))
        self.deploy("web", "m1")
        self.publish(READY)
        self.check(READY)
        for path in ALL:
            found, _ = self.run_(self.client.get_acl(path))
            self.assertEqual([make_digest_acl("us", "secret")], found)

    def test_gone_with_the_session(self) -> None:
        """What is published goes when the client is closed."""
        self.publish(READY)
        self.server.settle()
        self.reports.stop()
        self.run_(self.agent.client.close())
        self.check(None)

    def test_stopped(self) -> None:
        """A stop in the middle of a write leaves nothing to happen."""
        for step in self.at_each_step(lambda: self.publish(READY), lambda: self.reports.stop()):
            self.server.advance(20)
            self.assertEqual([], self.flushLoggedErrors(), step)


class FoundTests(ReportsTestCase):
    """The nodes are not as they were left."""

    def stale(self) -> int:
        """Nodes of a predecessor; its session."""
        network = self.server.network()
        predecessor = self.connect(network)
        for path in ALL:
            self.run_(predecessor.client.create(path, b"{}", flags=EPHEMERAL))
        network.refuse_connections()  # it is dead: it does not come back with a new session
        return predecessor.client.client_id[0]

    def test_predecessor(self) -> None:
        """Nodes that a predecessor's session still holds are replaced, and stay when it ends."""
        session = self.stale()
        self.publish(READY)
        self.check(READY)
        self.server.expire(session)
        self.check(READY)

    def test_predecessor_with_more(self) -> None:
        """A predecessor's nodes that have no place in the report go."""
        self.stale()
        self.publish(STARTING)
        self.check(STARTING)

    def test_predecessor_expires_at_each_step(self) -> None:
        """Whenever the predecessor's session ends, the nodes are ours."""
        session = 0

        def work() -> None:
            nonlocal session
            session = self.stale()
            self.publish(READY)

        for step in self.at_each_step(work, lambda: self.server.server.expire(session)):
            self.server.advance(1)
            self.check(READY, step)

    def test_removed_by_hand(self) -> None:
        """Nodes that somebody deleted come back with the next change."""
        for path in ALL:
            self.publish(READY)
            self.server.settle()
            self.run_(self.client.delete(path))
            changed = replace(READY, pid=99, status=STARTING.status, state={"new": 1})
            self.publish(changed)
            self.check(changed, path)

    def test_deleted_by_others(self) -> None:
        """What somebody deletes comes back by itself, also with a service that is made anew."""
        self.publish(READY)
        self.server.settle()
        self.run_(self.client.delete(STATUS))
        self.check(READY)
        anew = self.client.transaction()
        self.run_(self.cluster.delete(anew, "/services/web"))
        for path in ("", "/state", "/status"):
            anew.create(f"/services/web{path}", b"")
        self.run_(anew.commit())
        self.check(READY)
        self.publish(None)
        self.check(None)

    def test_publish_again(self) -> None:
        """Asked to publish again, it makes what is missing."""
        self.publish(READY)
        self.server.settle()
        for path in ALL:
            self.run_(self.client.delete(path))
        self.reports.publish_again()
        self.check(READY)
        self.reports.publish_again()
        self.check(READY)

    def test_publish_again_at_each_step(self) -> None:
        """Even while another write is under way."""
        for step in self.at_each_step(lambda: self.publish(READY), self.reports_again):
            self.check(READY, step)

    def reports_again(self) -> None:
        """Lose everything, and publish it again."""
        for path in ALL:
            self.client.delete(path).addErrback(lambda _: None)
        self.server.settle()
        self.reports.publish_again()

    def test_parents_missing(self) -> None:
        """A service made by hand, without places for reports, gets them."""
        self.run_(self.client.delete("/services/web/state"))
        self.run_(self.client.delete("/services/web/status"))
        self.publish(READY)
        self.check(READY)

    def test_machine_missing(self) -> None:
        """Without the machine's node nothing is published; once it is back, all is."""
        self.run_(self.client.delete("/machines/m1"))
        self.publish(READY)
        self.server.settle()
        self.run_(self.client.create("/machines/m1"))
        self.reports.publish_again()
        self.server.advance(1)
        self.check(READY)

    def test_removed_service(self) -> None:
        """A service that is removed at any moment is not made again by its reports."""

        def remove() -> None:
            transaction = self.client.transaction()
            self.run_(self.cluster.delete(transaction, "/services/web"))
            self.run_(transaction.commit())

        for step in self.at_each_step(lambda: self.publish(READY, STARTING), remove):
            self.server.settle()
            self.publish(FAILED, None)
            self.server.settle()
            self.assertEqual([], self.run_(self.client.get_children("/services")), step)
            self.assertEqual([], self.run_(self.client.get_children("/machines/m1")), step)

    def test_removed_and_made_again(self) -> None:
        """For one that was removed, and made again later, reports are published again."""
        self.publish(READY)
        self.server.settle()
        self.run_(self.cluster.remove("web"))
        self.publish(None)
        self.server.settle()
        self.deploy("web", "m1")
        self.publish(STARTING, READY)
        self.check(READY)

    def test_refused(self) -> None:
        """While ZooKeeper refuses, the log says so, and it is tried again and again."""
        self.run_(self.client.set_acl("/machines/m1", [make_digest_acl("x", "y")]))
        self.publish(READY)
        self.server.advance(11)
        self.check(None)
        self.client.add_auth("digest", "x:y")
        self.run_(self.client.set_acl("/machines/m1", self.run_(self.cluster.acl())))
        self.server.advance(6)
        self.check(READY)
