"""What an instance does beside its life: health, notes, adoption."""

from dataclasses import replace

from twisted.internet.protocol import ProcessProtocol
from twisted.trial.unittest import SynchronousTestCase

from pop.events import Failed, Passed, Unhealthy
from pop.life import Phase
from pop.policy import NEVER, Checks, Restarts
from pop.program import Launch
from pop.test.test_instances import HELD, OTHER, TALKER, WEB, Recorder, Tests, World
from pop.testing import FakeProcess, FakeSpawner

CHECKED = replace(WEB, checks=Checks(readiness="tcp:80", liveness="tcp:80"))
ONCE = replace(WEB, restarts=Restarts(NEVER))
GUARDED = replace(WEB, checks=Checks(watchdog=5.0))
WATCHDOG = b"WATCHDOG=1"


class HealthTests(Tests):
    """What looks after a process has its time."""

    @property
    def watcher(self) -> Recorder:
        """The one of the latest process."""
        return self.world.watched[-1]

    def test_unchecked(self) -> None:
        """What has no checks needs nobody to look after it."""
        self.world.start()
        self.assertEqual([], self.world.watched)

    def test_begins_and_ends(self) -> None:
        """It begins with the process, learns when that is ready, and ends before it is stopped."""
        self.world.start(CHECKED)
        self.assertEqual(("web", CHECKED), (self.watcher.name, self.watcher.launch))
        self.assertEqual(["start"], self.watcher.asked)
        self.watcher.told(Passed())
        self.assertEqual(Phase.READY, self.world.life.phase)
        self.instances.hold("web", HELD)
        self.assertEqual(["start", "ready", "stop"], self.watcher.asked)
        self.clock.advance(0)

    def test_ends_with_the_process(self) -> None:
        """Each process has its own."""
        self.world.start(CHECKED).exit(1)
        first, second = self.world.watched
        self.assertEqual((["start", "stop"], ["start"]), (first.asked, second.asked))

    def test_not_ready(self) -> None:
        """What it finds is shown."""
        self.world.start(CHECKED)
        self.watcher.told(Passed())
        self.watcher.told(Failed("no answer"))
        life = self.world.life
        self.assertEqual((Phase.NOT_READY, "no answer"), (life.phase, life.why))

    def test_unhealthy(self) -> None:
        """What is ill is stopped, and started again when it has ended."""
        first = self.world.start(CHECKED)
        self.watcher.told(Passed())
        self.watcher.told(Unhealthy("no answer"))
        self.assertEqual((["TERM"], Phase.STOPPING), (first.signals, self.world.life.phase))
        self.clock.advance(0)
        self.assertEqual(
            (Phase.STARTING, "no answer"), (self.world.life.phase, self.world.life.why)
        )
        self.assertIsNot(first, self.spawner["web"])

    def test_watchdog(self) -> None:
        """It is told that the program lives, which is no news for anybody else."""
        process = self.world.start(GUARDED)
        shown = len(self.world.shown)
        process.notify(WATCHDOG)
        self.assertEqual(["start", "ready", "fed"], self.watcher.asked)
        self.assertEqual(shown, len(self.world.shown))

    def test_start_timeout(self) -> None:
        """What does not become ready in time is stopped and started again."""
        first = self.world.start(replace(TALKER, start_timeout=3.0))
        self.clock.advance(3)
        self.assertEqual(["TERM"], first.signals)
        self.clock.advance(0)
        self.assertEqual("not ready within 3 seconds", self.world.life.why)
        self.assertEqual([self.spawner["web"]], self.spawner.running())


class NoteTests(Tests):
    """A successor can know what there is to know."""

    def test_noted(self) -> None:
        """Readiness and state are noted whenever they change."""
        process = self.world.start(TALKER)
        self.assertEqual((False, None), process.noted)
        process.notify(b'READY=1\nX_POP_STATE={"port": 1}')
        self.assertEqual((True, {"port": 1}), process.noted)
        process.notify(b'X_POP_STATE={"port": 2}')
        self.assertEqual((True, {"port": 2}), process.noted)
        self.instances.hold("web", HELD)
        self.assertEqual((False, None), process.noted)
        self.clock.advance(0)

    def test_before(self) -> None:
        """Whoever is shown a change knows what was before."""
        self.world.start().exit(1)
        [instance] = self.instances.all()
        self.assertEqual((Phase.READY, 0), (instance.before.phase, instance.before.restarts))
        self.assertEqual((Phase.READY, 1), (instance.life.phase, instance.life.restarts))


class AdoptionTests(Tests):
    """A predecessor left something."""

    def successor(self) -> None:
        """The agent is killed, and another takes its place."""
        self.spawner.lose()
        self.instances.let_go()
        self.instances = self.world.instances = self.world.successor()
        self.world.shown.clear()
        self.instances.adopt()

    def test_adopted(self) -> None:
        """What ran goes on, as it was, and is shown."""
        process = self.world.start(OTHER)
        self.clock.advance(7)
        self.successor()
        self.assertEqual([process], self.spawner.spawned)
        self.assertEqual({"web": OTHER}, self.instances.observed())
        [(_, _, life)] = self.world.shown
        self.assertEqual(
            (Phase.READY, process.pid, {}, 0.0), (life.phase, life.pid, life.state, life.began)
        )

    def test_ends(self) -> None:
        """It is looked after like any other: started again, stopped, replaced."""
        process = self.world.start()
        self.successor()
        process.crash("KILL")
        self.assertEqual("ended by signal 9", self.world.life.why)
        self.assertEqual([self.spawner["web"]], self.spawner.running())
        self.successor()
        self.instances.start("web", OTHER, "settings changed")
        self.clock.advance(0)
        self.assertEqual([OTHER], [process.launch for process in self.spawner.running()])

    def test_died_meanwhile(self) -> None:
        """What died while nobody looked is started again."""
        process = self.world.start()
        self.spawner.lose()
        process.exit(3)
        self.successor()
        self.clock.advance(0)
        self.assertEqual("exited with status 3", self.world.life.why)
        self.assertEqual([self.spawner["web"]], self.spawner.running())

    def test_died_unseen(self) -> None:
        """The predecessor that was let go takes no notice of anything any more."""
        process = self.world.start(CHECKED)
        [watcher] = self.world.watched
        before = self.instances
        before.let_go()
        process.exit(3)
        self.clock.advance(100)
        self.assertEqual(([process], []), (self.spawner.spawned, before.all()))
        self.assertEqual(["start", "stop"], watcher.asked)

    def test_checked(self) -> None:
        """Its health is looked after from then on, though it need not show itself ready anew."""
        self.world.start(CHECKED)
        self.world.watched[-1].told(Passed())
        self.successor()
        self.assertEqual(["start", "ready"], self.world.watched[-1].asked)

    def test_finished(self) -> None:
        """What has finished is not done once more; what is asked of it since is."""
        self.world.start(ONCE).exit(3)
        self.successor()
        self.assertEqual({"web": ONCE}, self.instances.observed())
        life = self.world.life
        self.assertEqual((Phase.FINISHED, "exited with status 3"), (life.phase, life.why))
        self.assertEqual(1, len(self.spawner.spawned))
        self.instances.start("web", WEB, "settings changed")
        self.successor()
        self.assertEqual(Phase.READY, self.world.life.phase)

    def test_finished_and_gone(self) -> None:
        """What was let go after it had finished is not recalled."""
        self.world.start(ONCE).exit(0)
        self.instances.drop("web", "undeployed")
        self.successor()
        self.assertEqual(({}, None), (self.instances.observed(), self.world.finished.data))

    def test_finished_by_another_version(self) -> None:
        """What makes no sense is passed over."""
        for value in (b"[]", b'{"web": 1}', b'{"web": {"launch": {}, "how": "", "success": 1}}'):
            self.world.finished.write(b'{"owner": {}, "value": ' + value + b"}")
            self.successor()
            self.assertEqual({}, self.instances.observed())

    def test_slots(self) -> None:
        """Each slot is adopted by itself, and a service's come in order."""
        launches: list[Launch] = [WEB, OTHER, WEB]
        for number, launch in zip((10, 2, 1), launches, strict=True):
            self.instances.start("web" if number == 1 else f"web/{number}", launch, "deployed")
        self.instances.start("other", WEB, "deployed")
        self.successor()
        names = [instance.name for instance in self.instances.of("web")]
        self.assertEqual(["web", "web/2", "web/10"], names)
        self.assertEqual([], self.instances.of("none"))


class Hasty(FakeSpawner):
    """Starts what writes to its log at once."""

    def spawn(self, name: str, launch: Launch, protocol: ProcessProtocol) -> FakeProcess:
        process = super().spawn(name, launch, protocol)
        self.logs[name] = self.written(name) + 5
        return process


class LogTests(SynchronousTestCase):
    """How far the log had come."""

    def test_wrote(self) -> None:
        """What a process's successor writes is not taken for its own, however soon that is."""
        world = World()
        world.spawner = Hasty(world.clock)
        instances = world.successor()
        instances.start("web", WEB, "deployed")
        world.spawner["web"].exit(1)
        [instance] = instances.all()
        self.assertEqual((2, 5), (len(world.spawner.spawned), instance.wrote))
