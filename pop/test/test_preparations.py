"""Environments are built beside what runs, before it is started or changed; in virtual time."""

from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pop.catalogue import Catalogue
from pop.model import Service
from pop.services.command import Command
from pop.services.python import Python
from pop.test.worlds import Host, World

CATALOGUE = Catalogue({"python": Python(), "command": Command()})


class PreparationTests(SynchronousTestCase):
    """One machine, and a service that needs an environment."""

    def setUp(self) -> None:
        self.world = World()
        self.world.init()
        self.host: Host = self.world.host("m1", CATALOGUE)
        self.builder = self.host.builder

    def tearDown(self) -> None:
        self.assertEqual([], self.world.close())

    def add(self, name: str = "web", **settings: Any) -> None:
        """Add a service and deploy it."""
        values = {"module": "http.server", "requirements": "six==1", **settings}
        self.world.server.run(self.world.admin.add(Service(name, "python", values, ("m1",))))
        self.world.server.settle()

    def set_(self, name: str = "web", **settings: Any) -> None:
        """Change its settings."""

        def changed(service: Service) -> Service:
            return replace(service, settings={**service.settings, **settings})

        self.world.server.run(self.world.admin.change(name, changed))
        self.world.server.settle()

    def aim(self, **target: Any) -> None:
        """Change what is asked of it."""
        self.world.server.run(self.world.admin.aim("web", lambda old: replace(old, **target)))
        self.world.server.settle()

    def remove(self, name: str = "web") -> None:
        """Remove it from all machines."""
        self.world.server.run(self.world.admin.remove(name))
        self.world.server.settle()

    def build(self, name: str = "web") -> None:
        """What is being built is complete."""
        self.builder.succeed(name)
        self.world.server.settle()

    def fail_(self, reason: str, name: str = "web") -> None:
        """It cannot be built."""
        self.builder.fail(name, reason)
        self.world.server.settle()

    def running(self) -> list[str]:
        """The packages that each running program has, one text for each."""
        recipes = [process.launch.program.recipe for process in self.host.spawner.running()]
        return [" ".join(recipe.merged()) if recipe else "" for recipe in recipes]

    def test_before_it_starts(self) -> None:
        """Nothing runs before its environment is there; until then it is starting, and why."""
        self.add()
        self.assertEqual([], self.running())
        status = self.world.status("web")
        self.assertEqual("starting", status["phase"])
        self.assertEqual("its Python environment is being built", status["why"])
        self.build()
        self.assertEqual(["six==1"], self.running())
        self.assertEqual("ready", self.world.phase("web"))

    def test_there_already(self) -> None:
        """What is there is not built again, for a restart neither."""
        self.add()
        self.build()
        self.aim(generation=1)
        self.assertEqual(2, len(self.host.spawner.spawned))
        self.assertEqual(1, len(self.builder.begun))

    def test_beside(self) -> None:
        """While the next one is built, what runs goes on; then it is stopped and started anew."""
        self.add()
        self.build()
        [old] = self.host.spawner.running()
        self.set_(requirements="six==2")
        self.assertEqual([old], self.host.spawner.running())
        status = self.world.status("web")
        self.assertEqual("ready", status["phase"])
        self.assertEqual("its Python environment is being built", status["problem"])
        self.build()
        self.assertEqual(["six==2"], self.running())
        self.assertNotIn("problem", self.world.status("web"))

    def test_failed(self) -> None:
        """What cannot be built has failed, in the installer's words; it is tried again later."""
        self.add()
        self.fail_("No matching distribution found for six==1")
        status = self.world.status("web")
        self.assertEqual("failed", status["phase"])
        self.assertIn("No matching distribution found for six==1", status["why"])
        self.world.server.advance(10)
        self.assertEqual(2, len(self.builder.begun))
        self.assertEqual("failed", self.world.phase("web"))
        self.build()
        self.assertEqual("ready", self.world.phase("web"))

    def test_back_off(self) -> None:
        """The more often it fails, the longer it is left alone: up to half an hour."""
        self.add()
        for _ in range(12):
            self.fail_("no")
            before = self.world.clock.seconds()
            while "web" not in self.builder.building:
                self.world.server.advance(5)
            waited = self.world.clock.seconds() - before
        self.assertTrue(900 <= waited <= 1805, waited)

    def test_failed_beside(self) -> None:
        """A failing build leaves what runs alone, and says so."""
        self.add()
        self.build()
        [old] = self.host.spawner.running()
        self.set_(requirements="six==999")
        self.fail_("No matching distribution found for six==999")
        self.assertEqual([old], self.host.spawner.running())
        self.assertIn("six==999", self.world.status("web")["problem"])
        self.set_(requirements="six==1")
        self.assertEqual([old], self.host.spawner.running())
        self.assertNotIn("problem", self.world.status("web"))
        self.world.server.advance(4000)
        self.assertEqual(2, len(self.builder.begun))

    def test_changed_meanwhile(self) -> None:
        """What is not wanted any more is given up at once, and what is wanted instead begun."""
        self.add()
        self.set_(requirements="six==2")
        self.assertEqual(["six==1", "six==2"], [r.merged()[0] for _, r in self.builder.begun])
        self.build()
        self.assertEqual(["six==2"], self.running())

    def test_restart_tries_again(self) -> None:
        """Whoever asks for a restart need not wait for the next attempt."""
        self.add()
        self.fail_("the index is away")
        self.aim(generation=1)
        self.assertIn("web", self.builder.building)

    def test_undeployed_meanwhile(self) -> None:
        """What is undeployed is not built any further, nor tried again."""
        self.add("web")
        self.add("shop")
        self.fail_("no", "shop")
        for name in ("web", "shop"):
            self.remove(name)
        self.world.server.advance(100)
        self.assertEqual({}, self.builder.building)
        self.assertEqual(2, len(self.builder.begun))

    def test_held_meanwhile(self) -> None:
        """Neither is what is stopped."""
        self.add()
        self.aim(run=False)
        self.assertEqual({}, self.builder.building)
        self.assertEqual("stopped", self.world.phase("web"))

    def test_several_processes(self) -> None:
        """All processes of a service have the same environment, and keep it while it is built."""
        self.add(processes=3)
        self.build()
        self.assertEqual(["six==1"] * 3, self.running())
        self.set_(requirements="six==2")
        self.assertEqual(["six==1"] * 3, self.running())
        self.build()
        self.assertEqual(["six==2"] * 3, self.running())

    def test_successor(self) -> None:
        """An agent's successor goes on with what runs, and builds what that one could not."""
        self.add()
        self.build()
        self.set_(requirements="six==2")
        self.host.leave()
        self.host.succeed()
        self.assertEqual(["six==1"], self.running())
        self.build()
        self.assertEqual(["six==2"], self.running())

    def test_without_zookeeper(self) -> None:
        """A machine that starts while ZooKeeper is away builds what it needs all the same."""
        self.add()
        self.host.leave()
        self.host.spawner.reboot()
        self.host.succeed(reachable=False)
        self.world.server.advance(30)
        self.build()
        self.assertEqual(["six==1"], self.running())

    def test_collected(self) -> None:
        """What is removed is never what runs, nor what is about to."""
        self.add()
        self.build()
        [recipe] = [recipe for _, recipe in self.builder.begun]
        self.assertEqual({"web": {recipe.key}}, self.builder.collected[-1])
        self.set_(requirements="six==2")
        count = len(self.builder.collected)
        self.world.server.advance(60)
        self.assertEqual(count, len(self.builder.collected))
        self.build()
        self.assertIn(self.builder.begun[-1][1].key, self.builder.collected[-1]["web"])

    def test_collected_in_the_end(self) -> None:
        """What is undeployed keeps its environments until its last process has ended."""
        self.add()
        self.build()
        self.host.spawner["web"].stubborn = True
        self.remove()
        self.world.server.advance(5)
        self.assertEqual({"web"}, set(self.builder.collected[-1]))
        self.world.server.advance(6)
        self.assertEqual([], self.running())
        self.assertEqual({}, self.builder.collected[-1])
