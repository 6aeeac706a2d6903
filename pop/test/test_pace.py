"""A task on one batch of machines after the other."""

from dataclasses import replace

from twisted.internet.defer import Deferred

from pop.assignment import Assignment, Course, Result
from pop.model import Json
from pop.pace import Pace
from pop.test.rollings import MACHINES, RollingTestCase


class PaceTests(RollingTestCase):
    """Three machines, and agents that answer as a test says."""

    def setUp(self) -> None:
        super().setUp()
        self.asked: dict[str, Deferred[dict[str, Json]]] = {}

    def begin(self, batch: int = 1) -> "tuple[Pace, Course, Deferred[None]]":
        """Carry a task out."""

        async def ask(machine: str, question: object) -> dict[str, Json]:
            self.asked[machine] = Deferred()
            return await self.asked[machine]

        service = self.world.server.run(self.world.admin.read("web")).service
        pace = Pace(self.world.admin, service, batch)
        assignment = Assignment("web", "tidy", (), MACHINES, changes=False)
        course = Course(
            self.world.admin,
            assignment,
            ask,
            lambda machine: None,  # type: ignore[arg-type, return-value]  # nothing is written
            who="me",
            identifier="me",
            now=lambda: "now",
        )
        running = Deferred.fromCoroutine(course.run(pace))
        self.world.server.advance(0.5)
        return pace, course, running

    def end(self, machine: str, status: int = 0) -> None:
        """It has ended there."""
        self.asked[machine].callback({"status": status, "settings": None})
        self.world.server.advance(0.5)

    def test_batches(self) -> None:
        """The next batch waits for all of the one before."""
        self.add()
        pace, course, running = self.begin(2)
        self.assertEqual(["m1", "m2"], list(self.asked))
        self.end("m2")
        self.assertEqual(2, len(self.asked))
        self.end("m1")
        self.end("m3")
        self.successResultOf(running)
        self.assertEqual((True, ""), (course.succeeded, pace.stopped))

    def test_ready_again(self) -> None:
        """The next batch waits until the service is ready."""
        self.add()
        _, _, running = self.begin()
        self.process("m1").exit(1)
        self.world.server.advance(0.2)
        self.end("m1")
        self.assertEqual(["m1"], list(self.asked))
        self.ready("m1")
        self.world.server.advance(0.5)
        self.assertEqual(["m1", "m2"], list(self.asked))
        self.end("m2")
        self.end("m3")
        self.successResultOf(running)

    def test_never_ready(self) -> None:
        """If it does not become so, that was all."""
        self.add(start_timeout=4.0)
        pace, course, running = self.begin()
        self.hosts["m1"].leave()
        self.world.server.advance(20)
        self.end("m1")
        self.world.server.advance(5)
        self.successResultOf(running)
        self.assertRegex(pace.stopped, r"Stopped at m1: .* It was not begun on m2, m3\.")
        self.assertEqual({"m1": Result(0)}, course.results)

    def test_failure(self) -> None:
        """The first failure is the last."""
        self.add()
        pace, course, running = self.begin()
        self.end("m1")
        self.end("m2", 3)
        self.successResultOf(running)
        said = "Stopped at m2: status 3. It was not begun on m3."
        self.assertEqual((False, said), (course.succeeded, pace.stopped))

    def test_held(self) -> None:
        """What is held need not be ready."""
        self.add()
        self.world.server.run(self.world.admin.aim("web", lambda t: replace(t, run=False)))
        self.world.server.advance(5)
        _, course, running = self.begin(3)
        for name in MACHINES:
            self.end(name)
        self.successResultOf(running)
        self.assertTrue(course.succeeded)
