"""Several processes of one service on a machine."""

import json
from typing import Any

from pop.slots import filename, index_of, service_of, slot, slots
from pop.test.test_agent import HostTestCase


class SlotsTests(HostTestCase):
    """A service with processes=3."""

    def setUp(self) -> None:
        super().setUp()
        self.world.add("web", "m1", processes=3, notify=True)
        self.world.server.settle()

    def ready(self, *names: str) -> None:
        """Processes say that they are ready."""
        for name in names:
            self.spawner[name].notify(f'READY=1\nX_POP_STATE={{"name": "{name}"}}'.encode())
        self.world.server.settle()

    @property
    def running(self) -> list[str]:
        """The slots that are occupied."""
        return [process.name for process in self.spawner.running()]

    @property
    def status(self) -> Any:
        """What is reported."""
        return self.world.status("web")

    def change(self, **settings: Any) -> None:
        """New settings."""
        node = {"argv": "run-web", "notify": True, **settings}
        self.world.write("/services/web/settings", json.dumps(node))
        self.world.server.settle()

    def test_names(self) -> None:
        """The first is called as the service is; each has files of its own."""
        self.assertEqual(["web", "web/2"], list(slots("web", 2)))
        self.assertEqual(("web", 3), (service_of("web/3"), index_of("web/3")))
        self.assertEqual(("web", 1), (service_of("web"), index_of(slot("web", 1))))
        self.assertEqual(["web.log", "web.log.2"], [filename(n, ".log") for n in slots("web", 2)])

    def test_started(self) -> None:
        """Each runs by itself, and its launch is of one process."""
        self.assertEqual(["web", "web/2", "web/3"], self.running)
        self.assertEqual([1] * 3, [each.launch.processes for each in self.spawner.running()])

    def test_ready_when_all_are(self) -> None:
        """The service is ready, and has its state node, when all are; the first one's is shown."""
        self.ready("web", "web/3")
        self.assertEqual("starting", self.status["phase"])
        self.assertIsNone(self.world.read("/services/web/state/m1"))
        self.ready("web/2")
        self.assertEqual("ready", self.status["phase"])
        self.assertEqual({"name": "web"}, self.world.read("/services/web/state/m1"))

    def test_each_is_reported(self) -> None:
        """The status lists them all; the worst of them is how the service fares, and says why."""
        self.ready("web", "web/2", "web/3")
        self.spawner["web/2"].exit(3)
        self.world.server.settle()
        self.assertEqual(
            ("starting", "web/2: exited with status 3", 1),
            (self.status["phase"], self.status["why"], self.status["restarts"]),
        )
        phases = [(each["name"], each["phase"]) for each in self.status["processes"]]
        self.assertEqual([("web", "ready"), ("web/2", "starting"), ("web/3", "ready")], phases)
        pids = [each["pid"] for each in self.status["processes"]]
        self.assertEqual([self.spawner[name].pid for name in slots("web", 3)], pids)

    def test_pid(self) -> None:
        """The pid node holds the first one's, or else that of the first one that runs."""
        self.assertEqual(self.spawner["web"].pid, self.world.read("/machines/m1/web"))
        self.spawner["web"].exit(1)
        self.spawner["web"].exit(1)
        self.world.server.settle()
        self.assertEqual(self.spawner["web/2"].pid, self.world.read("/machines/m1/web"))

    def test_fewer_and_more(self) -> None:
        """Another number starts and stops some, and leaves the others alone."""
        self.change(processes=1)
        self.assertEqual(["web"], self.running)
        self.assertNotIn("processes", self.status)
        self.change(processes=2)
        self.assertEqual(["web", "web/2"], self.running)
        self.assertEqual(4, len(self.spawner.spawned))

    def test_on_their_way_out(self) -> None:
        """Those that are needed no more do not keep the service from being ready."""
        self.ready("web", "web/2", "web/3")
        self.spawner["web/3"].stubborn = True
        self.change(processes=2)
        self.assertEqual("ready", self.status["phase"])
        last = self.status["processes"][-1]
        self.assertEqual("stopping", last["phase"])
        self.assertIn("settings changed (processes)", last["why"])

    def test_held(self) -> None:
        """A held service has none, and one place that says so."""
        self.world.write("/services/web/target", '{"run": false}')
        self.world.server.settle()
        self.assertEqual([], self.running)
        self.assertEqual("stopped", self.status["phase"])
        self.assertIn("held by hand", self.why)
        self.world.write("/services/web/target", '{"run": true}')
        self.world.server.settle()
        self.assertEqual(["web", "web/2", "web/3"], self.running)

    @property
    def why(self) -> str:
        """The reason that is reported."""
        return str(self.status["why"])

    def test_broken(self) -> None:
        """Settings that make no sense leave all of them running."""
        self.change(processes="many")
        self.assertEqual(["web", "web/2", "web/3"], self.running)
        self.assertIn("processes", self.status["problem"])

    def test_gone(self) -> None:
        """Undeployed, all of them stop, and nothing is left of the reports."""
        self.world.write("/services/web/machines", "[]")
        self.world.server.settle()
        self.assertEqual([], self.running)
        self.assertIsNone(self.status)
        self.assertIsNone(self.world.read("/machines/m1/web"))


class FinishedTests(HostTestCase):
    """A service that is not to be started again."""

    def test_done(self) -> None:
        """What did what it should is finished, and stays so."""
        self.world.add("job", "m1", restart="on-failure")
        self.world.server.settle()
        self.spawner["job"].exit(0)
        self.world.server.advance(600)
        self.assertEqual(1, len(self.spawner.spawned))
        status = self.world.status("job")
        self.assertEqual(("finished", "exited with status 0"), (status["phase"], status["why"]))
        self.assertNotIn("problem", status)

    def test_failed(self) -> None:
        """What failed has a problem; a restart that is asked for starts it."""
        self.world.add("job", "m1", restart="never")
        self.world.server.settle()
        self.spawner["job"].exit(3)
        self.world.server.settle()
        status = self.world.status("job")
        self.assertEqual(("finished", "exited with status 3"), (status["phase"], status["problem"]))
        self.world.write("/services/job/target", '{"generation": 1}')
        self.world.server.settle()
        self.assertEqual("ready", self.world.phase("job"))
