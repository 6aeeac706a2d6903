"""What an agent does when it is asked to run a task."""

from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import TestCase

from pop.catalogue import Catalogue
from pop.errors import BadSetting, NoSuchTask, NotHere
from pop.interfaces import IOutput
from pop.model import Service
from pop.program import Launch, Program, ProgramType
from pop.protocols.control import Request
from pop.taskruns import TaskRuns
from pop.tasks import Run, task
from pop.test.chores import Heard


class Bakery(ProgramType):
    """A type with a task."""

    name = "bakery"

    def program(self, settings: Any, instance: Any) -> Program:
        return Program(("bake",))

    @task("Bake.")
    def bake(self, run: Run) -> None:
        pass


class TaskRunsTests(TestCase):
    """Tasks of the services that should be here."""

    def setUp(self) -> None:
        self.begun: list[tuple[str, Launch, Request]] = []
        self.end: Deferred[dict[str, Any]] = Deferred()
        self.wishes = {"bread": Service("bread", "bakery", {"umask": "077"}, ("m1",))}
        catalogue = Catalogue({"bakery": Bakery()})
        self.runs = TaskRuns("m1", self.wish, catalogue, self.begin, "/var/lib/pop")
        self.heard = Heard()

    async def wish(self, service: str) -> Service | None:
        return self.wishes.get(service)

    async def begin(
        self, slot: str, launch: Launch, request: Request, output: IOutput
    ) -> dict[str, Any]:
        self.begun.append((slot, launch, request))
        return await self.end

    async def test_run(self) -> None:
        """It is run as the service is, with its settings; the result is handed on."""
        running = self.runs.run("bread", "bake", ["a"], self.heard)
        [(slot, launch, request)] = self.begun
        self.assertEqual(("bread", 0o77), (slot, launch.umask))
        self.assertEqual(
            ("bakery", "bread", "m1", "bake", ("a",), {"umask": "077"}, "/var/lib/pop"),
            tuple(vars(request).values())[:-1],
        )
        here = str(Path(__file__).parents[2])
        self.assertIn(here, [*request.path, str(Path.cwd())])
        self.end.callback({"status": 3, "settings": None})
        self.assertEqual({"status": 3, "settings": None}, await running)

    async def test_not_here(self) -> None:
        """A service that is not to be here has no tasks here."""
        await self.assertFailure(self.runs.run("cake", "bake", [], self.heard), NotHere)

    async def test_no_such_task(self) -> None:
        """Nor has it such as its type does not have."""
        await self.assertFailure(self.runs.run("bread", "fry", [], self.heard), NoSuchTask)

    async def test_unrunnable(self) -> None:
        """With settings that make no sense, nothing is begun."""
        self.wishes["bread"] = Service("bread", "bakery", {"umask": "9"}, ("m1",))
        await self.assertFailure(self.runs.run("bread", "bake", [], self.heard), BadSetting)

    async def test_stop(self) -> None:
        """An agent that ends ends them, and waits for that."""
        running = self.runs.run("bread", "bake", [], self.heard)
        await self.runs.stop()
        await self.assertFailure(running, CancelledError)
        await self.runs.stop()
