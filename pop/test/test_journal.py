"""The journal has whole lines only, stays bounded, and hurts nobody when the disk is full."""

import os
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from pop.journal import Entry, Journal, read, recent, short
from pop.model import dump, loads

FIRST = Entry("2026-01-01T00:00:00.000Z", "web", "stopped", "ready", "deployed", pid=7)
LINES = [replace(FIRST, why=f"ä reason {number}", zxid=number) for number in range(5)]
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
NUMBERS = st.integers(1, 2**63)


def every(_: str) -> bool:
    """All slots."""
    return True


class JournalTestCase(SynchronousTestCase):
    """Gives journals in a directory of their own."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        self.path = self.directory / "journal"

    def journal(self, limit: int = 1 << 20) -> Journal:
        """A journal, as an agent that starts has it."""
        return Journal(self.path, self.clock, limit)

    def write(self, *entries: Entry, limit: int = 1 << 20) -> None:
        """Add entries, and let a turn of the reactor pass."""
        journal = self.journal(limit)
        for entry in entries:
            journal.add(entry)
        self.clock.advance(0)

    def found(self) -> list[Entry]:
        """All that can be read."""
        return read(self.path, every, 10_000)


class WritingTests(JournalTestCase):
    """What an agent writes."""

    def test_nothing(self) -> None:
        """Without a journal there is nothing to tell."""
        self.assertEqual([], self.found())
        self.assertEqual({}, recent(self.path, 3))

    def test_after_the_turn(self) -> None:
        """Nothing is written while an instance still has things to do; then all at once."""
        journal = self.journal()
        for entry in LINES:
            journal.add(entry)
        self.assertFalse(self.path.exists())
        self.clock.advance(0)
        self.assertEqual(LINES, self.found())
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_private(self) -> None:
        """Only its owner may read it."""
        self.write(FIRST)
        self.assertEqual(0o600, self.path.stat().st_mode & 0o777)

    def test_bounded(self) -> None:
        """It keeps to its limit, and the latest entries."""
        journal = self.journal(4096)
        for number in range(500):
            journal.add(replace(FIRST, zxid=number + 1))
            self.clock.advance(0)
            size = sum(path.stat().st_size for path in self.directory.iterdir())
            self.assertLess(size, 4096 + 512)
        zxids = [entry.zxid for entry in self.found()]
        self.assertEqual(list(range(501 - len(zxids), 501)), zxids)
        self.assertGreater(len(zxids), 10)

    def test_crash_at_each_byte(self) -> None:
        """Wherever a crash cut it off, what a successor writes begins a line of its own."""
        self.write(*LINES)
        whole = self.path.read_bytes()
        for end in range(len(whole) + 1):
            self.path.write_bytes(whole[:end])
            kept = whole[:end].count(b"\n")
            self.assertEqual(LINES[:kept], self.found()[:kept])
            self.write(FIRST)
            self.assertEqual([*LINES[:kept], FIRST], self.found())

    def test_crash_in_a_long_line(self) -> None:
        """So too when a line is longer than what is looked at in one go."""
        self.write(FIRST, replace(FIRST, why="x" * 20_000))
        whole = self.path.read_bytes()
        for end in (4095, 4096, 4097, 9000, len(whole) - 1):
            self.path.write_bytes(whole[:end])
            self.write(FIRST)
            self.assertEqual([FIRST, FIRST], self.found())

    def test_disk_trouble(self) -> None:
        """Trouble is said once; what was pending is written when it is over."""
        journal = self.journal()
        self.directory.rename(f"{self.directory}.away")
        with capturedLogs() as logged:
            for entry in LINES:
                journal.add(entry)
                self.clock.advance(0)
        self.assertEqual(1, len(logged))
        Path(f"{self.directory}.away").rename(self.directory)
        journal.add(FIRST)
        self.clock.advance(0)
        self.assertEqual([*LINES, FIRST], self.found())

    def test_link(self) -> None:
        """A link is not followed to where somebody wants it to go."""
        os.symlink("/dev/full", self.path)
        journal = self.journal()
        journal.add(FIRST)
        self.clock.advance(0)
        self.path.unlink()
        journal.flush()
        self.assertEqual([FIRST], self.found())


class ReadingTests(JournalTestCase):
    """What people get to see."""

    def test_chosen(self) -> None:
        """The last of the slots that are asked for."""
        other = replace(FIRST, slot="other")
        self.write(*LINES, other, FIRST)
        wanted = read(self.path, lambda slot: slot == "web", 2)
        self.assertEqual([LINES[-1], FIRST], wanted)
        self.assertEqual([other], read(self.path, lambda slot: slot == "other", 9))

    def test_recent(self) -> None:
        """The last few of each service, whichever process it was."""
        second = replace(FIRST, slot="web/2")
        self.write(*LINES, second, replace(FIRST, slot="a"))
        self.assertEqual([LINES[-1], second], recent(self.path, 2)["web"])

    def test_rotating_meanwhile(self) -> None:
        """What was just rotated is not read twice."""
        self.write(*LINES)
        data = self.path.read_bytes()
        Path(f"{self.path}.old").write_bytes(data)
        self.assertEqual(LINES, self.found())

    def test_foreign_lines(self) -> None:
        """Lines that are none of ours are passed over."""
        self.path.write_bytes(b'\xff\n{}\n7\n{"when": 1, "slot": 2, "before": 3, "after": 4}\n')
        self.assertEqual([], self.found())
        self.write(FIRST)
        self.assertEqual([FIRST], self.found())

    def test_short(self) -> None:
        """In short: the last few, cut to length, with a process's name where it has one."""
        long = replace(FIRST, slot="web/2", why="x" * 500)
        lines = short([*LINES, FIRST, long], 2, 100)
        self.assertEqual("2026-01-01T00:00:00.000Z stopped -> ready: deployed", lines[0])
        self.assertEqual((2, 100), (len(lines), len(lines[1])))
        self.assertIn("web/2: ", lines[1])

    @settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.builds(Entry, WORDS, WORDS, WORDS, WORDS, TEXTS, NUMBERS, TEXTS, NUMBERS))
    def test_any_entry(self, entry: Entry) -> None:
        """Whatever is in an entry, it is on a line of its own and comes back as it was."""
        line = dump(entry.to_object())
        self.assertNotIn(b"\n", line)
        self.assertEqual(entry, Entry.from_object(loads(line)))
