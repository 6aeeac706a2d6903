"""Agents come and go, and so does ZooKeeper; what runs here goes on as it should."""

import json

from pop.errors import MachineTaken
from pop.test.test_agent import HostTestCase, WebTestCase
from txzookeeper import ClientEvent

NODES = ("/agents/m1", "/machines/m1/web", "/services/web/state/m1", "/services/web/status/m1")


class SuccessionTests(WebTestCase):
    """One agent follows another on the same machine."""

    def setUp(self) -> None:
        super().setUp()
        self.first = self.spawner["web"]
        self.seen: list[ClientEvent] = []
        watching = self.world.admin.client.add_watch("/", self.seen.append, recursive=True)
        self.world.server.run(watching)

    def check_unnoticed(self) -> None:
        """The process goes on, and so do all nodes: none was deleted or made."""
        self.world.server.advance(20)
        self.assertEqual([self.first], self.spawner.spawned)
        self.assertEqual([], self.first.signals)
        happened = {(event.type_name, event.path) for event in self.seen}
        self.assertEqual([], [each for each in happened if each[0] != "changed"])
        for path in NODES:
            self.assertIsNotNone(self.world.read(path), path)

    def test_unnoticed(self) -> None:
        """The next agent takes over what runs, and the session with all nodes."""
        for _ in range(3):
            self.host.leave()
            self.world.server.advance(2)
            self.host.succeed()
        self.check_unnoticed()
        self.assertEqual(301, self.world.read("/agents/m1")["pid"])

    def test_looked_after(self) -> None:
        """What was taken over is looked after as before."""
        self.host.leave()
        self.host.succeed()
        self.first.crash()
        self.world.server.settle()
        self.assertEqual(self.spawner["web"].pid, self.world.read("/machines/m1/web"))
        self.world.write("/services/web/machines", "[]")
        self.world.server.settle()
        self.assertEqual([], self.spawner.running())
        self.assertIsNone(self.world.read("/machines/m1/web"))

    def test_changed_meanwhile(self) -> None:
        """What has other settings by now is restarted, what is not wanted any more is stopped."""
        self.world.add("gone", "m1")
        self.world.server.settle()
        self.host.leave()
        self.world.write("/services/web/settings", '{"argv": "other"}')
        self.world.write("/services/gone/machines", "[]")
        self.host.succeed()
        self.world.server.settle()
        self.assertEqual(["TERM"], self.first.signals)
        [web] = self.spawner.running()
        self.assertEqual(("other",), web.launch.program.argv)
        self.assertIsNone(self.world.read("/services/gone/status/m1"))
        self.assertIsNone(self.world.read("/machines/m1/gone"))

    def test_ended_meanwhile(self) -> None:
        """What has ended while nobody looked is started again; what was failed stays known."""
        self.host.leave()
        self.first.exit(3)
        self.host.succeed()
        self.world.server.settle()
        self.assertEqual(self.spawner["web"].pid, self.world.read("/machines/m1/web"))
        self.assertEqual("exited with status 3", self.world.status("web")["why"])

    def test_not_running(self) -> None:
        """What did not run and is here no more leaves no report behind."""
        self.spawner.refuse("odd")
        self.world.add("odd", "m1")
        self.world.server.settle()
        self.assertEqual("failed", self.world.phase("odd"))
        self.host.leave()
        self.world.write("/services/odd/machines", "[]")
        self.host.succeed()
        self.world.server.settle()
        self.assertEqual(None, self.world.phase("odd"))

    def test_session_gone(self) -> None:
        """After so long that the session has expired, the nodes are made in a new one."""
        self.host.leave()
        self.world.server.advance(10)
        self.assertEqual(None, self.world.read(NODES[0]))
        self.host.succeed()
        self.world.server.advance(5)
        for path in NODES:
            self.assertIsNotNone(self.world.read(path), path)
        self.assertEqual([self.first], self.spawner.spawned)

    def test_left_at_each_step(self) -> None:
        """However early an agent ends, what it took over goes on."""
        for steps in range(60):
            self.host.leave()
            self.host.succeed(reachable=False)
            self.host.network.accept_connections()
            self.world.server.advance(steps / 100)
            self.assertEqual([self.first], self.spawner.running(), steps)
        self.world.server.advance(20)
        self.assertEqual([self.first], self.spawner.spawned)
        self.assertEqual("ready", self.world.phase("web"))

    def test_stopped(self) -> None:
        """An agent that is told to stop ends its services, and its successor finds none."""
        self.world.server.run(self.host.agent.stopService())
        self.assertEqual(None, self.host.session.data)
        self.assertEqual([], self.spawner.running())
        self.host.succeed()
        self.world.server.settle()
        self.assertEqual("ready", self.world.phase("web"))

    def test_refused(self) -> None:
        """An agent that is refused its machine touches neither processes nor nodes."""
        self.host.leave()
        self.world.server.advance(10)
        self.world.host("m1", state_id="another")
        self.host.succeed()
        self.world.server.advance(5)
        self.assertEqual([MachineTaken], [type(error) for error in self.host.failures])
        self.host.leave()
        self.assertEqual([self.first], self.spawner.running())
        other = self.world.hosts[-1].spawner["web"]
        self.assertEqual(other.pid, self.world.read("/machines/m1/web"))


class MemoryTests(HostTestCase):
    """ZooKeeper is away when an agent begins."""

    def setUp(self) -> None:
        super().setUp()
        self.world.add("web", "m1")
        self.world.add("held", "m1")
        self.world.write("/services/held/target", '{"run": false}')
        self.world.add("careful", "m1", on_disconnect="stop-after=60")
        self.world.server.settle()

    def reboot(self) -> None:
        """The machine begins from nothing but its files, without ZooKeeper."""
        self.world.server.run(self.host.agent.stopService())
        self.host.succeed(reachable=False)

    def names(self) -> list[str]:
        """What runs."""
        return [process.name for process in self.spawner.running()]

    def test_boot(self) -> None:
        """After a few seconds without an answer, what ran before runs, but not what minds."""
        self.reboot()
        self.world.server.advance(2.9)
        self.assertEqual([], self.names())
        self.world.server.advance(0.2)
        self.assertEqual(["web"], self.names())
        self.world.server.advance(100)
        self.spawner["web"].crash()
        self.world.server.advance(1)
        self.assertEqual(["web"], self.names())

    def test_back(self) -> None:
        """As soon as it answers, it rules."""
        self.reboot()
        self.world.server.advance(10)
        web = self.spawner["web"]
        self.world.write("/services/held/target", '{"run": true}')
        self.host.network.accept_connections()
        self.world.server.advance(10)
        self.assertEqual(["web", "careful", "held"], sorted(self.names(), key="wch".find))
        self.assertEqual(web, self.spawner["web"])
        self.assertEqual(web.pid, self.world.read("/machines/m1/web"))

    def test_moved_away(self) -> None:
        """What was moved away meanwhile is stopped then."""
        self.reboot()
        self.world.server.advance(10)
        self.world.write("/services/web/machines", '["m2"]')
        self.host.network.accept_connections()
        self.world.server.advance(10)
        self.assertEqual(["careful"], self.names())

    def test_quick_answer(self) -> None:
        """If it answers in time, nothing is started from memory."""
        self.world.write("/services/web/machines", '["m1"]')
        self.world.server.run(self.host.agent.stopService())
        self.world.write("/services/web/machines", '["m2"]')
        before = len(self.spawner.spawned)
        self.host.succeed(reachable=False)
        self.world.server.advance(1)
        self.host.network.accept_connections()
        self.world.server.advance(20)
        self.assertEqual(["careful"], [each.name for each in self.spawner.spawned[before:]])

    def test_taken_over(self) -> None:
        """What runs still goes on, known from memory or not; but for what minds."""
        for memory in (self.host.snapshot.data, b"damaged"):
            self.host.snapshot.data = memory
            self.host.leave()
            self.host.succeed(reachable=False)
            self.world.server.advance(20)
            self.assertEqual(["web"], self.names())
            self.host.network.accept_connections()
            self.world.server.advance(20)
            self.assertEqual({"web", "careful"}, {*self.names()})

    def test_ended_meanwhile(self) -> None:
        """What minds, and has ended while no agent ran, may run elsewhere: it is not started
        before ZooKeeper has answered, and then as that says."""
        for machines, started in (("m2", []), ("m1", ["careful"])):
            self.host.leave()
            self.spawner["careful"].exit(3)
            before = len(self.spawner.spawned)
            self.host.succeed(reachable=False)
            self.world.server.advance(1)
            self.world.write("/services/careful/machines", f'["{machines}"]')
            self.host.network.accept_connections()
            self.world.server.advance(20)
            self.assertEqual(started, [each.name for each in self.spawner.spawned[before:]])
            self.world.write("/services/careful/machines", '["m1"]')
            self.world.server.advance(20)

    def test_broken_before_it_answered(self) -> None:
        """Nor does a connection count as an answer that breaks, at whatever moment, before what is
        wanted was read by it."""
        self.host.leave()
        self.spawner["careful"].exit(3)
        self.world.write("/services/careful/machines", '["m2"]')
        before = len(self.spawner.spawned)
        for turns in range(20):
            self.host.succeed(reachable=False)
            self.host.agent.cluster.client.subscribe_session(
                lambda event, turns=turns: self.cut_after(turns)  # type: ignore[misc]
            )
            self.host.network.accept_connections()
            self.world.server.advance(10)
            self.assertEqual([], self.spawner.spawned[before:], turns)
            self.host.leave()
        self.host.succeed()
        self.world.server.advance(20)
        self.assertEqual([], self.spawner.spawned[before:])

    def cut_after(self, turns: int) -> None:
        """Have ZooKeeper away again so many turns of the clock from now."""
        if turns:
            self.world.clock.callLater(0, self.cut_after, turns - 1)
        else:
            self.host.network.refuse_connections()
            self.host.network.drop_connections()

    def test_finished_meanwhile(self) -> None:
        """What minds, and is not to be started again as it ended, is finished: it is not done once
        more when ZooKeeper answers."""
        minds = {"argv": "x", "on_disconnect": "stop-after=60"}
        for policy, status in (("never", 0), ("never", 3), ("on-failure", 0)):
            self.world.write("/services/careful/settings", json.dumps(minds | {"restart": policy}))
            self.world.server.settle()
            self.host.leave()
            self.spawner["careful"].exit(status)
            before = len(self.spawner.spawned)
            for _ in range(2):
                self.host.succeed()
                self.world.server.advance(20)
                self.assertEqual([], self.spawner.spawned[before:])
                self.assertEqual("finished", self.world.phase("careful"))
                self.host.leave()
            self.host.succeed()
            self.world.write("/services/careful/settings", json.dumps(minds))
            self.world.server.advance(20)

    def test_no_memory(self) -> None:
        """Without any memory it waits for ZooKeeper."""
        self.host.snapshot.data = None
        self.world.server.run(self.host.agent.stopService())
        self.host.snapshot.data = None
        self.host.succeed(reachable=False)
        self.world.server.advance(20)
        self.assertEqual([], self.names())
