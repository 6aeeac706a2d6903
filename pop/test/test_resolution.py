"""Resolution: what is wanted of services, slot by slot, and what is complained of."""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from pop.catalogue import Catalogue
from pop.causes import HELD
from pop.errors import BrokenNode
from pop.files import Record
from pop.finished import Finished
from pop.instances import Instances
from pop.model import Service, Target
from pop.plan import Held, Preparing, Unrunnable, Want, plan
from pop.preparations import Preparations
from pop.program import Launch, Program
from pop.resolution import Resolution, in_slots
from pop.services.command import Command
from pop.services.python import Python
from pop.test.test_instances import Recorder
from pop.testing import FakeBuilder, FakeFile, FakeSpawner
from pop.watch import Wanted

WEB = Service("web", "command", {"argv": "serve"}, ("m1",))
TWICE = replace(WEB, settings={"argv": "serve", "processes": 2})
BROKEN = replace(WEB, settings={"argv": "serve", "procesess": 2})


class Failing(Command):
    """A stranger's type, with a defect."""

    name = "failing"
    calls = 0

    def program(self, settings: Any, instance: Any) -> Program:
        self.calls += 1
        raise ZeroDivisionError("by 0")


class ResolutionTests(SynchronousTestCase):
    """One machine, and what it is told of services.

    @ivar complained: of which services something else is to be complained of, in order.
    """

    def setUp(self) -> None:
        clock = Clock()
        finished = Finished(Record("finished", FakeFile(), {}))
        self.failing = Failing()
        self.builder = FakeBuilder()
        self.complained: list[str] = []
        self.instances = Instances(
            FakeSpawner(clock), Recorder, clock, random.Random(1), finished, lambda _: None
        )
        self.resolution = Resolution(
            "m1",
            Catalogue({"command": Command(), "python": Python(), "failing": self.failing}),
            Preparations(self.builder, clock, lambda: 0.5, lambda: None),
            self.instances,
            self.complained.append,
        )

    def resolve(self, *services: Service, **problems: str) -> dict[str, Want]:
        """What to do, given the services that make sense and what is wrong with others."""
        known = {service.name: service for service in services}
        broken = {name: BrokenNode(path=name, reason=why) for name, why in problems.items()}
        return self.resolution.resolve(Wanted(known, broken, frozenset(broken.keys() - known)))

    def run_(self, wants: Mapping[str, Want]) -> None:
        """Have the instances do it."""
        for step in plan(wants, self.instances.observed()):
            step.run(self.instances)

    def test_slots(self) -> None:
        """Each process has a slot of its own, and none is told how many there are."""
        wants = self.resolve(TWICE)
        each = Launch(Program(("serve",)))
        self.assertEqual({"web": each, "web/2": each}, wants)

    def test_held(self) -> None:
        """What is held has one slot, however many processes it has, and no complaint."""
        held = replace(TWICE, target=Target(run=False))
        self.assertEqual({"web": Held(HELD)}, self.resolve(held))
        self.assertEqual(([], ""), (self.complained, self.resolution.complaint("web")))

    def test_senseless(self) -> None:
        """What makes no sense cannot be run; the reason is a sentence that names the setting."""
        wants = self.resolve(BROKEN)
        why = self.resolution.complaint("web")
        self.assertIn("procesess", why)
        self.assertEqual({"web": Unrunnable(why)}, wants)

    def test_senseless_while_it_runs(self) -> None:
        """What runs goes on, in each of its slots, as it last made sense."""
        before = self.resolve(TWICE)
        self.run_(before)
        self.assertEqual(before, self.resolve(BROKEN))
        self.assertIn("procesess", self.resolution.complaint("web"))

    def test_held_while_it_runs(self) -> None:
        """What runs goes on only for want of something that can be run: held, it is held."""
        self.run_(self.resolve(TWICE))
        held = replace(TWICE, target=Target(run=False))
        self.assertEqual({"web": Held(HELD)}, self.resolve(held))
        self.run_(self.resolve(held))
        why = self.resolve(BROKEN)
        self.assertEqual({"web": Unrunnable(self.resolution.complaint("web"))}, why)

    def test_complained_once(self) -> None:
        """A complaint is logged once, and told when it comes, changes and goes."""
        with capturedLogs() as logs:
            for service in (BROKEN, BROKEN, replace(BROKEN, type="cmmand"), WEB, WEB):
                self.resolve(service)
        self.assertEqual(["web"] * 3, self.complained)
        self.assertEqual(2, len([log for log in logs if log["log_level"].name == "error"]))
        self.assertEqual("", self.resolution.complaint("web"))

    def test_broken_node(self) -> None:
        """A service that never made sense cannot be run; the node that is broken is named."""
        wants = self.resolve(WEB, other="no JSON")
        self.assertIsInstance(wants["web"], Launch)
        why = self.resolution.complaint("other")
        self.assertIn("no JSON", why)
        self.assertEqual(Unrunnable(why), wants["other"])

    def test_broken_later(self) -> None:
        """A node that is broken by now is complained of; the service is run as last understood."""
        before = self.resolve(WEB)
        self.assertEqual(before, self.resolve(WEB, web="no JSON"))
        self.assertIn("no JSON", self.resolution.complaint("web"))

    def test_gone(self) -> None:
        """A service that should be here no more has no slot, and its complaint goes with it."""
        self.resolve(BROKEN)
        self.assertEqual({}, self.resolve())
        self.assertEqual(("", ["web"] * 2), (self.resolution.complaint("web"), self.complained))
        self.assertIsNone(self.resolution.service("web"))

    def test_last_wanted(self) -> None:
        """What was last wanted of a service is known, even if that makes no sense."""
        for service in (WEB, BROKEN):
            self.resolve(service)
            self.assertEqual(service, self.resolution.service("web"))

    def test_defective_type(self) -> None:
        """A type that fails makes its services unrunnable, not the agent; the log has where.

        It is asked once, and again only when the service has changed."""
        service = Service("odd", "failing", {"argv": "x"}, ("m1",))
        for _ in range(3):
            wants = self.resolve(service, WEB)
        why = "The service type failed: ZeroDivisionError: by 0"
        self.assertEqual(Unrunnable(why), wants["odd"])
        self.assertIsInstance(wants["web"], Launch)
        self.assertEqual((1, 1), (self.failing.calls, len(self.flushLoggedErrors())))
        self.resolve(replace(service, settings={"argv": "y"}))
        self.assertEqual((2, 1), (self.failing.calls, len(self.flushLoggedErrors())))

    def test_prepared(self) -> None:
        """What needs an environment waits for it in one slot, and then has as many as it wants."""
        settings = {"module": "http.server", "requirements": "six==1", "processes": 2}
        service = Service("web", "python", settings, ("m1",))
        [(slot, waiting)] = self.resolve(service).items()
        self.assertIsInstance(waiting, Preparing)
        self.assertEqual("web", slot)
        self.builder.succeed("web")
        self.assertEqual({"web", "web/2"}, self.resolve(service).keys())


class SlotsTests(SynchronousTestCase):
    """A service's want becomes those of its slots."""

    def test_the_same(self) -> None:
        """Those that run need no restart if there are to be more or fewer of them."""
        launch = Launch(Program(("serve",)))
        two, three = (in_slots("web", replace(launch, processes=n)) for n in (2, 3))
        self.assertEqual(["web", "web/2", "web/3"], list(three))
        self.assertEqual(two, {slot: three[slot] for slot in two})
        self.assertEqual({"web": launch}, in_slots("web", launch))

    def test_not_running(self) -> None:
        """What does not run has one slot, to say so."""
        for want in (Held("why"), Unrunnable("why"), Preparing("why")):
            self.assertEqual({"web": want}, in_slots("web", want))
