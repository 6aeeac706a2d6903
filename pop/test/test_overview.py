"""How things stand is shown as it is, whatever is broken."""

from pop.cluster import Cluster
from pop.errors import NoSuchService, NotInitialised
from pop.model import AgentInfo, Machine, Status
from pop.overview import InstanceView, MachineView, ServiceView, machine_on, machines, services
from pop.test.clusters import ClusterTestCase
from txzookeeper.testing.line import Faithful, Flow, Line, Lines

READY = Status("ready", "2026-01-01T00:00:00.000Z", restarts=2)
AGENT = AgentInfo(7, "alpha", "/state", "id")


class OverviewTestCase(ClusterTestCase):
    """A service on m1, where an agent is, and on m2, where none is."""

    def begin(self) -> None:
        super().begin()
        self.web = self.deploy("web", "m1", "m2")
        self.put("/machines/m1", Machine("m1", "alpha").to_json())
        self.put("/agents/m1", AGENT.to_json())

    def view(self, name: str = "web") -> ServiceView:
        """One service."""
        [found] = self.run_(services(self.cluster, [name]))
        return found

    def instance(self) -> InstanceView:
        """The service on m1."""
        return self.view().instances[0]

    def machine(self, id: str) -> MachineView:
        """One machine."""
        return {v.machine.id: v for v in self.run_(machines(self.cluster))}[id]


class ServicesTests(OverviewTestCase):
    """Services and their instances."""

    def test_nobody_reports(self) -> None:
        """Where an agent is, an instance without report is pending; elsewhere there is no agent."""
        here = InstanceView("m1", wanted=True, alive=True)
        there = InstanceView("m2", wanted=True, alive=False)
        self.assertEqual(ServiceView("web", self.web, "", (here, there)), self.view())
        self.assertEqual(["pending", "no agent"], [here.phase, there.phase])

    def test_reported(self) -> None:
        """What is reported is shown."""
        self.put("/services/web/status/m1", READY.to_json())
        self.put("/services/web/state/m1", b'{"port": 80}')
        self.put("/machines/m1/web", b"41")
        wanted = InstanceView("m1", True, True, READY, 41, {"port": 80})
        self.assertEqual((wanted, "ready"), (self.instance(), self.instance().phase))

    def test_on_its_way_out(self) -> None:
        """An instance that is not wanted any more is shown while it is there."""
        self.run_(self.cluster.undeploy("web", ["m1"]))
        self.put("/services/web/status/m1", Status("stopping").to_json())
        last = self.view().instances[-1]
        self.assertEqual(("m1", False, "stopping"), (last.machine, last.wanted, last.phase))

    def test_order(self) -> None:
        """Services come as they were asked for, machines as they were deployed."""
        for name in ("b", "a"):
            self.deploy(name, "m9", "m3", "m5")
        found = self.run_(services(self.cluster, ["web", "b", "a"]))
        self.assertEqual(["web", "b", "a"], [view.name for view in found])
        self.assertEqual(["m9", "m3", "m5"], [i.machine for i in found[1].instances])

    def test_broken_service(self) -> None:
        """A service that makes no sense is shown with its problem, and what is reported of it."""
        self.put("/services/web/settings", b"{")
        self.put("/services/web/status/m1", READY.to_json())
        for names in (["web"], ["web", "web"]):
            found = self.run_(services(self.cluster, names))[0]
            self.assertEqual(None, found.service)
            self.assertIn("/services/web/settings", found.problem)
            self.assertEqual("ready", found.instances[0].phase)

    def test_broken_reports(self) -> None:
        """Reports that make no sense do not hide the rest."""
        for status in (b"{", b"[]", b'{"phase": 1}', b""):
            self.put("/services/web/status/m1", status)
            self.put("/services/web/state/m1", b"[")
            self.put("/machines/m1/web", b"-x")
            found = self.instance()
            self.assertEqual("unknown", found.phase, status)
            self.assertIn("/services/web/status/m1", found.status.why if found.status else "")
            self.assertEqual((None, None), (found.pid, found.state))

    def test_made_by_hand(self) -> None:
        """A service without places for reports is shown too."""
        self.put("/services/hand/type", b"command")
        self.assertEqual((), self.view("hand").instances)

    def test_no_such_service(self) -> None:
        """One that is not there is refused if it is asked for, and a problem among others."""
        self.fails(NoSuchService, services(self.cluster, ["nope"]))
        found = self.run_(services(self.cluster, ["nope", "web"]))
        self.assertIn('"nope"', found[0].problem)
        self.assertEqual(self.web, found[1].service)

    def test_none(self) -> None:
        """No services are no trouble; no namespace is."""
        self.assertEqual([], self.run_(services(self.cluster, [])))
        nowhere = self.connect(prefix="/nowhere")
        self.fails(NotInitialised, services(nowhere, ["web"]))
        self.fails(NotInitialised, machines(nowhere))


class Far:
    """A network on which everything takes half a second."""

    def passing(self, line: Line, flow: Flow, data: bytes) -> None:
        """Let it pass, later."""
        line.place.clock.callLater(0.5, flow.put, data)


class RoundTripsTests(OverviewTestCase):
    """However many there are, the way to ZooKeeper is gone a few times only."""

    def test_services(self) -> None:
        """The names, all services, all instances: three round trips."""
        for number in range(20):
            self.deploy(f"s{number}", "m1", "m2")
        way = Lines(self.clock, self.server.endpoint, Far())
        far = self.connect(way)
        began = self.clock.seconds()
        found = self.run_(self.status(far))
        self.assertEqual((21, 3.0), (len(found), self.clock.seconds() - began))
        way.meddler = Faithful()  # whose answers do not come after the test

    async def status(self, cluster: Cluster) -> list[ServiceView]:
        """What C{pop status} does."""
        return await services(cluster, await cluster.names())


class MachinesTests(OverviewTestCase):
    """Machines and what is deployed on them."""

    def test_machines(self) -> None:
        """All that are known or deployed on are listed, in order, with their agents."""
        self.deploy("b", "m0", "m1")
        self.put("/machines/m3", b"")
        found = self.run_(machines(self.cluster))
        self.assertEqual(
            [
                MachineView(Machine("m0"), None, ("b",)),
                MachineView(Machine("m1", "alpha"), AGENT, ("b", "web")),
                MachineView(Machine("m2"), None, ("web",)),
                MachineView(Machine("m3"), None, ()),
            ],
            found,
        )

    def test_broken_machine(self) -> None:
        """A machine whose description makes no sense is listed by its id."""
        for data in (b"{", b"[]", b'{"labels": 3}', b"\xff"):
            self.put("/machines/m1", data)
            self.assertEqual(Machine("m1"), self.machine("m1").machine, data)

    def test_broken_agent(self) -> None:
        """An agent whose node makes no sense is there all the same, and hides no other."""
        self.put("/agents/m1", b"{")
        self.assertIsNotNone(self.machine("m1").agent)
        self.assertEqual(("web",), self.machine("m2").services)

    def test_broken_service(self) -> None:
        """A service that makes no sense hides no machine."""
        self.deploy("b", "m1")
        self.put("/services/web/machines", b"{")
        self.assertEqual(("b",), self.machine("m1").services)

    def test_machine_on(self) -> None:
        """Who names a host is told the machine's id; for any other word there is no hint."""
        self.assertEqual("m1", self.run_(machine_on(self.cluster, "alpha")))
        self.assertEqual("", self.run_(machine_on(self.cluster, "alpha", but="m1")))
        for word in ("m1", "beta"):
            self.assertEqual("", self.run_(machine_on(self.cluster, word)), word)
