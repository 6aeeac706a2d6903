"""Instances along random ways."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pop import events
from pop.events import Failed, Passed, Unhealthy
from pop.life import Phase
from pop.policy import NEVER, Checks, Restarts
from pop.program import Launch
from pop.test.test_instances import HELD, OTHER, TALKER, WEB, Recorder, World

CHECKED = replace(WEB, checks=Checks(readiness="tcp:80"))
MINDING = replace(WEB, stop_after=9.0)
ONCE = replace(WEB, restarts=Restarts(NEVER))
ILL = Unhealthy("no answer")
DEED = st.one_of(
    st.sampled_from(
        [
            *("hold", "drop", "exit", "crash", "notify", "stubborn", "refuse", "allow"),
            *("pass", "fail", "ill", "successor"),
        ]
    ),
    st.sampled_from([WEB, OTHER, TALKER, CHECKED, ONCE, MINDING]),
    st.floats(0, 100),
)


class AnyWayTests(SynchronousTestCase):
    """What holds whatever happens."""

    @settings(max_examples=100, deadline=None)
    @given(st.lists(DEED, max_size=30))
    def test_anything(self, deeds: list[str | Launch | float]) -> None:
        """There is never more than one process, and in the end what is wanted is."""
        world = World()
        for deed in deeds:
            self.do(world, deed)
            self.assertLessEqual(len(world.spawner.running()), 1)
            self.assertLessEqual(len(world.clock.getDelayedCalls()), 2)
        self.settle(world)
        wanted = [
            instance.want
            for instance in world.instances.all()
            if isinstance(instance.want, Launch) and instance.life.phase is not Phase.FINISHED
        ]
        self.assertEqual(wanted, [process.launch for process in world.spawner.running()])

    def do(self, world: World, deed: str | Launch | float) -> None:
        """Have something happen, if it can just now."""
        running = [process for process in world.spawner.running() if process.alive]
        match deed:
            case Launch():
                world.instances.start("web", deed, "")
            case float():
                world.clock.advance(deed)
            case "successor":
                world.spawner.lose()
                world.instances.let_go()
                world.instances = world.successor()
                world.instances.adopt()
            case "hold":
                world.instances.hold("web", HELD)
            case "drop" if world.instances.all():
                world.instances.drop("web", "")
            case "refuse" | "allow" if (deed == "allow") == bool(world.spawner.refusals):
                getattr(world.spawner, deed)("web")
            case "stubborn" if running:
                running[0].stubborn = True
            case "notify" if running and running[0].launch.program.notifies:
                running[0].notify()
            case "pass" | "fail" | "ill" if world.watched:
                self.tell(world.watched[-1], deed)
            case "exit" | "crash" if running:
                getattr(running[0], deed)()

    def tell(self, watcher: Recorder, deed: str) -> None:
        """Have a check come out, unless it has ended."""
        found: dict[str, events.Event] = {"pass": Passed(), "fail": Failed("no"), "ill": ILL}
        if watcher.asked[-1] != "stop" and (deed != "ill" or "ready" in watcher.asked):
            watcher.told(found[deed])

    def settle(self, world: World) -> None:
        """Let all that is due come about."""
        if world.spawner.refusals:
            world.spawner.allow("web")
        for seconds in (0.0, 5.0, 0.0, 60.0, 0.0, 60.0, 0.0):
            for process in world.spawner.running():
                if process.alive and process.launch.program.notifies:
                    process.notify()
            if world.watched:
                self.tell(world.watched[-1], "pass")
            world.clock.advance(seconds)
