"""The agent with all its parts, in virtual time."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from pop.catalogue import Catalogue
from pop.errors import MachineTaken
from pop.model import Service
from pop.namespace import init
from pop.test.worlds import World


class AgentTestCase(SynchronousTestCase):
    """A world in which nothing may be left at the end."""

    def setUp(self) -> None:
        self.world = World()
        self.addCleanup(self.check_nothing_is_left)

    def check_nothing_is_left(self) -> None:
        """No call may be left on the clock, and no error unhandled."""
        self.assertEqual([], self.world.close())


class HostTestCase(AgentTestCase):
    """A machine m1 of that world."""

    def setUp(self) -> None:
        super().setUp()
        self.world.init()
        self.host = self.world.host("m1")
        self.spawner = self.host.spawner


class WebTestCase(HostTestCase):
    """That machine, running a service web."""

    def setUp(self) -> None:
        super().setUp()
        self.world.add("web", "m1")
        self.world.server.settle()


class ConvergenceTests(HostTestCase):
    """What is becomes what should be."""

    def test_deployed_before(self) -> None:
        """The order does not matter: what was deployed before the agent came is started too."""
        self.world.add("web", "m2")
        late = self.world.host("m2")
        self.assertEqual(("run-web",), late.spawner["web"].launch.program.argv)

    def test_nodes(self) -> None:
        """A ready instance has its pid, state and status nodes, which vanish with the session."""
        self.world.add("web", "m1", port=80)
        self.world.server.settle()
        self.assertEqual(self.spawner["web"].pid, self.world.read("/machines/m1/web"))
        self.assertEqual({"port": 80}, self.world.read("/services/web/state/m1"))
        self.assertEqual("ready", self.world.phase("web"))
        for path in ("/machines/m1/web", "/services/web/state/m1", "/services/web/status/m1"):
            node = self.world.server.run(self.world.admin.node(path))
            assert node is not None
            self.assertEqual(self.host.agent.cluster.client.client_id[0], node[1].ephemeral_owner)

    def test_wish(self) -> None:
        """What is wanted of a service is known as it is now, held or not; but not if it is to be
        elsewhere."""
        self.world.add("web", "m1")
        self.world.add("db", "m2")
        self.world.write(self.world.paths.target("web"), '{"run": false}')
        found = [self.world.server.run(self.host.agent.wish(name)) for name in ("web", "db")]
        assert found[0] is not None
        self.assertEqual(({"argv": "run-web"}, False), (found[0].settings, found[0].target.run))
        self.assertIsNone(found[1])

    def test_wish_from_memory(self) -> None:
        """While ZooKeeper is away, it is as it was last known."""
        self.world.add("web", "m1")
        self.world.server.settle()
        self.host.network.drop_connections()
        self.host.network.refuse_connections()
        found = self.world.server.run(self.host.agent.wish("web"))
        assert found is not None
        self.assertEqual({"argv": "run-web"}, found.settings)

    def test_not_here(self) -> None:
        """What is deployed elsewhere is left alone."""
        self.world.add("web", "m2")
        self.world.server.settle()
        self.assertEqual([], self.spawner.spawned)

    def test_undeployed(self) -> None:
        """What is undeployed is stopped, and all its nodes are taken away."""
        self.world.add("web", "m1")
        self.world.write("/services/web/machines", "[]")
        self.world.server.settle()
        self.assertEqual([], self.spawner.running())
        for path in ("/machines/m1/web", "/services/web/state/m1", "/services/web/status/m1"):
            self.assertIsNone(self.world.read(path))

    def test_settings_changed(self) -> None:
        """Changed settings restart: the old process has ended before the new one starts."""
        self.world.add("web", "m1")
        self.world.server.settle()
        old = self.spawner["web"]
        old.stubborn = True
        self.world.write("/services/web/settings", '{"argv": "other"}')
        self.world.server.advance(9.9)
        self.assertEqual([old], self.spawner.running())
        self.assertEqual("stopping", self.world.phase("web"))
        self.world.server.advance(0.2)
        self.assertEqual(["TERM", "KILL"], old.signals)
        self.assertEqual(("other",), self.spawner["web"].launch.program.argv)
        why = self.world.status("web")["why"]
        self.assertRegex(why, r"^settings changed \(argv\) by hand or another client at zxid 0x")
        self.assertTrue(why.endswith("; killed at the end of its grace period"))

    def test_nothing_changed(self) -> None:
        """A change that alters nothing restarts nothing."""
        self.world.add("web", "m1")
        self.world.write("/services/web/settings", '{ "argv":"run-web",  "stop_signal": "TERM" }')
        self.world.server.settle()
        self.assertEqual(1, len(self.spawner.spawned))

    def test_hold_and_release(self) -> None:
        """A held service is stopped but stays, and runs again when it is released."""
        self.world.add("web", "m1")
        self.world.write("/services/web/target", '{"run": false}')
        self.world.server.settle()
        self.assertEqual([], self.spawner.running())
        self.assertEqual("stopped", self.world.phase("web"))
        self.assertIsNone(self.world.read("/machines/m1/web"))
        self.world.write("/services/web/target", '{"run": true}')
        self.world.server.settle()
        self.assertEqual("ready", self.world.phase("web"))

    def test_restart_asked(self) -> None:
        """A new restart generation restarts."""
        self.world.add("web", "m1")
        aim = self.world.admin.aim("web", lambda target: replace(target, generation=1))
        self.world.server.run(aim)
        self.world.server.settle()
        self.assertEqual(2, len(self.spawner.spawned))
        self.assertRegex(self.world.status("web")["why"], "^restart asked by .* at zxid 0x")

    def test_coalesced(self) -> None:
        """Many changes at once are one round."""
        rounds = []
        converge = self.host.agent.converge

        async def counted() -> None:
            rounds.append(1)
            await converge()

        self.host.agent.converge = counted  # type: ignore[method-assign]
        for _ in range(10):
            self.host.agent.look_again()
        self.world.server.settle()
        self.assertEqual([1], rounds)

    def test_removed(self) -> None:
        """A service that is removed while it runs is stopped, and no report brings it back."""
        self.world.add("web", "m1")
        self.world.server.settle()
        self.world.server.run(self.world.admin.remove("web"))
        self.world.server.settle()
        self.assertEqual([], self.spawner.running())
        self.assertEqual([], self.world.server.run(self.world.admin.names()))
        self.assertIsNone(self.world.read("/machines/m1/web"))

    def test_stop(self) -> None:
        """An agent that stops ends its services side by side, and leaves no node of its own."""
        for name in ("a", "b"):
            self.world.add(name, "m1")
        self.world.server.settle()
        self.spawner["a"].stubborn = self.spawner["b"].stubborn = True
        stopped = self.host.agent.stopService()
        self.world.server.advance(10)
        self.successResultOf(stopped)
        self.assertEqual([], self.spawner.running())
        self.assertIsNone(self.world.read("/agents/m1"))
        self.assertIsNone(self.world.read("/machines/m1/a"))
        self.assertIsNotNone(self.world.read("/machines/m1"))


class SupervisionTests(WebTestCase):
    """What ends by itself is started again."""

    def test_at_once(self) -> None:
        """The first restart takes no time, and is reported with its cause."""
        before = self.world.clock.seconds()
        self.spawner["web"].crash("KILL")
        self.world.server.settle()
        self.assertEqual(before, self.world.clock.seconds())
        self.assertEqual(2, len(self.spawner.spawned))
        self.assertEqual(self.spawner["web"].pid, self.world.read("/machines/m1/web"))
        status = self.world.status("web")
        self.assertEqual((1, "ended by signal 9"), (status["restarts"], status["why"]))

    def test_back_off(self) -> None:
        """What keeps failing waits ever longer, up to a minute, and is reported as backing off."""
        for _ in range(30):
            if self.world.phase("web") == "ready":
                self.spawner["web"].exit(3)
                self.world.server.settle()
            if self.world.phase("web") == "backing off":
                self.assertIsNone(self.world.read("/machines/m1/web"))
                self.world.server.advance(60)
        self.assertEqual("exited with status 3", self.world.status("web")["why"])
        self.assertLess(len(self.spawner.spawned), 32)

    def test_refused(self) -> None:
        """What cannot be started is failed, with a sentence, and tried again after a while."""
        self.spawner.refuse("web", "there is no such program")
        self.spawner["web"].exit(0)
        self.world.server.settle()
        status = self.world.status("web")
        self.assertEqual(("failed", "there is no such program"), (status["phase"], status["why"]))
        self.spawner.allow("web")
        self.world.server.advance(61)
        self.assertEqual("ready", self.world.phase("web"))

    def test_ready_by_notice(self) -> None:
        """A type that notifies is ready, and has its state node, only when it says so."""
        self.world.add("shy", "m1", notify=True)
        self.world.server.settle()
        self.assertEqual("starting", self.world.phase("shy"))
        self.assertIsNone(self.world.read("/services/shy/state/m1"))
        self.spawner["shy"].notify(b'READY=1\nX_POP_STATE={"port": 7}')
        self.world.server.settle()
        self.assertEqual("ready", self.world.phase("shy"))
        self.assertEqual({"port": 7}, self.world.read("/services/shy/state/m1"))


class TroubleTests(WebTestCase):
    """ZooKeeper away, sessions lost, nonsense in nodes."""

    def test_away(self) -> None:
        """While ZooKeeper is away services go on, are restarted, and what was missed is made up."""
        self.host.network.refuse_connections()
        self.host.network.drop_connections()
        self.world.server.advance(1)
        self.spawner["web"].crash()
        self.world.server.advance(1)
        self.assertEqual(1, len(self.spawner.running()))
        self.world.add("late", "m1")
        self.host.network.accept_connections()
        self.world.server.advance(30)
        self.assertEqual(["web", "late"], [process.name for process in self.spawner.running()])
        self.assertEqual(self.spawner["web"].pid, self.world.read("/machines/m1/web"))

    def test_expired(self) -> None:
        """An expired session brings the nodes back in a new one; nothing is restarted."""
        old = self.host.agent.cluster.client.client_id[0]
        self.world.server.expire(old)
        self.world.server.advance(10)
        self.assertEqual(1, len(self.spawner.spawned))
        node = self.world.server.run(self.world.admin.node("/machines/m1/web"))
        assert node is not None
        self.assertNotIn(node[1].ephemeral_owner, (0, old))
        self.assertIsNotNone(self.world.read("/agents/m1"))

    def test_long_partition(self) -> None:
        """Undeployed while the agent was cut off: it is stopped when the agent is back."""
        self.host.network.hold()
        self.world.server.advance(30)
        self.assertIsNone(self.world.read("/machines/m1/web"))
        self.world.write("/services/web/machines", "[]")
        self.host.network.release()
        self.world.server.advance(30)
        self.assertEqual([], self.spawner.running())
        self.assertIsNone(self.world.read("/machines/m1/web"))

    def test_broken_settings(self) -> None:
        """Broken JSON in a node stops nothing, is named in the status, and heals when mended."""
        self.world.write("/services/web/settings", "{")
        self.world.server.settle()
        self.assertEqual(1, len(self.spawner.running()))
        self.assertIn("/services/web/settings is broken", self.world.status("web")["problem"])
        self.world.add("other", "m1")
        self.world.server.settle()
        self.assertEqual("ready", self.world.phase("other"))
        self.world.write("/services/web/settings", '{"argv": "mended"}')
        self.world.server.settle()
        self.assertEqual(("mended",), self.spawner["web"].launch.program.argv)
        self.assertNotIn("problem", self.world.status("web"))

    def test_senseless_setting(self) -> None:
        """A setting that its type refuses leaves running what runs."""
        self.world.write("/services/web/settings", '{"argv": "x", "port": "no"}')
        self.world.server.settle()
        self.assertEqual(1, len(self.spawner.spawned))
        self.assertIn('"port"', self.world.status("web")["problem"])

    def test_broken_from_the_start(self) -> None:
        """A service that never made sense is failed, with the reason."""
        self.world.server.run(self.world.admin.client.create("/services/odd", b""))
        self.world.server.run(self.world.admin.client.create("/services/odd/machines", b'["m1"]'))
        self.world.server.settle()
        status = self.world.status("odd")
        self.assertEqual("failed", status["phase"])
        self.assertIn("/services/odd/type is broken", status["why"])

    def test_unknown_type(self) -> None:
        """A type that this agent does not have makes the instance failed, and harms no other."""
        adding = self.world.admin.add(Service("odd", "no-such", {}, ("m1",)))
        self.world.server.run(adding)
        self.world.server.settle()
        self.assertEqual("failed", self.world.phase("odd"))
        self.assertIn('"no-such"', self.world.status("odd")["why"])
        self.assertEqual("ready", self.world.phase("web"))

    def test_namespace_reset(self) -> None:
        """After a reset of the namespace the machine registers anew and serves what is added."""
        self.world.server.run(init(self.world.admin, force=True, identity=None))
        self.world.server.advance(10)
        self.assertEqual([], self.spawner.running())
        self.assertIsNotNone(self.world.read("/machines/m1"))
        self.assertIsNotNone(self.world.read("/agents/m1"))
        self.world.add("web", "m1")
        self.world.server.settle()
        self.assertEqual("ready", self.world.phase("web"))


class JoiningTests(AgentTestCase):
    """How an agent becomes part of the cluster."""

    def test_before_init(self) -> None:
        """An agent that comes before the namespace waits for it."""
        host = self.world.host("m1", Catalogue({}))
        self.world.server.advance(60)
        self.assertEqual([], host.failures)
        self.world.init()
        self.world.server.advance(1)
        self.assertIsNotNone(self.world.read("/agents/m1"))

    def test_before_zookeeper(self) -> None:
        """An agent that comes before ZooKeeper waits for it."""
        self.world.init()
        host = self.world.host("m1")
        host.network.refuse_connections()
        late = self.world.host("m2")
        late.network.refuse_connections()
        late.network.drop_connections()
        self.world.server.advance(120)
        late.network.accept_connections()
        self.world.server.advance(60)
        self.assertEqual([], late.failures)
        self.assertIsNotNone(self.world.read("/agents/m2"))

    def test_second_agent(self) -> None:
        """A second agent of the same machine is refused with a sentence; the first goes on."""
        self.world.init()
        self.world.host("m1")
        second = self.world.host("m1", state_id="another")
        self.assertEqual([MachineTaken], [type(error) for error in second.failures])
        self.assertEqual(1, self.world.read("/agents/m1")["pid"])

    def test_successor(self) -> None:
        """Whoever holds a predecessor's state directory takes its place at once."""
        self.world.init()
        self.world.host("m1").network.hold()
        second = self.world.host("m1")
        self.assertEqual([], second.failures)
        self.assertEqual(2, self.world.read("/agents/m1")["pid"])
