"""Instances, driven by a fake spawner in virtual time."""

import random
from collections.abc import Callable
from dataclasses import replace

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from pop import events
from pop.files import Record
from pop.finished import Finished
from pop.instance import Instance, how_it_ended
from pop.instances import Instances
from pop.life import Life, Phase
from pop.plan import Held, Unrunnable, Want
from pop.policy import Restarts
from pop.program import Launch, Program
from pop.testing import FakeFile, FakeProcess, FakeSpawner

WEB = Launch(Program(("serve",), state={"port": 80}), grace_period=5.0)
OTHER = Launch(Program(("serve", "--more")), stop_signal="INT", grace_period=5.0)
TALKER = Launch(Program(("talk",), notifies=True), grace_period=5.0)
PATIENT = replace(WEB, restarts=Restarts(max_failures=100))
HELD = Held("held by the operator")


class Recorder:
    """What should look after a process, and only keeps what it is asked for.

    @ivar told: takes what a check found.
    """

    def __init__(self, name: str, launch: Launch, told: Callable[[events.Event], None]) -> None:
        self.name = name
        self.launch = launch
        self.told = told
        self.asked: list[str] = []

    def start(self) -> None:
        self.asked.append("start")

    def ready(self) -> None:
        self.asked.append("ready")

    def watchdog_fed(self) -> None:
        self.asked.append("fed")

    def stop(self) -> None:
        self.asked.append("stop")


class World:
    """Instances with nothing real about them.

    @ivar shown: all that was ever shown of each, in order.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.spawner = FakeSpawner(self.clock)
        self.shown: list[tuple[str, Want | None, Life]] = []
        self.finished = FakeFile()
        self.watched: list[Recorder] = []
        self.instances = self.successor()

    def successor(self) -> Instances:
        """Instances on the same spawner, as another agent has them."""
        chance, finished = random.Random(1), Finished(Record("finished", self.finished, {}))
        return Instances(self.spawner, self._watch, self.clock, chance, finished, self._changed)

    def _watch(self, name: str, launch: Launch, told: Callable[[events.Event], None]) -> "Recorder":
        self.watched.append(Recorder(name, launch, told))
        return self.watched[-1]

    def _changed(self, instance: Instance) -> None:
        self.shown.append((instance.name, instance.want, instance.life))

    @property
    def life(self) -> Life:
        """The life of the only instance."""
        [instance] = self.instances.all()
        return instance.life

    @property
    def phases(self) -> list[Phase]:
        """The phases that were shown."""
        return [life.phase for _, _, life in self.shown]

    def start(self, launch: Launch = WEB, why: str = "deployed") -> FakeProcess:
        """Start a service, and give its process."""
        self.instances.start("web", launch, why)
        return self.spawner["web"]


class Tests(SynchronousTestCase):
    """A world for each test."""

    def setUp(self) -> None:
        self.world = World()
        self.clock, self.spawner = self.world.clock, self.world.spawner
        self.instances = self.world.instances

    def tearDown(self) -> None:
        self.assertLessEqual(len(self.clock.getDelayedCalls()), len(self.instances.all()))


class StartTests(Tests):
    """From nothing to ready."""

    def test_started(self) -> None:
        """What does not notify is ready as soon as it runs, and that is shown once."""
        process = self.world.start()
        self.assertEqual((WEB, True), (process.launch, process.running))
        [(name, want, life)] = self.world.shown
        self.assertEqual(("web", WEB), (name, want))
        self.assertEqual(
            (Phase.READY, process.pid, {"port": 80}, "deployed"),
            (life.phase, life.pid, life.state, life.why),
        )

    def test_notifies(self) -> None:
        """What notifies is starting until it says that it is ready."""
        process = self.world.start(TALKER)
        self.assertEqual(
            (Phase.STARTING, process.pid), (self.world.life.phase, self.world.life.pid)
        )
        process.notify(b'READY=1\nX_POP_STATE={"port": 8080}')
        self.assertEqual([Phase.STARTING, Phase.READY], self.world.phases)
        self.assertEqual({"port": 8080}, self.world.life.state)

    def test_idle_notices(self) -> None:
        """What changes nothing is not shown."""
        process = self.world.start(TALKER)
        process.notify()
        before = len(self.world.shown)
        for datagram in (b"WATCHDOG=1", b"STATUS=fine", b"READY=1"):
            process.notify(datagram)
        self.assertEqual(before, len(self.world.shown))

    def test_refused(self) -> None:
        """What cannot be started failed with the reason, and is tried again."""
        self.spawner.refuse("web", "there is no such program")
        self.instances.start("web", WEB, "deployed")
        life = self.world.life
        self.assertEqual(
            (Phase.FAILED, "there is no such program", None), (life.phase, life.why, life.pid)
        )
        self.spawner.allow("web")
        self.clock.advance(60)
        self.assertEqual(Phase.READY, self.world.life.phase)

    def test_refused_for_long(self) -> None:
        """It is tried again and again, with one try at a time."""
        self.spawner.refuse("web")
        self.instances.start("web", WEB, "deployed")
        self.clock.pump([60.0] * 5)
        self.assertEqual(Phase.FAILED, self.world.life.phase)
        self.assertEqual(1, len(self.clock.getDelayedCalls()))


class EndTests(Tests):
    """What ends by itself."""

    def test_again(self) -> None:
        """It is started again at once the first time, which is shown with the reason."""
        first = self.world.start()
        first.exit(1)
        second = self.spawner["web"]
        self.assertNotEqual(first.pid, second.pid)
        life = self.world.life
        self.assertEqual(
            (Phase.READY, second.pid, "exited with status 1", 1),
            (life.phase, life.pid, life.why, life.restarts),
        )

    def test_backs_off(self) -> None:
        """What ends again too soon waits, longer each time, and starts when that is over."""
        self.world.start(PATIENT).exit(1)
        waits = []
        for _ in range(5):
            self.spawner["web"].exit(1)
            self.assertEqual(
                (Phase.BACKING_OFF, []), (self.world.life.phase, self.spawner.running())
            )
            [call] = self.clock.getDelayedCalls()
            waits.append(call.getTime() - self.clock.seconds())
            self.clock.advance(waits[-1])
            self.assertEqual(Phase.READY, self.world.life.phase)
        for wait, full in zip(waits, (0.5, 1.0, 2.0, 4.0, 8.0), strict=True):
            self.assertTrue(full / 2 <= wait <= full, waits)

    def test_reasons(self) -> None:
        """How it ended is told in words."""
        for error, said in (
            (ProcessDone(0), "exited with status 0"),
            (ProcessTerminated(exitCode=3), "exited with status 3"),
            (ProcessTerminated(signal=9), "ended by signal 9"),
        ):
            self.assertEqual(said, how_it_ended(Failure(error)))

    def test_late_notices(self) -> None:
        """What a program said that has ended meanwhile is of no interest."""
        process = self.world.start(TALKER)
        protocol = process.protocol
        assert protocol is not None
        process.exit(1)
        self.spawner["web"].exit(1)
        protocol.notified(None)  # type: ignore[attr-defined]
        self.assertEqual(Phase.BACKING_OFF, self.world.life.phase)

    def test_one_start(self) -> None:
        """What starts, changes and is held within one turn runs no more than one process."""
        self.world.start()
        self.instances.start("web", OTHER, "settings changed")
        self.instances.hold("web", HELD)
        self.instances.start("web", OTHER, "released")
        self.assertEqual(1, len(self.spawner.running()))
        self.clock.advance(0)
        self.assertEqual([OTHER], [process.launch for process in self.spawner.running()])


class StopTests(Tests):
    """What is asked to stop."""

    def test_held(self) -> None:
        """It is sent its signal, and stays, with the reason."""
        process = self.world.start(OTHER)
        self.instances.hold("web", HELD)
        self.assertEqual((["INT"], Phase.STOPPING), (process.signals, self.world.life.phase))
        self.clock.advance(0)
        life = self.world.life
        self.assertEqual((Phase.STOPPED, "held by the operator"), (life.phase, life.why))
        self.assertEqual({"web": HELD}, self.instances.observed())

    def test_no_word_of_ready(self) -> None:
        """While it stops nothing is said of its state."""
        self.world.start()
        self.instances.hold("web", HELD)
        self.assertIsNone(self.world.life.state)
        self.clock.advance(0)

    def test_killed(self) -> None:
        """What has not stopped within its grace period is killed, and not earlier."""
        process = self.world.start()
        process.stubborn = True
        self.instances.drop("web", "undeployed")
        self.clock.advance(4.9)
        self.assertEqual(["TERM"], process.signals)
        self.clock.advance(0.1)
        self.assertEqual(["TERM", "KILL"], process.signals)
        self.clock.advance(0)
        self.assertEqual([], self.instances.all())
        self.assertEqual(
            "undeployed; killed at the end of its grace period", self.world.shown[-1][2].why
        )

    def test_in_time(self) -> None:
        """What stops in time is not killed; the timer goes with it."""
        process = self.world.start()
        process.stubborn = True
        self.instances.hold("web", HELD)
        self.clock.advance(1)
        process.exit(0)
        self.assertEqual(
            (["TERM"], [], Phase.STOPPED),
            (process.signals, self.clock.getDelayedCalls(), self.world.life.phase),
        )

    def test_dropped(self) -> None:
        """What is dropped goes when it has ended, and that is shown."""
        self.world.start()
        self.instances.drop("web", "undeployed")
        self.assertEqual({"web": None}, self.instances.observed())
        self.clock.advance(0)
        self.assertEqual({}, self.instances.observed())
        _, want, life = self.world.shown[-1]
        self.assertEqual((None, Phase.STOPPED), (want, life.phase))

    def test_dropped_at_rest(self) -> None:
        """What does not run goes at once."""
        self.instances.hold("web", Unrunnable("There is no such type."))
        self.instances.drop("web", "undeployed")
        self.assertEqual([], self.instances.all())

    def test_dropped_while_waiting(self) -> None:
        """What waits to be started again is not."""
        for prepare in (self.back_off, self.fail_to_start):
            prepare()
            self.instances.drop("web", "undeployed")
            self.clock.advance(100)
            self.assertEqual(([], []), (self.instances.all(), self.spawner.running()))

    def back_off(self) -> None:
        """Let it end twice."""
        self.world.start().exit(1)
        self.spawner["web"].exit(1)

    def fail_to_start(self) -> None:
        """Let it not be startable."""
        self.spawner.refuse("web")
        self.instances.start("web", WEB, "deployed")

    def test_back_again(self) -> None:
        """What is deployed again while it is on its way out is started when it has ended."""
        first = self.world.start()
        first.stubborn = True
        self.instances.drop("web", "undeployed")
        self.instances.start("web", WEB, "deployed")
        self.assertEqual([first], self.spawner.running())
        first.exit()
        self.assertEqual((Phase.READY, "deployed"), (self.world.life.phase, self.world.life.why))

    def test_changed(self) -> None:
        """New settings stop what runs, then start it anew, never both at once."""
        first = self.world.start()
        first.stubborn = True
        self.instances.start("web", OTHER, "settings changed")
        self.assertEqual([first], self.spawner.running())
        self.clock.advance(5)
        self.clock.advance(0)
        [second] = self.spawner.running()
        self.assertEqual((OTHER, 0), (second.launch, self.world.life.restarts))


class AllTests(Tests):
    """Several of them."""

    def drop_all(self) -> "Deferred[None]":
        """Let all go."""
        return self.instances.drop_all("the agent stops")

    def test_none(self) -> None:
        """Where there is none, all have gone at once."""
        self.successResultOf(self.drop_all())

    def test_in_parallel(self) -> None:
        """All are asked to stop at once, and gone when the last one has."""
        for name in ("a", "b", "c"):
            self.instances.start(name, WEB, "deployed")
        self.instances.hold("d", HELD)
        self.spawner["b"].stubborn = True
        gone = self.drop_all()
        self.assertEqual([["TERM"]] * 3, [process.signals for process in self.spawner.spawned])
        self.clock.advance(0)
        self.assertNoResult(gone)
        self.clock.advance(5)
        self.clock.advance(0)
        self.successResultOf(gone)
        self.assertEqual([], self.spawner.running())

    def test_twice(self) -> None:
        """Whoever asks again waits as well."""
        self.world.start()
        both = [self.drop_all(), self.drop_all()]
        self.clock.advance(0)
        for gone in both:
            self.successResultOf(gone)

    def test_apart(self) -> None:
        """The trouble of one is no trouble for another."""
        self.instances.start("a", WEB, "deployed")
        self.spawner.refuse("b")
        self.instances.start("b", WEB, "deployed")
        self.spawner["a"].exit(1)
        phases = {instance.name: instance.life.phase for instance in self.instances.all()}
        self.assertEqual({"a": Phase.READY, "b": Phase.FAILED}, phases)
