"""What is held back on one machine until it is its turn, and how that went."""

from collections.abc import Mapping
from dataclasses import replace

from pop.model import Progress, Service, Status
from pop.plan import Held, Want
from pop.program import Launch, Program
from pop.readiness import SETTLES
from pop.test.clusters import ClusterTestCase
from pop.test.test_instances import World
from pop.turns import Turns

OLD = Launch(Program(("old",)), roll_batch=1)
NEW = Launch(Program(("new",)), roll_batch=1)
TALKER = Launch(Program(("new",), notifies=True), roll_batch=1)
HELD = Held("held by the operator")


class TurnsTestCase(ClusterTestCase):
    """One machine with two services, which run as they did before.

    @ivar looks: how often it was said that something may have changed.
    """

    def begin(self) -> None:
        super().begin()
        self.services: dict[str, Service] = {}
        self.world = World(self.clock)
        self.instances = self.world.instances
        for name in ("web", "mail"):
            self.services[name] = self.deploy(name, "m1")
            self.put(f"/services/{name}/status/m1", Status("ready").to_json())
            self.instances.start(name, OLD, "deployed")
        self.looks = 0
        self.turns = Turns(self.connect(), "m1", self.look, lambda: "now")

    def end(self) -> None:
        self.turns.stop()
        for process in self.world.spawner.running():
            process.stubborn = False
        self.instances.drop_all("the agent stops")
        self.server.settle()
        super().end()

    def look(self) -> None:
        """Something may have changed."""
        self.looks += 1

    def admit(self, *, current: bool = True, **wants: Want) -> Mapping[str, Want]:
        """What is let through of this; then all arrives that is under way."""
        observed = self.instances.observed()
        found = self.turns.admit(wants, observed, self.services, current=current)
        self.server.settle()
        return found

    def roll(self, launch: Launch = NEW) -> None:
        """It is the turn of web, and so it runs otherwise."""
        self.admit(web=launch, mail=OLD)
        self.assertEqual({"web": launch, "mail": OLD}, self.admit(web=launch, mail=OLD))
        self.instances.start("web", launch, "settings changed")
        self.server.settle()
        self.judge()

    def judge(self, service: str = "web") -> None:
        """See how it goes."""
        self.turns.judge(service, self.instances.of(service))
        self.server.settle()

    def progress(self, service: str = "web") -> Progress | None:
        """How far the roll is; L{None} if there never was one."""
        data = self.data(f"/services/{service}/roll")
        return None if data is None else Progress.from_json("", data)


class AdmitTests(TurnsTestCase):
    """What is let through."""

    def test_free(self) -> None:
        """What need not wait: first starts, ends, and what changes at once everywhere."""
        at_once = replace(NEW, roll_batch=0)
        self.services["third"] = self.services["web"]
        wants = {"web": at_once, "mail": HELD, "third": NEW}
        self.assertEqual(wants, self.admit(web=at_once, mail=HELD, third=NEW))
        self.assertEqual((None, []), (self.progress(), self.turns.tried))

    def test_waits(self) -> None:
        """What must wait stays as it is until its turn has come, which is told."""
        self.assertEqual({"web": OLD, "mail": HELD}, self.admit(web=NEW, mail=HELD))
        self.assertEqual(1, self.looks)
        self.assertEqual({"web": NEW, "mail": HELD}, self.admit(web=NEW, mail=HELD))
        self.assertEqual(["web"], self.turns.tried)

    def test_others_before(self) -> None:
        """While it is the turn of another machine, it stays so."""
        self.put("/services/web/machines", b'["m0", "m1"]')
        self.put("/services/web/roll", Progress(("m0",)).to_json())
        for _ in range(2):
            self.assertEqual({"web": OLD}, self.admit(web=NEW))
        self.assertEqual((0, []), (self.looks, self.turns.tried))

    def test_not_current(self) -> None:
        """Of what is not known for sure nothing is done that must wait, be it our turn."""
        self.assertEqual({"web": OLD, "mail": HELD}, self.admit(current=False, web=NEW, mail=HELD))
        self.assertIsNone(self.progress())
        self.admit(web=NEW)
        self.assertEqual({"web": OLD}, self.admit(current=False, web=NEW))
        self.assertEqual({"web": NEW}, self.admit(web=NEW))

    def test_not_wanted_any_more(self) -> None:
        """Who is to be as it was waits no more."""
        self.put("/services/web/roll", Progress(("m0",)).to_json())
        self.put("/services/web/machines", b'["m0", "m1"]')
        self.admit(web=NEW)
        path = "/services/web/roll"
        self.assertEqual(["m1"], self.run_(self.client.get_children(path)))
        self.assertEqual({"web": OLD}, self.admit(web=OLD))
        self.assertEqual([], self.run_(self.client.get_children(path)))

    def test_undeployed(self) -> None:
        """A service that left in its turn is done with, well."""
        self.admit(web=NEW)
        self.admit(web=NEW)
        del self.services["web"]
        self.assertEqual({}, self.admit())
        self.judge()
        self.assertEqual((Progress(), []), (self.progress(), self.turns.tried))


class JudgeTests(TurnsTestCase):
    """How it goes."""

    def test_nothing_tried(self) -> None:
        """Where nothing was let through there is nothing to say."""
        self.judge()
        self.assertIsNone(self.progress())

    def test_ready(self) -> None:
        """What says that it is ready is done in that moment, without a look at the clock."""
        self.roll(TALKER)
        before = len(self.clock.getDelayedCalls())
        self.assertEqual(Progress(("m1",)), self.progress())
        self.world.spawner["web"].notify()
        self.judge()
        self.assertEqual((Progress(), []), (self.progress(), self.turns.tried))
        self.assertGreaterEqual(before, len(self.clock.getDelayedCalls()))

    def test_failed(self) -> None:
        """A failure is told, with what was tried."""
        self.roll()
        self.world.spawner["web"].exit(3)
        self.judge()
        progress = self.progress()
        assert progress is not None and progress.stop is not None
        stop = progress.stop
        version = self.services["web"].version
        self.assertEqual(
            ("exited with status 3", version, "now"), (stop.why, stop.version, stop.when)
        )

    def test_settles(self) -> None:
        """What is ready as soon as it runs is looked at again when it has run for a while."""
        self.roll()
        looks = self.looks
        self.server.advance(SETTLES - 0.1)
        self.judge()
        self.assertEqual((looks, Progress(("m1",))), (self.looks, self.progress()))
        self.server.advance(0.2)
        self.assertEqual(looks + 1, self.looks)
        self.judge()
        self.assertEqual((Progress(), []), (self.progress(), self.turns.tried))

    def test_both_settle(self) -> None:
        """One look at the clock is enough for several services: none is forgotten."""
        self.roll()
        self.server.advance(SETTLES / 2)
        self.admit(web=NEW, mail=NEW)
        self.admit(web=NEW, mail=NEW)
        self.instances.start("mail", NEW, "settings changed")
        self.server.settle()
        for service, seconds in (("mail", SETTLES), ("web", 0), ("mail", SETTLES)):
            self.judge(service)
            self.server.advance(seconds)
        self.judge("mail")
        self.assertEqual((Progress(), Progress()), (self.progress(), self.progress("mail")))

    def test_stopped(self) -> None:
        """Who settles no more turns leaves nothing on the clock, and all as it is."""
        self.roll()
        looks = self.looks
        self.turns.stop()
        self.server.advance(2 * SETTLES)
        self.assertEqual((looks, Progress(("m1",))), (self.looks, self.progress()))
