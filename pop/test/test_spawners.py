"""What L{ISpawner} promises, kept by the real spawner and by the fake: one suite, run on both."""

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase
from zope.interface.verify import verifyObject

from pop.errors import NotSpawned
from pop.interfaces import IProcess, ISpawner
from pop.program import Launch, Left, Program
from pop.protocols.notify import Notice
from pop.test.conformance import Promise, in_time, in_world
from pop.test.processes import Nursery, Witness, python, shell
from pop.testing import FakeProcess, FakeSpawner

SCRIPTS = {
    "ends": shell("exit 0"),
    "fails": shell("exit 3"),
    "is killed": shell("kill -KILL $$"),
    "waits": Launch(Program(("sleep", "600"))),
    "talks": python(
        """notify('STATUS=nearly\\nX_POP_STATE={"port": 1}'); notify("READY=1"); signal.pause()"""
    ),
    "ignores TERM": python(
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); notify('READY=1'); signal.pause()"
    ),
    "is nowhere": Launch(Program(("no-such-program-anywhere",))),
}
"""Programs by what they do."""


class World(Protocol):
    """A spawner, and programs that can be had there."""

    spawner: ISpawner

    def spawn(self, does: str, name: str = "web") -> tuple[IProcess, Witness]: ...
    def lose(self) -> None: ...
    def adopt(self, left: Left) -> tuple[IProcess, Witness]: ...
    def run(self, promise: Promise) -> Deferred[None]: ...


class RealWorld:
    """The real spawner, real time and real programs."""

    def __init__(self, case: TestCase) -> None:
        self._nursery = Nursery(case)
        self.spawner: ISpawner = self._nursery.spawner

    def spawn(self, does: str, name: str = "web") -> tuple[IProcess, Witness]:
        """Start a program that does so."""
        return self._nursery.spawn(SCRIPTS[does], name)

    def lose(self) -> None:
        """Have another agent take the place of this one."""
        self._nursery.succeed()
        self.spawner = self._nursery.spawner

    def adopt(self, left: Left) -> tuple[IProcess, Witness]:
        """Look after what was left."""
        return self._nursery.adopt(left)

    def run(self, promise: Promise) -> Deferred[None]:
        """Keep a promise."""
        return Deferred.fromCoroutine(promise)


def _talk(process: FakeProcess) -> None:
    process.notify(b'STATUS=nearly\nX_POP_STATE={"port": 1}')
    process.notify(b"READY=1")


def _ignore(process: FakeProcess) -> None:
    process.stubborn = True
    process.notify()


DOES: dict[str, Callable[[FakeProcess], None]] = {
    "ends": lambda process: process.exit(),
    "fails": lambda process: process.exit(3),
    "is killed": lambda process: process.crash("KILL"),
    "waits": lambda process: None,
    "talks": _talk,
    "ignores TERM": _ignore,
}
"""The same for processes that do what they are told."""


class FakeWorld:
    """The fake spawner in virtual time."""

    def __init__(self, case: TestCase) -> None:
        self._clock = Clock()
        self._fake = FakeSpawner(self._clock)
        self._fake.refuse("nowhere", 'the program "x" is not on the PATH, or not executable')
        self.spawner: ISpawner = self._fake

    def spawn(self, does: str, name: str = "web") -> tuple[IProcess, Witness]:
        """Start a process, and have it do so in the next turn."""
        witness = Witness()
        if does == "is nowhere":
            name = "nowhere"
        process = self._fake.spawn(name, SCRIPTS[does], witness)
        self._clock.callLater(0, DOES[does], process)
        return process, witness

    def lose(self) -> None:
        """Have another agent take the place of this one."""
        self._fake.lose()

    def adopt(self, left: Left) -> tuple[IProcess, Witness]:
        """Look after what was left."""
        witness = Witness()
        return self._fake.adopt(left, witness), witness

    def run(self, promise: Promise) -> Deferred[None]:
        """Keep a promise, within so many turns."""
        return in_time(self._clock, promise)


def spawner_tests(fixture: Callable[[TestCase], World]) -> type[TestCase]:
    """Make the tests of a spawner; give the class a name by inheriting from it."""

    class SpawnerTests(TestCase):
        timeout = 20

        def setUp(self) -> None:
            self.world = fixture(self)

        @in_world
        async def test_interfaces(self) -> None:
            """Spawner and process provide what their interfaces say."""
            process, _ = self.world.spawn("waits")
            verifyObject(ISpawner, self.world.spawner)
            verifyObject(IProcess, process)

        @in_world
        async def test_pids(self) -> None:
            """Each process has a number of its own, even of one service."""
            pids = [self.world.spawn("waits", name)[0].pid for name in ("a", "b", "c")]
            self.assertEqual([int, int, int], [type(pid) for pid in pids])
            self.assertEqual(3, len(set(pids)))

        @in_world
        async def test_nothing_is_told_at_once(self) -> None:
            """Whoever spawns hears nothing of the process before having it."""
            _, witness = self.world.spawn("ends")
            self.assertEqual(([], []), (witness.ends, witness.notices))
            await witness.ended

        @in_world
        async def test_done(self) -> None:
            """A process that ends with status 0 is done."""
            _, witness = self.world.spawn("ends")
            self.assertIsInstance(await witness.ended, ProcessDone)

        @in_world
        async def test_status(self) -> None:
            """The status of a process that failed is told."""
            _, witness = self.world.spawn("fails")
            end = await witness.ended
            assert isinstance(end, ProcessTerminated)
            self.assertEqual((3, None), (end.exitCode, end.signal))

        @in_world
        async def test_signal(self) -> None:
            """The signal that ended a process is told."""
            _, witness = self.world.spawn("is killed")
            end = await witness.ended
            assert isinstance(end, ProcessTerminated)
            self.assertEqual((None, 9), (end.exitCode, end.signal))

        @in_world
        async def test_stop(self) -> None:
            """A process is ended by the stop signal, in a later turn."""
            process, witness = self.world.spawn("waits")
            process.stop("INT")
            self.assertEqual([], witness.ends)
            end = await witness.ended
            assert isinstance(end, ProcessTerminated)
            self.assertEqual(2, end.signal)

        @in_world
        async def test_kill(self) -> None:
            """What ignores its stop signal is ended by a kill all the same."""
            process, witness = self.world.spawn("ignores TERM")
            await witness.ready()
            process.stop("TERM")
            process.stop("TERM")
            process.kill()
            end = await witness.ended
            assert isinstance(end, ProcessTerminated)
            self.assertEqual(9, end.signal)

        @in_world
        async def test_one_end(self) -> None:
            """However often it is stopped, and whatever is asked of it afterwards, it ends once."""
            process, witness = self.world.spawn("waits")
            process.stop("TERM")
            process.stop("TERM")
            process.kill()
            await witness.ended
            process.stop("TERM")
            process.kill()
            _, other = self.world.spawn("ends")
            await other.ended
            self.assertEqual((1, 1), (len(witness.ends), len(other.ends)))

        @in_world
        async def test_others_go_on(self) -> None:
            """Stopping one leaves the others alone."""
            process, witness = self.world.spawn("waits", "a")
            other, bystander = self.world.spawn("waits", "b")
            process.stop("TERM")
            await witness.ended
            self.assertEqual([], bystander.ends)
            other.kill()
            await bystander.ended

        @in_world
        async def test_notices(self) -> None:
            """What a program says of itself arrives, in order."""
            _, witness = self.world.spawn("talks")
            await witness.ready()
            self.assertEqual(
                [Notice(status="nearly", state={"port": 1}), Notice(ready=True)], witness.notices
            )

        @in_world
        async def test_refusal(self) -> None:
            """What cannot be started is refused with a sentence, and nothing is told of it."""
            error = self.assertRaises(NotSpawned, self.world.spawn, "is nowhere")
            self.assertRegex(str(error), r"^the program .* is not on the PATH, .*[^.]\.$")

        @in_world
        async def test_again(self) -> None:
            """A service can be started again when its process has ended, or could not be had."""
            with self.assertRaises(NotSpawned):
                self.world.spawn("is nowhere")
            _, first = self.world.spawn("talks")
            await first.ready()
            process, witness = self.world.spawn("waits", "other")
            process.kill()
            await witness.ended
            _, second = self.world.spawn("talks", "other")
            await second.ready()

        @in_world
        async def test_left(self) -> None:
            """What runs is left to a successor, with what was noted of it."""
            self.assertEqual([], list(self.world.spawner.left()))
            process, _ = self.world.spawn("waits")
            other, _ = self.world.spawn("ignores TERM", "web/2")
            other.note(True, {"port": 1})
            self.world.lose()
            found = sorted(self.world.spawner.left(), key=lambda left: left.name)
            self.assertEqual(
                [
                    ("web", SCRIPTS["waits"], process.pid, True, {}),
                    ("web/2", SCRIPTS["ignores TERM"], other.pid, True, {"port": 1}),
                ],
                [(left.name, left.launch, left.pid, left.ready, left.state) for left in found],
            )
            for left in found:
                self.assertTrue(0 <= left.age < 60)
                self.world.adopt(left)

        @in_world
        async def test_ended_before(self) -> None:
            """What has ended is not left."""
            _, witness = self.world.spawn("ends")
            await witness.ended
            self.world.lose()
            self.assertEqual([], list(self.world.spawner.left()))

        @in_world
        async def test_adopted(self) -> None:
            """What was adopted is stopped, and its end told, as if it had been started here."""
            process, _ = self.world.spawn("waits")
            self.world.lose()
            [left] = self.world.spawner.left()
            adopted, witness = self.world.adopt(left)
            verifyObject(IProcess, adopted)
            self.assertEqual((process.pid, []), (adopted.pid, witness.ends))
            adopted.stop("TERM")
            self.assertEqual([], witness.ends)
            end = await witness.ended
            assert isinstance(end, ProcessTerminated)
            self.assertEqual((None, 15), (end.exitCode, end.signal))

        @in_world
        async def test_adopted_and_killed(self) -> None:
            """It can be killed, too, and another one started in its place."""
            _, before = self.world.spawn("ignores TERM")
            await before.ready()
            self.world.lose()
            [left] = self.world.spawner.left()
            adopted, witness = self.world.adopt(left)
            adopted.stop("TERM")
            adopted.kill()
            await witness.ended
            process, after = self.world.spawn("waits", "other")
            self.assertNotEqual(adopted.pid, process.pid)
            process.kill()
            await after.ended

    return SpawnerTests


class FakeSpawnerTests(spawner_tests(FakeWorld)):  # type: ignore[misc]
    """The fake, in virtual time."""


class RealSpawnerTests(spawner_tests(RealWorld)):  # type: ignore[misc]
    """The real one, with real processes."""
