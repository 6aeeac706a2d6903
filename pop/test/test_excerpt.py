"""What a program that failed wrote last is found in its log, and told by C{pop why}."""

import json
from dataclasses import replace
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pop.excerpt import LINES, LONGEST, REACH, of_failure
from pop.holes import NoHoles, require
from pop.journal import Entry, Journal
from pop.rotation import rotate
from pop.slots import filename
from pop.test.test_cli import CommandLineTestCase

WHEN = "2026-01-01T00:00:00.000Z"


class Runs:
    """A log to which one process after the other writes, and the journal's entries of that."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.directory.mkdir(parents=True)
        self.entries: list[Entry] = []

    def run(self, text: bytes, *, slot: str = "web", failures: int = 1) -> None:
        """A process begins, writes something, and ends."""
        log = self.log(slot)
        before = log.stat().st_size if log.exists() else 0
        self.entries.append(Entry(WHEN, slot, "stopped", "ready", log=before))
        with log.open("ab") as file:
            file.write(text)
        size = log.stat().st_size
        how = "exited with status 1"
        self.entries.append(
            Entry(WHEN, slot, "ready", "ready", how, exit=how, log=size, failures=failures)
        )

    def log(self, slot: str = "web") -> Path:
        """Where a slot's processes write."""
        return self.directory / filename(slot, ".log")

    def lines(self, last: int = 10) -> tuple[str, ...]:
        """What is found of the last failure."""
        found = of_failure(self.directory, self.entries, last)
        return found.lines if found else ()


class ExcerptTests(SynchronousTestCase):
    """One log, and what is told of it."""

    def setUp(self) -> None:
        self.runs = Runs(Path(self.mktemp()))

    def test_last_run(self) -> None:
        """It is of the run that failed, not of one before it nor of one that goes on now."""
        self.runs.run(b"one\n")
        self.runs.run(b"two\nthree\n")
        with self.runs.log().open("ab") as file:
            file.write(b"its successor is well\n")
        self.assertEqual(("two", "three"), self.runs.lines())

    def test_silent(self) -> None:
        """A run that wrote nothing is not given the words of another."""
        self.runs.run(b"one\n")
        self.runs.run(b"")
        self.assertEqual((), self.runs.lines())

    def test_whose(self) -> None:
        """Each process of a service has a log of its own."""
        self.runs.run(b"one\n")
        self.runs.run(b"two\n", slot="web/2")
        self.runs.run(b"", slot="web")
        self.assertEqual((), self.runs.lines())
        self.runs.run(b"three\n", slot="web/2")
        self.assertEqual(("three",), self.runs.lines())

    def test_no_failure(self) -> None:
        """What was asked to end, or did so long ago, needs no explanation."""
        self.runs.run(b"one\n")
        self.runs.run(b"two\n", failures=0)
        self.assertEqual(("one",), self.runs.lines())
        self.assertEqual((), self.runs.lines(last=1))

    def test_bounded(self) -> None:
        """A few lines of limited length, however much was written; no part of a line but of one
        that is too long."""
        lines = [f"{number} {'x' * 1000}" for number in range(2 * REACH // 1000)]
        self.runs.run("\n".join(lines).encode())
        self.assertEqual(tuple(line[:LONGEST] for line in lines[-LINES:]), self.runs.lines())
        self.runs.run(b"x" * 3 * REACH)
        self.assertEqual(("x" * LONGEST,), self.runs.lines())
        self.runs.run(b"x" * REACH + b"\nend\n")
        self.assertEqual(("end",), self.runs.lines())

    def test_text(self) -> None:
        """Empty lines are left out, and what is no text is shown as far as it is."""
        self.runs.run(b"\n\na \xff\r\n\n  b\n\n")
        self.assertEqual(("a \N{REPLACEMENT CHARACTER}", "  b"), self.runs.lines())

    def test_rotated(self) -> None:
        """What was rotated away meanwhile is not told, and the rest is found where it was."""
        self.runs.run(b"one\n" * 5000)
        with self.runs.log().open("r+b") as file:
            try:
                require(file.fileno())
            except NoHoles as error:
                self.skipTest(f"this file system cannot make holes: {error}")
        rotate(self.runs.log(), 1e9, 1 << 20)
        self.assertEqual((), self.runs.lines())
        self.runs.run(b"two\n")
        self.assertEqual(("two",), self.runs.lines())

    def test_rotated_in_its_midst(self) -> None:
        """Of a run whose first lines were rotated away the first one that is left is told too."""
        with self.runs.log().open("wb+") as file:
            try:
                require(file.fileno())
            except NoHoles as error:
                self.skipTest(f"this file system cannot make holes: {error}")
            file.write(b"one\n" * 5000)
        rotate(self.runs.log(), 1e9, 1 << 20)
        self.runs.run(b"two\nthree\n")
        self.runs.entries[0] = replace(self.runs.entries[0], log=0)
        self.assertEqual(("two", "three"), self.runs.lines())

    def test_of_another(self) -> None:
        """What was there when a process began is another's, though no journal has that one's end:
        the machine was switched off."""
        self.runs.run(b"one\n")
        del self.runs.entries[:]
        self.runs.run(b"two\n")
        self.assertEqual(("two",), self.runs.lines())

    def test_nobody_knows(self) -> None:
        """If it is not known where a run's words begin, none are told rather than another's."""
        self.runs.run(b"one\n")
        self.runs.run(b"two\n")
        del self.runs.entries[:3]
        self.assertEqual((), self.runs.lines())
        self.runs.run(b"three\n")
        del self.runs.entries[1]
        self.assertEqual(("three",), self.runs.lines())

    def test_older_journal(self) -> None:
        """Where no length of the log was noted, none is made up."""
        self.runs.run(b"one\n")
        self.runs.entries = [replace(each, log=None) for each in self.runs.entries]
        self.assertEqual((), self.runs.lines())

    def test_made_anew(self) -> None:
        """A log that was removed is missed by nobody; the next one is read from its beginning."""
        self.runs.run(b"one\ntwo\n")
        self.runs.log().unlink()
        self.assertEqual((), self.runs.lines())
        self.runs.log().write_bytes(b"x")
        self.assertEqual((), self.runs.lines())
        self.runs.log().unlink()
        self.runs.run(b"three\n")
        self.assertEqual(("three",), self.runs.lines())


class WhyTests(CommandLineTestCase):
    """C{pop why} on the machine itself, with neither agent nor ZooKeeper."""

    def setUp(self) -> None:
        super().setUp()
        self.runs = Runs(Path(self.state_dir) / "log")

    def why(self, *words: str) -> str:
        """What is told of the service."""
        journal = Journal(Path(self.state_dir) / "journal", Clock())
        for entry in self.runs.entries:
            journal.add(entry)
        journal.flush()
        return self.output(*words, "why", "web")

    def test_told(self) -> None:
        """The last words stand below the changes, and do nothing to a terminal."""
        self.runs.run(b"Error:\n\tno \x1b[2Jdisk\n")
        told = self.why()
        self.assertRegex(told, r"\n\nBefore it exited with status 1 \(.*\), web wrote:\n  Error:\n")
        self.assertIn("\n          no \\x1b[2Jdisk\n\nweb was ready", told)

    def test_nothing_to_tell(self) -> None:
        """Without them it is as before."""
        self.runs.run(b"")
        self.assertNotIn("wrote", self.why())

    def test_json(self) -> None:
        """Scripts get them line by line."""
        self.runs.run(b"one\ntwo\n")
        found = json.loads(self.why("--json"))
        self.assertEqual({"when": WHEN, "lines": ["one", "two"]}, found["wrote"])
        self.assertEqual([0, 8], [each["log"] for each in found["changes"]])
