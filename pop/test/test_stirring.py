"""Being told of writes, by the real kernel."""

import os
from pathlib import Path

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from pop.stirring import Forget, Stir, Stirred, Watch, by_inotify, unwatched


def notifiers() -> int:
    """How many of them this process has open."""
    names = (os.path.realpath(path) for path in Path("/proc/self/fd").iterdir())
    return sum("inotify" in name for name in names)


class InotifyTests(TestCase):
    """A directory with one file."""

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        self.file = self.directory / "web.log"
        self.file.touch()
        self.watch = by_inotify(reactor)
        self.before = notifiers()

    def expect(self) -> "Deferred[None]":
        """Fires when something is told; twice would raise."""
        told: Deferred[None] = Deferred()
        forget = self.watch(self.directory, lambda: told.callback(None))
        self.assertIsNotNone(forget)
        if forget:
            self.addCleanup(forget)
        return told

    async def test_written(self) -> None:
        """A write is told once, and nothing is left open."""
        told = self.expect()
        with self.file.open("ab") as file:
            for _ in range(3):
                file.write(b"line\n")
                file.flush()
            await told
        self.assertEqual(self.before, notifiers())

    async def test_made(self) -> None:
        """A new file is told."""
        told = self.expect()
        (self.directory / "other.log").touch()
        await told

    def test_forgotten(self) -> None:
        """Who waits no more is told nothing, and nothing is left open; twice is no harm."""
        told: list[None] = []
        forget = self.watch(self.directory, lambda: told.append(None))
        assert forget is not None
        forget()
        forget()
        self.file.write_bytes(b"line\n")
        self.assertEqual(([], self.before), (told, notifiers()))

    def test_nowhere(self) -> None:
        """A directory that is not there cannot be watched: one has to look."""
        self.assertIsNone(self.watch(self.directory / "none", lambda: None))
        self.assertEqual(self.before, notifiers())


class StirTests(SynchronousTestCase):
    """The next time that something is written."""

    def setUp(self) -> None:
        """Have a clock, and a directory that somebody watches."""
        self.clock = Clock()
        self.told: list[Stirred] = []
        self.forgotten: list[bool] = []

    def watch(self, directory: Path, stirred: Stirred) -> Forget:
        """Somebody can tell."""
        self.told.append(stirred)
        return lambda: self.forgotten.append(True)

    def stir(self, watch: Watch) -> tuple[Stir, "Deferred[None]"]:
        """Wait for it."""
        stir = Stir(watch, Path("log"), self.clock, 0.1)
        return stir, Deferred.fromCoroutine(stir.wait())

    def test_told(self) -> None:
        """Who waits goes on when somebody tells, and not before."""
        _, waiting = self.stir(self.watch)
        self.clock.advance(1000)
        self.assertNoResult(waiting)
        self.told[0]()
        self.successResultOf(waiting)
        self.assertEqual([], self.forgotten)

    def test_told_before(self) -> None:
        """What has come before anybody waits counts."""
        stir = Stir(self.watch, Path("log"), self.clock, 0.1)
        self.told[0]()
        self.successResultOf(Deferred.fromCoroutine(stir.wait()))

    def test_nobody_tells(self) -> None:
        """Where nobody can tell, one waits for a while."""
        _, waiting = self.stir(unwatched)
        self.assertNoResult(waiting)
        self.clock.advance(0.1)
        self.successResultOf(waiting)

    def test_given_up(self) -> None:
        """Who gives up has it forgotten."""
        for watch in (self.watch, unwatched):
            stir, waiting = self.stir(watch)
            waiting.cancel()
            self.failureResultOf(waiting, CancelledError)
            stir.close()
        self.assertEqual([True], self.forgotten)
        self.assertEqual([], self.clock.getDelayedCalls())
