"""ZooKeeper goes away while an agent runs: what minds ends in time, and the rest goes on."""

from twisted.internet.defer import Deferred

from pop.test.test_agent import HostTestCase


class PartitionTests(HostTestCase):
    """ZooKeeper goes away while services run that mind; the session lasts four seconds."""

    def setUp(self) -> None:
        super().setUp()
        self.world.add("web", "m1")
        self.world.add("soon", "m1", on_disconnect="stop-after=1")
        self.world.add("late", "m1", on_disconnect="stop-after=600")
        self.world.server.settle()

    def cut(self) -> float:
        """No server can be reached any more; gives how long ago one last confirmed the session."""
        self.host.network.refuse_connections()
        self.host.network.drop_connections()
        return 4 - self.host.agent.cluster.client.session_left

    def names(self) -> set[str]:
        """What runs."""
        return {process.name for process in self.spawner.running()}

    def test_in_time(self) -> None:
        """Each is stopped after as long as it may, all before the session ends, but for those
        that do not mind."""
        ago = self.cut()
        self.world.server.advance(0.99 - ago)
        self.assertEqual({"web", "soon", "late"}, self.names())
        self.world.server.advance(0.02)
        self.assertEqual({"web", "late"}, self.names())
        self.world.server.advance(1.63)
        self.assertEqual({"web", "late"}, self.names())
        self.world.server.advance(0.04)
        self.assertEqual({"web"}, self.names())
        self.world.server.advance(1000)
        self.assertEqual({"web"}, self.names())

    def test_killed_in_time(self) -> None:
        """One that does not heed is killed before the session ends, whatever its grace period."""
        self.spawner["late"].stubborn = True
        ago = self.cut()
        self.world.server.advance(3.59 - ago)
        self.assertEqual({"web", "late"}, self.names())
        self.world.server.advance(0.02)
        self.assertEqual({"web"}, self.names())
        self.assertGreater(self.host.agent.cluster.client.session_left, 0)

    def test_stopping_already(self) -> None:
        """So is one that was stopping for another reason, or was to be started again."""
        late = self.spawner["late"]
        late.stubborn = True
        self.world.write(
            "/services/late/settings", '{"argv": "x", "on_disconnect": "stop-after=9"}'
        )
        self.world.server.settle()
        self.assertEqual(["TERM"], late.signals)
        ago = self.cut()
        self.world.server.advance(3.61 - ago)
        self.assertEqual({"web"}, self.names())
        self.assertEqual(["TERM", "KILL"], late.signals)

    def test_silence(self) -> None:
        """A server that says nothing, on a connection that seems to stand, is as good as none."""
        self.spawner["late"].stubborn = True
        self.world.server.advance(1)
        self.host.network.hold()
        client = self.host.agent.cluster.client
        for _ in range(400):
            if client.session_left > 0.39:
                self.world.server.advance(0.01)
        self.assertGreater(client.session_left, 0.3)
        self.assertEqual({"web"}, self.names())

    def test_short_break(self) -> None:
        """A connection that is back at once stops nothing that may go on for a while."""
        for _ in range(3):
            self.host.network.drop_connections()
            self.world.server.advance(5)
        started = [each.name for each in self.spawner.spawned if each.name != "soon"]
        self.assertEqual(["late", "web"], sorted(started))

    def test_back(self) -> None:
        """When it is back, what is still wanted here starts again, and it is said why."""
        self.cut()
        self.world.server.advance(60)
        self.host.network.accept_connections()
        self.world.server.advance(10)
        self.assertEqual({"web", "soon", "late"}, self.names())
        status = self.world.status("soon")
        self.assertEqual(("ready", "ZooKeeper is back"), (status["phase"], status["why"]))

    def test_moved_away(self) -> None:
        """What was moved away meanwhile does not run here for a moment."""
        self.cut()
        self.world.server.advance(60)
        self.world.write("/services/soon/machines", '["m2"]')
        before = len(self.spawner.spawned)
        self.host.network.accept_connections()
        self.world.server.advance(10)
        self.assertEqual(["late"], [each.name for each in self.spawner.spawned[before:]])

    def test_broken_again(self) -> None:
        """Nor if the connection breaks again at any moment while it is read anew."""
        for step in range(40):
            self.cut()
            self.world.server.advance(60)
            self.world.write("/services/soon/machines", '["m2"]')
            before = len(self.spawner.spawned)
            self.host.network.accept_connections()
            for _ in range(400):
                if not self.host.network.wires:
                    self.world.server.advance(0.01)
            for _ in range(step):
                self.step()
            self.host.network.drop_connections()
            self.world.server.advance(30)
            started = [each.name for each in self.spawner.spawned[before:]]
            self.assertEqual(["late"], started, step)
            self.world.write("/services/soon/machines", '["m1"]')
            self.world.server.advance(1)

    def step(self) -> None:
        """One thing happens."""
        self.world.server.advance(0)

    def test_stopped_while_away(self) -> None:
        """The agent can be stopped meanwhile."""
        self.cut()
        self.world.server.advance(1)
        stopped = self.host.agent.stopService()
        self.world.server.advance(5)
        self.assertIsInstance(stopped, Deferred)
        self.assertTrue(stopped.called)
