"""What an agent keeps for the next one."""

import os
import stat
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from pop.files import File, IFile, Record
from pop.testing import FakeFile

MINE = {"machine": "m1"}


class FileTests(SynchronousTestCase):
    """What a file promises."""

    def make(self) -> IFile:
        """The file under test, which is not there yet."""
        self.path = Path(self.mktemp())
        return File(self.path)

    def test_kept(self) -> None:
        """What was written last is read."""
        file = self.make()
        self.assertEqual(None, file.read())
        for data in (b"first", b"", b"second"):
            file.write(data)
            self.assertEqual(data, file.read())

    def test_removed(self) -> None:
        """What was removed is gone, and what is not there can be removed."""
        file = self.make()
        file.write(b"first")
        for _ in range(2):
            file.remove()
            self.assertEqual(None, file.read())


class FakeFileTests(FileTests):
    """The same promises, kept by the fake."""

    def make(self) -> IFile:
        """The fake."""
        return FakeFile()


class RealFileTests(SynchronousTestCase):
    """What only a real file promises."""

    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        self.path = self.directory / "note"
        self.file = File(self.path)

    def test_private(self) -> None:
        """Nobody else can read it, whatever the umask, and nothing else is left beside it."""
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        self.file.write(b"secret")
        self.assertEqual(0o600, stat.S_IMODE(self.path.stat().st_mode))
        self.assertEqual(["note"], os.listdir(self.directory))

    def test_whole(self) -> None:
        """A write that cannot be done leaves what was there."""
        self.file.write(b"first")
        (self.directory / "note.new").mkdir()
        self.assertRaises(OSError, self.file.write, b"second")
        self.assertEqual(b"first", self.file.read())

    def test_no_trap(self) -> None:
        """It does not write through a link that somebody has laid."""
        elsewhere = self.directory / "elsewhere"
        (self.directory / "note.new").symlink_to(elsewhere)
        self.assertRaises(OSError, self.file.write, b"secret")
        self.assertFalse(elsewhere.exists())


class RecordTests(SynchronousTestCase):
    """A value for one owner."""

    def setUp(self) -> None:
        self.file = FakeFile()
        self.record = Record("note", self.file, MINE)

    def test_kept(self) -> None:
        """The next one of the same owner reads it; when it is removed, nobody does."""
        self.record.write({"a": [1]})
        self.assertEqual({"a": [1]}, Record("note", self.file, MINE).read())
        self.record.remove()
        self.assertEqual(None, Record("note", self.file, MINE).read())

    def test_foreign(self) -> None:
        """Others pass it over."""
        self.record.write({"a": [1]})
        self.assertEqual(None, Record("note", self.file, {"machine": "m2"}).read())

    def test_damaged(self) -> None:
        """So does everybody if it makes no sense."""
        for data in (b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000):
            self.file.data = data
            self.assertEqual(None, self.record.read(), data[:10])

    def test_unchanged(self) -> None:
        """The same value once more is not written."""
        self.record.write({"a": 1})
        self.file.data = b"mark"
        self.record.write({"a": 1})
        self.assertEqual(b"mark", self.file.data)

    def test_full(self) -> None:
        """Where there is no room for it the log says so, and it is tried again the next time."""
        self.file.full = True
        self.record.write(1)
        self.file.full = False
        self.record.write(1)
        self.assertEqual(1, self.record.read())
