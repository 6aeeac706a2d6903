"""Being told of writes, by the real kernel."""

import os
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from pop.stirring import by_inotify


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
