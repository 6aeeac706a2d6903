"""How a roll stands is told, and waited for."""

from dataclasses import replace

from twisted.internet.defer import Deferred

from pop.errors import NoAnswer, PopError, RollHeldUp, RollStopped
from pop.overview import services
from pop.standing import Standing, standing, until_rolled
from pop.test.rollings import MACHINES, RollingTestCase


class StandingTests(RollingTestCase):
    """What people are told."""

    def look(self) -> Standing:
        """How it stands now."""
        return standing(self.world.server.run(services(self.world.admin, ["web"]))[0])

    def test_no_roll(self) -> None:
        """There is nothing to tell where nothing rolls."""
        self.add(batch=None)
        self.assertEqual("", str(self.look()))

    def test_going(self) -> None:
        """Whose turn it is, and who waits."""
        self.add()
        self.assertEqual("", str(self.look()))
        self.set(argv="new")
        self.assertEqual("it is the turn of m1, m2, m3 wait", str(self.look()))
        self.ready("m1")
        self.assertEqual("it is the turn of m2, m3 waits", str(self.look()))
        self.ready("m2")
        self.ready("m3")
        self.assertEqual(Standing(), self.look())

    def test_held_up(self) -> None:
        """For whom they wait that are not in it."""
        self.add()
        self.hosts["m3"].leave()
        self.world.server.advance(20)
        self.set(argv="new")
        self.assertEqual("m1, m2 wait for m3 (no agent)", str(self.look()))

    def test_stopped(self) -> None:
        """Where it stopped, and why; that is over when something else is wanted."""
        self.add()
        self.set(argv="bad")
        self.process("m1").exit(3)
        self.world.server.advance(1)
        said = "stopped on m1: exited with status 3, m2, m3 wait in vain"
        self.assertEqual(said, str(self.look()))
        self.aim(batch=0)
        self.assertEqual("", str(self.look()))


class UntilRolledTests(RollingTestCase):
    """Waiting for the end of a restart."""

    def setUp(self) -> None:
        super().setUp()
        self.told: list[str] = []

    def wait(self, batch: int = 1, seconds: float = 1.0) -> "Deferred[bool]":
        """Ask for a restart and wait for its end; at first so long."""
        self.aim(batch=batch)
        found = self.world.server.run(self.world.admin.read("web")).service
        waiting = Deferred.fromCoroutine(
            until_rolled(self.world.admin, found, 30.0, self.told.append)
        )
        self.world.server.advance(seconds)
        return waiting

    def failed(self, waiting: "Deferred[bool]", kind: type[PopError]) -> str:
        """What is said of it."""
        return str(self.failureResultOf(waiting, kind).value)

    def test_well(self) -> None:
        """It is told how it goes on, and when it is over."""
        self.add(batch=None)
        waiting = self.wait()
        for name in MACHINES:
            self.assertNoResult(waiting)
            self.ready(name)
            self.world.server.advance(1)
        self.assertTrue(self.successResultOf(waiting))
        self.assertEqual(
            [f"{name} {what}." for name in MACHINES for what in ("restarts", "is ready")],
            self.told,
        )

    def test_stopped(self) -> None:
        """The first failure ends it."""
        self.add(batch=None)
        waiting = self.wait()
        self.process("m1").exit(3)
        self.world.server.advance(1)
        said = self.failed(waiting, RollStopped)
        self.assertIn("stopped on m1: exited with status 3. As before: m2, m3.", said)

    def test_ends_at_once(self) -> None:
        """What failed is not said to be ready, though it is started again and may seem so."""
        self.add(batch=None, notify=False)
        waiting = self.wait(seconds=0.1)
        self.process("m1").exit(3)
        self.world.server.advance(1)
        self.failed(waiting, RollStopped)
        self.assertEqual(["m1 restarts."], self.told)

    def test_held_up(self) -> None:
        """Who is out of service is not waited for without end."""
        self.add(batch=None)
        self.hosts["m3"].leave()
        self.world.server.advance(20)
        waiting = self.wait()
        self.world.server.advance(25)
        self.assertNoResult(waiting)
        self.assertEqual(["The next waits for m3 (no agent)."], self.told)
        self.world.server.advance(10)
        self.assertIn("waits for m3 (no agent), out of service", self.failed(waiting, RollHeldUp))

    def test_something_else(self) -> None:
        """Nor is what somebody else has ended."""
        self.add(batch=None)
        waiting = self.wait()
        self.aim(batch=0)
        self.world.server.advance(1)
        self.assertFalse(self.successResultOf(waiting))
        self.assertIn("Something else is asked of web by now", self.told[-1])

    def test_held(self) -> None:
        """Stopped is ended, too."""
        self.add(batch=None)
        waiting = self.wait()
        self.world.server.run(self.world.admin.aim("web", lambda t: replace(t, run=False)))
        self.world.server.advance(1)
        self.assertFalse(self.successResultOf(waiting))
        self.assertIn("Something else is asked of web by now", self.told[-1])

    def test_away(self) -> None:
        """Without ZooKeeper nobody knows."""
        self.add(batch=None)
        waiting = self.wait()
        self.world.network.hold()
        self.world.server.advance(40)
        self.failed(waiting, NoAnswer)
        self.world.network.release()
        self.world.network.drop_connections()
        self.world.server.advance(5)

    def test_nowhere(self) -> None:
        """What is deployed nowhere is done at once."""
        self.add(batch=None)
        self.world.server.run(self.world.admin.undeploy("web", list(MACHINES)))
        self.world.server.advance(1)
        self.successResultOf(self.wait())
