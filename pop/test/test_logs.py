"""Reading logs: the last lines, and what comes after them."""

from pathlib import Path
from random import Random

from pop.archives import archives, prune
from pop.lines import CHUNK
from pop.logs import LogReader, log_files
from pop.rotation import discard, rotate
from pop.test.test_rotation import NOW, RotationTestCase


class LogReaderTests(RotationTestCase):
    """One reader of one log."""

    def reader(self, lines: int | None) -> LogReader:
        """A reader that is closed in the end."""
        reader = LogReader(self.log, lines)
        self.addCleanup(reader.close)
        return reader

    def test_last_lines(self) -> None:
        """So many, from archives where the live file has too few; an unfinished one counts."""
        self.write(b"1\n2\n")
        rotate(self.log, NOW, 1000)
        self.write(b"3\n4\n")
        rotate(self.log, NOW + 1, 1000)
        self.write(b"5\n6")
        for lines, text in (
            (0, b""),
            (1, b"6"),
            (2, b"5\n6"),
            (3, b"4\n5\n6"),
            (5, b"2\n3\n4\n5\n6"),
            (9, b"1\n2\n3\n4\n5\n6"),
            (None, b"1\n2\n3\n4\n5\n6"),
        ):
            self.assertEqual(text, self.reader(lines).beginning(), lines)

    def test_more(self) -> None:
        """What is written later comes once, be it rotated before it is read or not."""
        self.write(b"old\n")
        reader = self.reader(0)
        self.assertEqual([b"", b""], [reader.beginning(), reader.more()])
        self.write(b"one\n")
        self.assertEqual(b"one\n", reader.more())
        self.write(b"two\n")
        rotate(self.log, NOW, 1000)
        self.write(b"three\n")
        self.assertEqual([b"two\n", b"three\n", b""], [reader.more() for _ in range(3)])
        self.write(b"four\n")
        rotate(self.log, NOW + 1, 1000)
        self.write(b"five\n")
        rotate(self.log, NOW + 2, 1000)
        self.assertEqual([b"four\nfive\n", b""], [reader.more(), reader.more()])

    def test_zeros_of_its_own(self) -> None:
        """Zeros that a program wrote are what they are."""
        reader = self.reader(None)
        self.write(b"text\n")
        self.assertEqual(b"text\n", reader.beginning())
        self.write(b"a\0\0b\n")
        self.assertEqual(b"a\0\0b\n", reader.more())

    def test_pruned(self) -> None:
        """What was thrown away before it was read is skipped."""
        reader = self.reader(None)
        self.write(b"one\n")
        self.assertEqual(b"one\n", reader.beginning())
        self.write(b"two\n")
        rotate(self.log, NOW, 1000)
        prune(self.log, 0)
        self.write(b"three\n")
        self.assertEqual([b"", b"three\n"], [reader.more(), reader.more()])

    def test_half_rotated(self) -> None:
        """What is just being taken out of the file is found in its archive, however far that is."""
        reader = self.reader(None)
        self.write(b"one\n")
        self.assertEqual(b"one\n", reader.beginning())
        self.write(b"two\n")
        rotate(self.log, NOW, 1000)
        [archive] = archives(self.log)
        inode = self.log.stat().st_ino
        archive.rename(archive.with_name(f"{archive.name[:-3]}.{inode}.0.8.whole"))
        self.log.write_bytes(b"one\n\0wo\nthree\n")
        self.assertEqual([b"two\n", b"three\n"], [reader.more(), reader.more()])
        self.assertEqual(b"one\ntwo\nthree\n", self.reader(None).beginning())

    def test_flood(self) -> None:
        """What was discarded before it was read is skipped; nothing is shown twice."""
        reader = self.reader(None)
        self.write(b"one\n")
        rotate(self.log, NOW, 1000)
        self.assertEqual(b"one\n", reader.beginning())
        self.write(b"two\nthree\n")
        discard(self.log, 5)
        self.assertEqual([b"", b"three\n"], [reader.more(), reader.more()])

    def test_made_anew(self) -> None:
        """A log that was removed and made again is read from its beginning, and one that is not yet
        there is waited for."""
        reader = self.reader(None)
        self.log.unlink()
        self.assertEqual([b"", b""], [reader.beginning(), reader.more()])
        self.write(b"one\n")
        self.assertEqual(b"one\n", reader.more())
        self.log.unlink()
        self.write(b"two\n")
        self.assertEqual([b"", b"two\n"], [reader.more(), reader.more()])

    def test_damaged_archive(self) -> None:
        """An archive that cannot be read keeps nobody from the rest."""
        self.write(b"one\n")
        rotate(self.log, NOW, 1000)
        archives(self.log)[0].write_bytes(b"rubbish")
        self.write(b"two\n")
        self.assertEqual(b"two\n", self.reader(None).beginning())

    def test_long_logs(self) -> None:
        """However long it is, and wherever it was cut, a text is the same; it comes in pieces."""
        chance = Random(6)
        text = b""
        for turn in range(4):
            long = b"\n".join(b"x" * chance.randrange(3000) for _ in range(90)) + b"\n"
            self.write(long)
            text += long
            if turn < 3:
                rotate(self.log, NOW + turn, 150_000)
        lines = text.split(b"\n")[:-1]
        for count in (1, 2, 89, 90, 91, 180, 181, 270, 300, 359, 360, 361):
            expected = b"\n".join(lines[-count:]) + b"\n"
            self.assertEqual(expected, self.reader(count).beginning(), count)
        reader = self.reader(None)
        reader.seek()
        pieces = []
        while not reader.caught_up:
            pieces.append(reader.more())
        self.assertEqual(text, b"".join(pieces))
        self.assertEqual(CHUNK, max(map(len, pieces)))

    def test_slow_reader(self) -> None:
        """A reader that is overtaken by rotations loses nothing, and does not hold it either."""
        reader = self.reader(0)
        reader.seek()
        text = b""
        for turn in range(3):
            more = b"".join(b"%d %d\n" % (turn, n) for n in range(20_000))
            self.write(more)
            text += more
            rotate(self.log, NOW + turn, 1 << 20)
        self.write(b"end\n")
        pieces = [reader.more()]
        while pieces[-1]:
            pieces.append(reader.more())
        self.assertEqual(text + b"end\n", b"".join(pieces))
        self.assertEqual(CHUNK, max(map(len, pieces)))

    def test_files(self) -> None:
        """The logs of a service's processes, and of no other's."""
        for name in ("web.log.2", "web.log.10", "web.log.log", "web2.log", "a[b].log.2"):
            self.log.with_name(name).touch()
        directory: Path = self.log.parent
        self.assertEqual(
            ["web", "web/2", "web/10"], [slot for slot, _ in log_files(directory, "web")]
        )
        self.assertEqual(["a[b]/2"], [slot for slot, _ in log_files(directory, "a[b]")])
        self.assertEqual([], log_files(directory, "nobody"))
