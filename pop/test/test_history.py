"""What becomes of an instance is noted with its reason, and told in short in its status."""

from twisted.trial.unittest import SynchronousTestCase

from pop.cluster import Cluster
from pop.history import LAST, LONGEST
from pop.journal import Entry
from pop.model import By
from pop.test.worlds import World

ANN = By("ann@office", "pop set")


class HistoryTests(SynchronousTestCase):
    """One machine, and an administrator with a name."""

    def setUp(self) -> None:
        self.world = World()
        self.addCleanup(lambda: self.assertEqual([], self.world.close()))
        self.world.admin = Cluster(self.world.admin.client, self.world.paths, self.world.clock, ANN)
        self.world.init()
        self.host = self.world.host("m1")
        self.world.add("web", "m1")
        self.world.server.settle()

    def last(self) -> Entry:
        """What was noted last."""
        return self.host.journal[-1]

    def test_deployed(self) -> None:
        """Who deployed it is noted, with the transaction."""
        [entry] = self.host.journal
        zxid = entry.zxid
        self.assertEqual("stopped -> ready", f"{entry.before} -> {entry.after}")
        self.assertEqual(f"deployed by ann@office (pop set) at zxid {zxid:#x}", entry.why)
        self.assertEqual(("ann@office (pop set)", True), (entry.by, zxid > 0))
        self.assertEqual(self.host.spawner["web"].pid, entry.pid)

    def test_log(self) -> None:
        """How far its log had come is noted with the end of a process, to be found there later."""
        self.host.spawner.logs["web"] = 7
        self.host.spawner["web"].exit(1)
        self.world.server.settle()
        self.assertEqual([0, 7], [entry.log for entry in self.host.journal])

    def test_crashed(self) -> None:
        """How a process ended is noted, and nobody is blamed for it in ZooKeeper."""
        self.host.spawner["web"].crash("KILL")
        last = self.last()
        self.assertEqual(
            ("ready", "ready", "ended by signal 9"), (last.before, last.after, last.why)
        )
        self.assertEqual(
            ("ended by signal 9", 1, 0, ""), (last.exit, last.restarts, last.zxid, last.by)
        )

    def test_backing_off(self) -> None:
        """While it waits, it is known for what."""
        for _ in range(2):
            self.host.spawner["web"].exit(3)
        self.assertEqual(("backing off", 2), (self.last().after, self.last().failures))
        self.assertGreater(self.last().until, self.last().when)

    def test_undeployed(self) -> None:
        """It is known who took it away, when and how it ended, though its status is gone."""
        self.world.server.run(self.world.admin.undeploy("web", ["m1"]))
        self.world.server.settle()
        stopping, stopped = self.host.journal[-2:]
        self.assertTrue(stopping.why.startswith("undeployed by ann@office"))
        self.assertEqual(("stopped", "ended by signal 15"), (stopped.after, stopped.exit))
        self.assertEqual(stopping.zxid, stopped.zxid)

    def test_secrets(self) -> None:
        """Which settings changed is told, not to what."""
        self.world.write("/services/web/settings", '{"argv": "x", "environment": {"A": "s3cret"}}')
        self.world.server.settle()
        self.assertIn("settings changed (argv, environment) by hand", self.last().why)
        self.assertNotIn("s3cret", str(self.host.journal) + str(self.world.status("web")))

    def test_taken_over(self) -> None:
        """That an agent took over from another is noted once."""
        self.host.leave()
        self.host.succeed()
        self.world.server.settle()
        before, last = self.host.journal[-2:]
        self.assertEqual("taken over from the agent before", last.why)
        self.assertNotEqual(before.why, last.why)

    def test_in_short(self) -> None:
        """The status has the last few, bounded."""
        for _ in range(5):
            self.host.spawner["web"].crash()
            self.world.server.advance(60)
        causes = self.world.status("web")["causes"]
        self.assertEqual(LAST, len(causes))
        self.assertLessEqual(max(map(len, causes)), LONGEST)
        self.assertIn("ended by signal 11", causes[-1])
