"""Agents whose services restart one batch after the other."""

from dataclasses import replace
from typing import Any

from pop.overview import services
from pop.readiness import SETTLES
from pop.standing import standing
from pop.test.rollings import MACHINES, RollingTestCase


class TurnTests(RollingTestCase):
    """Whose turn it is, and when."""

    def test_all_at_once(self) -> None:
        """Unless it says so, all restart at once."""
        self.add(batch=None)
        self.set(argv="new")
        self.assertEqual(["new"] * 3, self.argvs())
        self.assertIsNone(self.progress())

    def test_first_start(self) -> None:
        """What does not run yet waits for nobody."""
        self.add()
        self.assertEqual([1, 1, 1], self.starts())
        self.assertIsNone(self.progress())

    def test_one_after_the_other(self) -> None:
        """The next restarts when the one before is ready."""
        self.add()
        self.set(argv="new")
        self.assertEqual(["new", "run-web", "run-web"], self.argvs())
        self.assertEqual((["m1"], ["m2", "m3"]), (self.progress()["going"], self.waiting()))
        self.world.server.advance(2)
        self.assertEqual([2, 1, 1], self.starts())
        self.ready("m1")
        self.assertEqual(["new", "new", "run-web"], self.argvs())
        self.ready("m2")
        self.ready("m3")
        self.assertEqual([2, 2, 2], self.starts())
        self.assertEqual(({"going": []}, []), (self.progress(), self.waiting()))
        self.assertEqual("ready", self.world.phase("web", "m3"))

    def test_batch(self) -> None:
        """So many at a time as it says."""
        self.add(batch=2)
        self.set(argv="new")
        self.assertEqual(["new", "new", "run-web"], self.argvs())
        self.ready("m2")
        self.assertEqual([2, 2, 1], self.starts())
        self.ready("m1")
        self.assertEqual([2, 2, 2], self.starts())

    def test_failure(self) -> None:
        """The first that fails stops the roll, until the settings change again."""
        self.add(start_timeout=600.0)
        self.set(argv="bad")
        self.process("m1").exit(3)
        self.world.server.advance(60)
        self.assertEqual(["bad", "run-web", "run-web"], self.argvs())
        stop = self.progress()["stop"]
        self.assertEqual(("m1", "exited with status 3"), (stop["machine"], stop["why"]))
        self.ready("m1")
        self.world.server.advance(60)
        self.assertEqual("run-web", self.argvs()[1])
        self.set(argv="good")
        self.assertEqual(["good", "run-web", "run-web"], self.argvs())
        self.ready("m1")
        self.ready("m2")
        self.ready("m3")
        self.assertEqual((["good"] * 3, {"going": []}), (self.argvs(), self.progress()))

    def test_not_ready_in_time(self) -> None:
        """What is not ready within its time has failed."""
        self.add()
        self.set(argv="slow")
        self.world.server.advance(6)
        self.assertIn("not ready within 5 seconds", self.progress()["stop"]["why"])
        self.assertEqual([1, 1], self.starts()[1:])

    def test_back_to_what_was(self) -> None:
        """A failed one goes back; the others, which never left, need not."""
        self.add()
        self.set(argv="bad")
        self.process("m1").exit(3)
        self.world.server.advance(1)
        self.set(argv="run-web")
        self.ready("m1")
        self.world.server.advance(5)
        self.assertEqual((["run-web"] * 3, [1, 1]), (self.argvs(), self.starts()[1:]))
        self.assertEqual([], self.waiting())

    def test_restart_at_once(self) -> None:
        """A restart that is asked at once waits for nobody, be the service one that rolls."""
        self.add()
        self.aim(batch=0)
        self.assertEqual([2, 2, 2], self.starts())

    def test_rolling_restart(self) -> None:
        """A restart can be asked to roll, whatever the settings say."""
        self.add(batch=None)
        self.aim(batch=1)
        for name in MACHINES:
            self.ready(name)
        self.assertEqual([2, 2, 2], self.starts())
        self.assertEqual(1, self.world.status("web", "m3")["generation"])

    def test_restart_ends_the_wait(self) -> None:
        """A restart at once takes along what waits for its turn."""
        self.add()
        self.set(argv="new")
        self.aim(batch=0)
        self.assertEqual([3, 2, 2], self.starts())
        self.assertEqual(["new"] * 3, self.argvs())
        self.ready(*MACHINES)
        self.assertEqual(({"going": []}, []), (self.progress(), self.waiting()))

    def test_out_of_service(self) -> None:
        """Nobody restarts while another is out of service; that one itself does."""
        self.add()
        self.process("m3").exit(1)
        self.world.server.advance(0.2)
        self.process("m3").exit(1)
        self.world.server.advance(0.2)
        self.set(argv="new")
        self.assertEqual(["run-web", "run-web", "new"], self.argvs())
        self.ready("m3")
        self.assertEqual(["new", "run-web", "new"], self.argvs())

    def test_agent_dies(self) -> None:
        """Nobody restarts while the one whose turn it is cannot say how it went; it goes on."""
        self.add(start_timeout=60.0)
        self.set(argv="new")
        self.hosts["m1"].leave()
        self.world.server.advance(20)
        self.assertEqual([2, 1, 1], self.starts())
        self.hosts["m1"].succeed()
        self.world.server.advance(0.5)
        self.ready("m1")
        self.assertEqual(["new", "new", "run-web"], self.argvs())

    def test_waiting_agent_dies(self) -> None:
        """Who waited and died holds nobody up, but for being out of service."""
        self.add(batch=2, start_timeout=60.0)
        self.set(argv="new")
        self.hosts["m3"].network.hold()
        self.world.server.advance(20)
        self.ready("m1", "m2")
        self.assertEqual(["new", "new", "run-web"], self.argvs())
        self.assertEqual([], self.waiting())
        self.hosts["m3"].network.release()
        self.hosts["m3"].network.drop_connections()
        self.world.server.advance(10)
        self.assertEqual("new", self.argvs()[2])

    def test_partition(self) -> None:
        """Who is cut off in his turn keeps it; nobody else restarts until he is back."""
        self.add(start_timeout=60.0)
        self.set(argv="new")
        self.hosts["m1"].network.hold()
        self.world.server.advance(20)
        self.assertIsNone(self.world.status("web", "m1"))
        self.process("m1").exit(3)
        self.world.server.advance(1)
        self.assertEqual([1, 1], self.starts()[1:])
        self.hosts["m1"].network.release()
        self.hosts["m1"].network.drop_connections()
        self.world.server.advance(20)
        self.assertEqual([1, 1], self.starts()[1:])
        self.assertEqual("m1", self.progress()["stop"]["machine"])

    def test_undeployed(self) -> None:
        """Who is not to run it any more holds nobody up."""
        self.add()
        self.set(argv="new")
        self.world.server.run(self.world.admin.undeploy("web", ["m1"]))
        self.world.server.advance(1)
        self.assertEqual(["new", "run-web"], self.argvs()[1:])

    def test_undeployed_while_gone(self) -> None:
        """Nor does one whose agent never comes back."""
        self.add()
        self.set(argv="new")
        self.hosts["m1"].leave()
        self.world.server.advance(20)
        self.world.server.run(self.world.admin.undeploy("web", ["m1"]))
        self.world.server.advance(1)
        self.assertEqual(["new", "run-web"], self.argvs()[1:])

    def test_taken_away(self) -> None:
        """Whose name is taken out by hand has no turn any more, and waits for the next."""
        self.add()
        self.set(argv="new")
        self.world.write(self.world.paths.roll("web"), '{"going": ["m2"]}')
        self.ready("m1")
        self.set(argv="newer")
        self.assertEqual(["new", "newer", "run-web"], self.argvs())
        self.ready("m2")
        self.assertEqual(["newer", "newer", "run-web"], self.argvs())

    def test_nonsense(self) -> None:
        """What makes no sense there is complained of; nobody has a turn until it is mended."""
        self.add()
        self.set(argv="new")
        self.ready("m1")
        self.ready("m2")
        self.ready("m3")
        self.world.write(self.world.paths.roll("web"), "nonsense")
        self.set(argv="newer")
        self.world.server.advance(20)
        self.assertEqual(["new"] * 3, self.argvs())
        self.world.write(self.world.paths.roll("web"), "")
        self.world.server.advance(10)
        self.assertEqual(["newer", "new", "new"], self.argvs())

    def test_several_processes(self) -> None:
        """All processes of a machine go in one turn, none of them before."""
        self.add(processes=2)
        for name in MACHINES:
            self.hosts[name].spawner["web/2"].notify()
        self.world.server.advance(0.5)
        self.set(argv="new", processes=3)
        self.assertEqual([5, 2, 2], self.starts())
        for slot in ("web", "web/2", "web/3"):
            self.hosts["m1"].spawner[slot].notify()
        self.world.server.advance(0.5)
        self.assertEqual([5, 5, 2], self.starts())

    def test_removed(self) -> None:
        """With the service, the roll is over."""
        self.add()
        self.set(argv="new")
        self.world.server.run(self.world.admin.remove("web"))
        self.world.server.advance(5)
        self.assertIsNone(self.progress())
        self.assertEqual([], [p for h in self.hosts.values() for p in h.spawner.running()])


class SettlingTests(RollingTestCase):
    """Programs that count as ready as soon as they run."""

    def roll(self, **settings: Any) -> None:
        """A service that rolls is changed to another such program."""
        self.add(**{"notify": False, **settings})
        self.set(argv="new")

    def test_runs_on(self) -> None:
        """The next restarts when the one before has run for a while."""
        self.roll()
        self.assertEqual((["m1"], [2, 1, 1]), (self.progress()["going"], self.starts()))
        self.assertEqual("ready", self.world.phase("web", "m1"))
        self.world.server.advance(SETTLES)
        self.assertEqual((["m2"], [2, 2, 1]), (self.progress()["going"], self.starts()))
        self.world.server.advance(2 * SETTLES + 0.5)
        self.assertEqual(({"going": []}, [2, 2, 2]), (self.progress(), self.starts()))

    def test_ends_at_once(self) -> None:
        """One that ends a moment after its start stops the roll."""
        self.roll()
        self.process("m1").exit(3)
        self.world.server.advance(60)
        self.assertEqual(["new", "run-web", "run-web"], self.argvs())
        stop = self.progress()["stop"]
        self.assertEqual(("m1", "exited with status 3"), (stop["machine"], stop["why"]))

    def test_crash_loop(self) -> None:
        """Nobody restarts while another ends every few seconds, ready though it is in between; and
        people are told."""
        self.roll(max_failures=20)
        self.world.server.advance(SETTLES)
        for _ in range(4):
            self.process("m1").exit(3)
            self.world.server.advance(9)
            self.assertEqual(("ready", [2, 1]), (self.world.phase("web", "m1"), self.starts()[1:]))
        [view] = self.world.server.run(services(self.world.admin, ["web"]))
        self.assertEqual("m3 waits for m1 (ready, but it ended lately)", str(standing(view)))
        self.world.server.advance(10)
        self.assertEqual([2, 2], self.starts()[1:])

    def test_one_of_several(self) -> None:
        """All processes of a machine must have run on for so long."""
        self.roll(processes=2)
        self.hosts["m1"].spawner["web/2"].exit(3)
        self.world.server.advance(5)
        self.assertEqual(("m1", [5, 2, 2]), (self.progress()["stop"]["machine"], self.starts()))

    def test_started_late(self) -> None:
        """The time begins anew with another process, be that wanted meanwhile."""
        self.roll()
        self.set(argv="newer")
        self.world.server.advance(SETTLES - 0.6)
        self.assertEqual((["m1"], [3, 1, 1]), (self.progress()["going"], self.starts()))
        self.process("m1").exit(3)
        self.world.server.advance(5)
        self.assertEqual("m1", self.progress()["stop"]["machine"])

    def test_check(self) -> None:
        """Whose readiness check passes is not waited for."""
        self.roll(readiness="tcp:80", check_interval=0.1)
        self.assertEqual([2, 2, 2], self.starts())

    def test_several_services(self) -> None:
        """Each is judged, be others settling at the same time."""
        self.world.add("mail", "m1", argv="mail", roll_batch=1)
        self.add(notify=False)
        change = {"argv": "new", "roll_batch": 1}
        self.world.server.run(
            self.world.admin.change("mail", lambda service: replace(service, settings=change))
        )
        self.world.server.advance(0.3)
        self.set(argv="new")
        self.world.server.advance(2 * SETTLES)
        self.assertEqual({"going": []}, self.world.read(self.world.paths.roll("mail")))
        self.assertEqual("new", self.argvs()[1])

    def test_successor(self) -> None:
        """An agent that dies meanwhile has a successor who knows when the process began."""
        self.roll()
        self.hosts["m1"].leave()
        self.hosts["m1"].succeed()
        self.assertEqual((["m1"], [2, 1, 1]), (self.progress()["going"], self.starts()))
        self.world.server.advance(SETTLES)
        self.assertEqual((["m2"], [2, 2, 1]), (self.progress()["going"], self.starts()))

    def test_idle(self) -> None:
        """Where nothing rolls, or a roll is over, no agent looks at the clock."""
        self.add(notify=False)
        before = len(self.world.clock.getDelayedCalls())
        self.set(argv="new")
        self.world.server.advance(10)
        self.assertEqual([2, 2, 2], self.starts())
        self.assertEqual(before, len(self.world.clock.getDelayedCalls()))
