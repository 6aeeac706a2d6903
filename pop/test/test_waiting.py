"""Waiting ends when what was asked has come true, or with a sentence on how far it came."""

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pop.errors import BrokenNode, NotGone, NotReady, NotReported
from pop.model import Status
from pop.readiness import SETTLES
from pop.test.clusters import ClusterTestCase
from pop.waiting import until_gone, until_ready

STATUS = "/services/web/status/m1"


class WaitingTestCase(ClusterTestCase):
    """Somebody who waits, on a network of their own."""

    def begin(self) -> None:
        super().begin()
        self.deploy("web", "m1")
        self.network = self.server.network()
        self.waiter = self.connect(self.network)
        self.outcomes: list[object] = []

    def wait(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin to wait."""
        Deferred.fromCoroutine(work).addBoth(self.outcomes.append)
        self.server.settle()

    def until_ready(self, patience: float = 60.0) -> Coroutine[Any, Any, None]:
        """Wait until web is ready on m1."""
        return until_ready(self.waiter, "web", "m1", patience)

    def until_gone(self, patience: float = 60.0) -> Coroutine[Any, Any, None]:
        """Wait until web is gone from m1."""
        return until_gone(self.waiter, "web", "m1", patience)

    def report(self, phase: str, why: str = "", **more: Any) -> None:
        """What the agent says."""
        self.put(STATUS, Status(phase, why=why, **more).to_json())
        self.server.settle()


class ReadyTests(WaitingTestCase):
    """Until an instance is ready."""

    def test_already(self) -> None:
        """One that is ready is not waited for."""
        self.report("ready")
        self.run_(self.until_ready())

    def test_through_phases(self) -> None:
        """It is waited for through all phases, from before there is a report."""
        self.wait(self.until_ready())
        for phase in ("stopping", "starting", "backing off", "starting"):
            self.report(phase)
            self.assertEqual([], self.outcomes, phase)
        self.report("ready")
        self.assertEqual([None], self.outcomes)

    def test_assumed(self) -> None:
        """One that is ready only in so far as it runs must go on for a while."""
        self.report("ready", assumed=True)
        self.wait(self.until_ready())
        self.server.advance(SETTLES - 0.2)
        self.assertEqual([], self.outcomes)
        self.server.advance(0.3)
        self.assertEqual([None], self.outcomes)

    def test_ends_at_once(self) -> None:
        """Nor is it ready if it ends meanwhile, be it that it is started again."""
        self.wait(self.until_ready())
        for restarts in range(5):
            self.report("ready", assumed=True, restarts=restarts)
            self.server.advance(SETTLES - 0.2)
        self.assertEqual([], self.outcomes)
        self.report("failed", "exited with status 3")
        [outcome] = self.outcomes
        assert isinstance(outcome, Failure)
        self.assertIn("exited with status 3", str(outcome.trap(NotReady) and outcome.value))

    def test_short_of_patience(self) -> None:
        """Who has not so much patience takes it for ready before that is over."""
        self.report("ready", assumed=True)
        self.wait(self.until_ready(SETTLES / 2))
        self.server.advance(SETTLES / 2)
        self.assertEqual([None], self.outcomes)

    def test_made_by_hand(self) -> None:
        """Nor does it matter that the place for reports is not there yet."""
        for path in ("/services/web/status", "/services/web/state"):
            self.run_(self.client.delete(path))
        self.wait(self.until_ready())
        self.report("ready")
        self.assertEqual([None], self.outcomes)

    def test_failed(self) -> None:
        """One that failed is not waited for any longer; why is said."""
        self.report("failed", "no such file: frob")
        said = str(self.fails(NotReady, self.until_ready()))
        for word in ('"web"', "m1", "failed", "no such file: frob", "pop logs web"):
            self.assertIn(word, said)

    def test_finished(self) -> None:
        """One that has done what it should is waited for no longer; one that failed did not."""
        self.report("finished", "exited with status 0")
        self.run_(self.until_ready())
        finished = Status("finished", why="exited with status 3", problem="exited with status 3")
        self.put(STATUS, finished.to_json())
        self.assertIn("status 3", str(self.fails(NotReady, self.until_ready())))

    def test_patience(self) -> None:
        """When the time is over, it is said how far it came."""
        self.report("backing off", "exited with status 3")
        said = str(self.fails(NotReady, self.until_ready(5)))
        self.assertIn("backing off: exited with status 3", said)
        self.assertEqual(5, int(self.clock.seconds()))

    def test_nobody_reports(self) -> None:
        """When nothing is reported at all, the agent is what to look at."""
        said = str(self.fails(NotReported, self.until_ready(5)))
        self.assertIn("agent", said)

    def test_broken(self) -> None:
        """A report that makes no sense is named."""
        self.put(STATUS, b"{")
        self.assertIn(STATUS, str(self.fails(BrokenNode, self.until_ready())))


class GoneTests(WaitingTestCase):
    """Until nothing is reported any more."""

    def test_already(self) -> None:
        """One that is gone is not waited for."""
        self.run_(self.until_gone())

    def test_stopping(self) -> None:
        """One that stops is waited for."""
        self.report("ready")
        self.wait(self.until_gone())
        self.report("stopping")
        self.assertEqual([], self.outcomes)
        self.run_(self.client.delete(STATUS))
        self.server.settle()
        self.assertEqual([None], self.outcomes)

    def test_patience(self) -> None:
        """When the time is over, it is said that it is still there."""
        self.report("stopping")
        said = str(self.fails(NotGone, self.until_gone(5)))
        for word in ('"web"', "m1", "5 seconds", "stopping"):
            self.assertIn(word, said)

    def test_removed_with_the_service(self) -> None:
        """One whose service is removed is gone."""
        self.report("ready")
        self.wait(self.until_gone())
        self.run_(self.cluster.remove("web"))
        self.server.settle()
        self.assertEqual([None], self.outcomes)


class TroubleTests(WaitingTestCase):
    """ZooKeeper is away for a while."""

    def check(self, note: object = None) -> None:
        """It is ready now, and that is noticed."""
        self.server.advance(3)
        self.assertEqual([], self.outcomes, note)
        self.report("ready")
        self.server.advance(3)
        self.assertEqual([None], self.outcomes, note)

    def test_dropped(self) -> None:
        """A connection that breaks at any moment does not end the waiting."""

        def work() -> None:
            Deferred.fromCoroutine(self.until_ready()).addBoth(self.outcomes.append)
            self.clock.step()
            self.client.create(STATUS, Status("starting").to_json())

        for step in self.at_each_step(work, lambda: self.network.drop_connections()):
            self.check(step)

    def test_expired(self) -> None:
        """Nor does a session that expires."""
        self.wait(self.until_ready())
        self.server.expire(self.waiter.client.client_id[0])
        self.check()

    def test_given_up(self) -> None:
        """Waiting that is given up leaves nothing behind."""
        for work in (self.until_ready(), self.until_gone()):
            self.report("ready", assumed=True)
            waiting = Deferred.fromCoroutine(work)
            waiting.addBoth(self.outcomes.append)
            self.server.settle()
            waiting.cancel()
        self.assertEqual(2, len(self.outcomes))
