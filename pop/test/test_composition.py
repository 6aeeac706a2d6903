"""A composed agent: what one leaves in its files, and for whom that is of use."""

from pop.test.test_agent import HostTestCase


class SuccessorTests(HostTestCase):
    """An agent that ran one service for good and one to its end, and the one that comes after it.

    @ivar session: the ZooKeeper session of the first one.
    """

    def setUp(self) -> None:
        super().setUp()
        self.world.add("web", "m1")
        self.world.add("once", "m1", restart="never")
        self.world.server.settle()
        self.spawner["once"].exit(0)
        self.world.server.settle()
        self.session = self.host.agent.cluster.client.client_id
        self.host.leave()

    def begin(self, *, reachable: bool = True) -> None:
        """Have the next one."""
        self.host.succeed(reachable=reachable)
        self.world.server.advance(5)

    def started(self, name: str) -> int:
        """How often a service was started on this machine."""
        return len([each for each in self.spawner.spawned if each.name == name])

    def check_session(self, *, resumed: bool) -> None:
        """Whether the next one has the session of the one before it."""
        now = self.host.agent.cluster.client.client_id
        self.assertEqual(resumed, now == self.session)

    def test_same(self) -> None:
        """One of the same machine, namespace and boot has the session, and repeats nothing."""
        self.begin()
        self.check_session(resumed=True)
        self.assertEqual((1, 1), (self.started("web"), self.started("once")))
        self.assertEqual("finished", self.world.phase("once"))

    def test_rebooted(self) -> None:
        """After a boot, what had finished is done once more.

        What is wanted is known still, so that it runs before ZooKeeper is there.
        """
        self.host.boot = "another"
        self.spawner.reboot()
        self.begin(reachable=False)
        self.assertEqual((2, 2), (self.started("web"), self.started("once")))

    def test_session_of_another_boot(self) -> None:
        """The session is a new one then, even if the one before has not expired yet."""
        self.host.boot = "another"
        self.spawner.reboot()
        self.host.succeed()
        self.check_session(resumed=False)

    def test_session_elsewhere(self) -> None:
        """So it is in another namespace, which may be another ZooKeeper's."""
        self.host.owner = {"root": "/another"}
        self.host.succeed()
        self.check_session(resumed=False)

    def test_elsewhere(self) -> None:
        """One of another namespace does not know what is wanted there until it is told."""
        self.host.owner = {"root": "/another"}
        self.spawner.reboot()
        self.begin(reachable=False)
        self.assertEqual(1, self.started("web"))
        self.host.network.accept_connections()
        self.world.server.advance(10)
        self.assertEqual(2, self.started("web"))

    def test_stopped_for_good(self) -> None:
        """One that took its services along leaves no session to go on with."""
        self.begin()
        self.world.server.run(self.host.agent.stopService())
        self.assertEqual([], self.spawner.running())
        self.host.succeed()
        self.check_session(resumed=False)
        self.assertEqual(2, self.started("web"))
