"""Rotating logs: on real files, amid real writers, killed at any instant."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from pop.archives import archives, prune
from pop.holes import NoHoles, first_data, require
from pop.logs import LogReader
from pop.rotation import recover, rotate
from pop.test.writers import Writers

NOW = 1_000_000_000.0
_ROTATOR = """
import sys
from itertools import count
from pathlib import Path
from pop.rotation import rotate
log = Path(sys.argv[1])
for turn in count():
    try:
        rotate(log, 1e9 + turn, 50_000)
    except FileNotFoundError:
        pass
"""


def contents(log: Path) -> bytes:
    """All that a log has, archives first."""
    reader = LogReader(log, None)
    try:
        return reader.beginning()
    finally:
        reader.close()


class RotationTestCase(SynchronousTestCase):
    """A log in a directory of its own."""

    def setUp(self) -> None:
        directory = Path(self.mktemp())
        directory.mkdir()
        self.log = directory / "web.log"
        self.log.touch()
        descriptor = os.open(self.log, os.O_RDWR)
        self.addCleanup(os.close, descriptor)
        try:
            require(descriptor)
        except NoHoles as error:
            self.skipTest(f"this file system cannot make holes: {error}")

    def write(self, data: bytes) -> None:
        """Append."""
        with self.log.open("ab") as file:
            file.write(data)

    def live(self) -> bytes:
        """What the live file itself contains, zeros left out."""
        return self.log.read_bytes().lstrip(b"\0")


class RotationTests(RotationTestCase):
    """One rotation after the other."""

    def test_lines_so_far(self) -> None:
        """What is there becomes an archive, up to the end of a line; the rest stays."""
        self.write(b"one\ntwo\nthr")
        self.assertTrue(rotate(self.log, NOW, 1000))
        self.assertEqual(b"thr", self.live())
        self.write(b"ee\n")
        self.assertEqual(b"one\ntwo\nthree\n", contents(self.log))
        self.assertEqual(
            ["web.log-20010909T014640.000000Z.gz"], [path.name for path in archives(self.log)]
        )

    def test_nothing_to_do(self) -> None:
        """Without a whole line there is nothing to archive."""
        self.assertFalse(rotate(self.log, NOW, 1000))
        self.write(b"half a li")
        self.assertFalse(rotate(self.log, NOW, 1000))
        self.assertEqual([], archives(self.log))

    def test_endless_line(self) -> None:
        """What has no line end is cut once there is as much of it as an archive may have."""
        self.write(b"." * 2500)
        self.assertTrue(rotate(self.log, NOW, 1000))
        self.assertEqual(b"." * 1500, self.live())

    def test_parts(self) -> None:
        """An archive holds so much at most; names are in the order of time, even at one moment."""
        self.write(b"".join(b"line %04d\n" % number for number in range(100)))
        while rotate(self.log, NOW, 200):
            pass
        self.assertEqual(5, len(archives(self.log)))
        self.assertEqual(b"", self.live())
        self.assertEqual([b"line %04d" % n for n in range(100)], contents(self.log).splitlines())

    def test_room(self) -> None:
        """The room is given back."""
        self.write(b"x" * 99 + b"\n")
        self.write((b"x" * 99 + b"\n") * 20_000)
        before = self.log.stat().st_blocks
        rotate(self.log, NOW, 1 << 30)
        self.assertLess(self.log.stat().st_blocks, before / 100)

    def test_room_of_many(self) -> None:
        """However often a log is rotated, nothing stays of what was, not even its zeros.

        They would take room, and have to be read at each look to find where the log begins.
        """
        for number in range(40):
            self.write(b"line %04d\n" % number * 900)
            rotate(self.log, NOW, 1 << 30)
        with self.log.open("rb") as file:
            found = os.lseek(file.fileno(), 0, os.SEEK_DATA)
            status = os.fstat(file.fileno())
        self.assertLess(status.st_size - found, 2 * status.st_blksize)
        self.assertLess(status.st_blocks * 512, 3 * status.st_blksize)

    def test_offsets(self) -> None:
        """Where something is in the live file, it stays."""
        self.write(b"x" * 99_999 + b"\n")
        rotate(self.log, NOW, 1 << 30)
        self.write(b"y")
        with self.log.open("rb") as file:
            self.assertEqual(
                (100_001, 100_000), (self.log.stat().st_size, first_data(file.fileno()))
            )

    def test_prune(self) -> None:
        """The oldest go."""
        for number in range(5):
            self.write(b"%d\n" % number)
            rotate(self.log, NOW + number, 1000)
        prune(self.log, 6)
        self.assertEqual(5, len(archives(self.log)))
        prune(self.log, 2)
        self.assertEqual(b"3\n4\n", contents(self.log))
        prune(self.log, 0)
        self.assertEqual([], archives(self.log))

    def test_strangers_files(self) -> None:
        """Another service's archives, whatever it is called, are not touched."""
        other = self.log.with_name("web.log-20010909T014640.000000Z.gz.log")
        other.write_bytes(b"mine\n")
        self.write(b"one\n")
        rotate(self.log, NOW, 1000)
        prune(self.log, 0)
        self.assertEqual(b"mine\n", other.read_bytes())


class CrashTests(RotationTestCase):
    """A rotation that somebody did not survive."""

    def test_unfinished_archive(self) -> None:
        """A draft is thrown away."""
        self.write(b"one\n")
        draft = self.log.with_name("web.log-20010909T014640.000000Z.part")
        draft.write_bytes(b"rubbish")
        recover(self.log)
        self.assertFalse(draft.exists())
        self.assertEqual(b"one\n", contents(self.log))

    def test_log_made_anew(self) -> None:
        """What is to be punched out of a file that is gone is not punched out of its successor."""
        self.write(b"one\n")
        rotate(self.log, NOW, 1000)
        [archive] = archives(self.log)
        inode = self.log.stat().st_ino + 1
        archive.rename(archive.with_name(f"{archive.name[:-3]}.{inode}.0.4.whole"))
        self.write(b"two\n")
        recover(self.log)
        self.assertEqual(b"one\ntwo\n", contents(self.log))

    def test_killed_at_any_instant(self) -> None:
        """No line is lost, doubled or cut by C{kill -9}, while others write at full speed."""
        chance = random.Random(1)
        writers = Writers(self.log, "ab", 20_000)
        kills = 0
        while writers.writing() or kills < 15:
            rotator = subprocess.Popen([sys.executable, "-c", _ROTATOR, str(self.log)])
            try:
                rotator.wait(0.05 + chance.random() * 0.1)
            except subprocess.TimeoutExpired:
                kills += 1
            rotator.send_signal(signal.SIGKILL)
            rotator.wait()
            recover(self.log)
        self.assertEqual([], writers.missing(contents(self.log)))


class WritersTests(RotationTestCase):
    """Writers at full speed, and a reader that follows them."""

    def test_nothing_lost(self) -> None:
        """Every line is archived or live, once and whole; the reader has seen each of them."""
        reader = LogReader(self.log, None)
        self.addCleanup(reader.close)
        read = [reader.beginning()]
        writers = Writers(self.log, "abc", 10_000)
        turn = 0
        while writers.writing():
            turn += 1
            rotate(self.log, NOW + turn, 100_000)
            read.append(reader.more())
        while data := reader.more():
            read.append(data)
        self.assertEqual([], writers.missing(b"".join(read)))
        self.assertEqual([], writers.missing(contents(self.log)))
        self.assertTrue(archives(self.log))
