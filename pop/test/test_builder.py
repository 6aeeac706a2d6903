"""Environments are built and removed by real processes, beside a real spawner's instances."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from pop.builder import Builder
from pop.environments import leftovers
from pop.errors import NotBuilt, NotSpawned
from pop.installer import NOWHERE
from pop.kin import alive
from pop.program import Launch, Program
from pop.recipe import Recipe
from pop.test.errands import Errands
from pop.test.processes import Nursery
from pop.test.wheels import wheel
from pop.testing import FakeBuilder

SLOW = """#!/bin/sh
echo $$ > {pid}
exec sleep 600
"""
"""A Python that takes its time to make an environment."""


class Promises:
    """What whoever builds promises; the real one and the fake keep the same."""

    builder: Any

    def build(self, launch: Launch) -> "Deferred[None]":
        """Have something be built that can be."""
        built: Deferred[None] = self.builder.build("web", launch)
        return built

    def fail_(self, launch: Launch) -> "Deferred[None]":
        """The same for what cannot be."""
        return self.build(launch)

    def launch(self, *requirements: str) -> Launch:
        """A program that needs them."""
        return Launch(Program(("python",), recipe=Recipe(requirements, index=NOWHERE)))

    async def test_there(self: Any) -> None:
        """It is there for that service as soon as it is built, and no sooner."""
        launch = self.launch()
        recipe = launch.program.recipe
        self.assertFalse(self.builder.has("web", recipe))
        await self.build(launch)
        self.assertTrue(self.builder.has("web", recipe))
        self.assertFalse(self.builder.has("shop", recipe))

    async def test_refused(self: Any) -> None:
        """What cannot be built is refused with a sentence, and is not there."""
        launch = self.launch("ham")
        with self.assertRaises(NotBuilt) as caught:
            await self.fail_(launch)
        self.assertIn("No matching distribution found for ham", str(caught.exception))
        self.assertFalse(self.builder.has("web", launch.program.recipe))

    async def test_cancelled(self: Any) -> None:
        """Whoever gives up hears no more of it, and may begin another."""
        first = self.builder.build("web", self.launch("spam"))
        first.addErrback(lambda failure: failure.trap(CancelledError))
        first.cancel()
        self.assertFalse(self.builder.has("web", self.launch("spam").program.recipe))
        await self.build(self.launch())


class FakeBuilderTests(Promises, TestCase):
    """The fake."""

    def setUp(self) -> None:
        self.builder = FakeBuilder()

    def build(self, launch: Launch) -> "Deferred[None]":
        """It is good at once."""
        built = super().build(launch)
        self.builder.succeed("web")
        return built

    def fail_(self, launch: Launch) -> "Deferred[None]":
        """It fails at once, in pip's words."""
        built = super().build(launch)
        self.builder.fail("web", "No matching distribution found for ham")
        return built


class BuilderTests(Promises, TestCase):
    """One service, and wheels to build its environments from."""

    timeout = 120

    def setUp(self) -> None:
        self.nursery = Nursery(self, environment={**os.environ, "PYTHONPATH": "/nowhere"})
        self.errands = Errands(self, self.nursery)
        self.environments = self.nursery.spawner.environments
        self.builder = Builder(self.environments, self.errands.start, self.nursery.spawner.output)
        self.wheels = Path(self.mktemp()).absolute()
        self.wheels.mkdir()
        wheel(self.wheels, "spam", "1.0")

    def launch(self, *requirements: str, argv: tuple[str, ...] = (), python: str = "") -> Launch:
        """A program that needs them."""
        places = (str(self.wheels),)
        recipe = Recipe(requirements, find_links=places, index=NOWHERE, python=python)
        return Launch(Program(argv or ("python", "-c", "pass"), recipe=recipe))

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something to come true."""
        from twisted.internet import reactor

        while not true():
            await deferLater(reactor, 0.02)

    async def test_built(self) -> None:
        """What is built is what the program runs in; its log tells how that went."""
        script = "import os, sys, spam; print(spam.VERSION, sys.prefix, os.getenv('PYTHONPATH'))"
        launch = self.launch("spam", argv=("python", "-c", script))
        self.assertRaises(NotSpawned, self.nursery.spawn, launch)
        await self.builder.build("web", launch)
        output = await self.nursery.finish(launch)
        self.assertIn("Successfully installed spam-1.0", output)
        assert launch.program.recipe
        prefix = os.path.realpath(self.environments.find("web", launch.program.recipe))
        self.assertTrue(output.endswith(f"1.0 {prefix} None\n"), output)

    async def test_given_up(self) -> None:
        """A build that is cancelled ends, with all that it started; the next one tidies up."""
        pid = self.wheels / "pid"
        slow = self.wheels / "python"
        slow.write_text(SLOW.format(pid=pid))
        slow.chmod(0o755)
        building = self.builder.build("web", self.launch(python=str(slow)))
        building.addErrback(lambda _: None)
        await self.until(lambda: pid.exists() and bool(pid.read_text()))
        building.cancel()
        await self.errands.gone()
        self.assertFalse(alive(int(pid.read_text())))
        await self.builder.build("web", self.launch())
        self.assertEqual([], list(leftovers(self.environments.of("web"))))

    async def test_collected(self) -> None:
        """What nobody needs is removed, but for the last two; all of what is gone is."""
        launches = [self.launch(*names) for names in ((), ("spam",), ("spam==1.0",), ("spam>=1",))]
        recipes = [launch.program.recipe for launch in launches if launch.program.recipe]
        for launch in launches:
            await self.builder.build("web", launch)
        self.builder.collect({"web": {recipes[3].key}})
        await self.errands.gone()
        found = [self.builder.has("web", recipe) for recipe in recipes]
        self.assertEqual([False, True, True, True], found)
        self.assertEqual(3, len(self.environments.places("web")))
        self.assertEqual([], list(leftovers(self.environments.of("web"))))
        self.builder.collect({})
        await self.errands.gone()
        self.assertEqual([], self.environments.services())

    async def test_two_at_a_time(self) -> None:
        """More than a few do not run at once; what waits can be given up, too."""
        waits: list[Deferred[None]] = []
        for number in range(4):
            waits.append(self.builder.build(f"web{number}", self.launch()))
        self.assertEqual(2, len(self.errands.started))
        waits[3].addErrback(lambda _: None)
        waits[3].cancel()
        for waiting in waits[:3]:
            await waiting
        self.assertEqual(3, len(self.errands.started))
