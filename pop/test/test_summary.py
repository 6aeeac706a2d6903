"""A service's report on one machine: as good as the worst of its processes."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from pop.life import Phase
from pop.plan import Held, Preparing, Unrunnable
from pop.policy import NEVER, Restarts
from pop.protocols.notify import Notice
from pop.reports import Report
from pop.summary import WORST_FIRST, summary
from pop.test.test_instances import TALKER, WEB, World

ONCE = replace(WEB, restarts=Restarts(NEVER))


class SummaryTests(SynchronousTestCase):
    """A service of up to three processes; each slot is told what to do by itself."""

    def setUp(self) -> None:
        self.world = World()
        self.instances = self.world.instances

    def report(self, problem: str = "", causes: tuple[str, ...] = ()) -> Report:
        """What is published."""
        found = summary(self.instances.of("web"), problem, lambda seconds: f"{seconds:g} s", causes)
        assert found is not None
        return found

    def told(self, problem: str = "") -> tuple[str, str, str]:
        """Phase, reason and problem that are shown."""
        status = self.report(problem).status
        return status.phase, status.why, status.problem

    def start(self, *slots: str) -> None:
        """Start processes that are ready at once."""
        for slot in slots:
            self.instances.start(slot, WEB, "deployed")

    def test_every_phase(self) -> None:
        """Every phase has its place in the order of what is worse."""
        self.assertEqual(set(Phase), set(WORST_FIRST))

    def test_nothing(self) -> None:
        """A service without any instance has no report."""
        self.assertIsNone(summary([], "", str))

    def test_one(self) -> None:
        """A single process is reported as it is, without being listed."""
        self.world.clock.advance(5)
        self.start("web")
        report = self.report(causes=("before",))
        self.assertEqual(("ready", "deployed", "5 s"), report_head(report))
        self.assertEqual((WEB.program.state, ()), (report.state, report.status.processes))
        self.assertEqual(self.world.spawner["web"].pid, report.pid)
        self.assertEqual(("before",), report.status.causes)

    def test_the_worst(self) -> None:
        """Of several, the worst one is the service's phase; its slot is named, unless it is the
        first. Then the service is not ready, and has no state."""
        self.start("web", "web/2")
        self.instances.start("web/3", TALKER, "deployed")
        report = self.report()
        self.assertEqual(("starting", "web/3: deployed", "0 s"), report_head(report))
        self.assertIsNone(report.state)
        self.assertEqual(
            [("web", "ready"), ("web/2", "ready"), ("web/3", "starting")],
            [(each["name"], each["phase"]) for each in report.status.processes],
        )
        for slot in ("web", "web/2"):
            self.world.spawner[slot].crash()
            self.world.spawner[slot].crash()
        self.assertEqual(("backing off", "ended by signal 11"), self.told()[:2])
        self.assertEqual(2, self.report().status.restarts)

    def test_leaving(self) -> None:
        """What is on its way out counts only when nothing else is left."""
        self.start("web", "web/2")
        self.instances.drop("web", "settings changed")
        self.assertEqual("ready", self.told()[0])
        self.instances.drop("web/2", "undeployed")
        self.assertEqual("stopping", self.told()[0])

    def test_unrunnable(self) -> None:
        """What there is no way to run has failed, unless there will soon be one; the reason is no
        problem besides."""
        for want, phase in (
            (Unrunnable("no such type"), "failed"),
            (Preparing("built"), "starting"),
        ):
            self.instances.hold("web", want)
            self.assertEqual((phase, want.why, ""), self.told(problem=want.why))

    def test_held(self) -> None:
        """What is held is stopped."""
        self.instances.hold("web", Held("held by the operator"))
        self.assertEqual(("stopped", "held by the operator", ""), self.told())

    def test_problem(self) -> None:
        """What runs although something else is wanted says so."""
        self.start("web")
        self.assertEqual(("ready", "deployed", "it makes no sense"), self.told("it makes no sense"))

    def test_finished(self) -> None:
        """What ended by failing, and is not started again, has that for a problem."""
        for status, problem in ((0, ""), (3, "exited with status 3")):
            self.instances.start("web", ONCE, "deployed")
            self.world.spawner["web"].exit(status)
            self.assertEqual(("finished", f"exited with status {status}", problem), self.told())

    def test_assumed(self) -> None:
        """It is said of what is ready that this only means that it runs, if so."""
        self.start("web")
        self.assertTrue(self.report().status.assumed)
        self.instances.start("web/2", TALKER, "deployed")
        self.assertFalse(self.report().status.assumed)
        self.world.spawner["web/2"].notify()
        self.assertTrue(self.report().status.assumed)
        self.instances.drop("web", "undeployed")
        self.assertFalse(self.report().status.assumed)

    def test_failures(self) -> None:
        """One that ended lately does not count as being in service until it has had a good run."""
        self.start("web", "web/2")
        self.assertTrue(self.report().status.serves)
        self.world.spawner["web/2"].crash()
        for failures, seconds in ((1, 9.9), (0, 0.2)):
            self.world.clock.advance(seconds)
            status = self.report().status
            self.assertEqual(("ready", failures), (status.phase, status.failures))
            self.assertEqual(failures == 0, status.serves)

    def test_generation(self) -> None:
        """It is the least of what runs, so that it is known when all have been restarted."""
        for slot, generation in (("web", 3), ("web/2", 2)):
            self.instances.start(slot, replace(WEB, generation=generation), "restart asked")
        self.assertEqual(2, self.report().status.generation)
        self.instances.start("web/2", replace(WEB, generation=3), "restart asked")
        self.assertEqual(2, self.report().status.generation)  # it is being stopped
        self.world.clock.advance(0)
        self.assertEqual(3, self.report().status.generation)

    def test_words(self) -> None:
        """The program's own words are those of the worst one."""
        self.start("web")
        self.instances.start("web/2", TALKER, "deployed")
        protocol = self.world.spawner["web/2"].protocol
        assert protocol is not None
        protocol.notified(Notice(status="loading"))  # type: ignore[attr-defined]
        self.assertEqual("loading", self.report().status.says)


def report_head(report: Report) -> tuple[str, str, str]:
    """What is seen of it first."""
    return report.status.phase, report.status.why, report.status.since
