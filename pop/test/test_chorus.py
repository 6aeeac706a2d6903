"""Many logs become one text in which no line is lost, cut, or of nobody knows whom."""

import json
import os
from random import Random

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface.verify import verifyObject

from pop.cli.chorus import LONGEST, Chorus, Records
from pop.cli.sink import Sink
from pop.interfaces import IOutput


class ChorusTests(SynchronousTestCase):
    """What instances write, merged."""

    def setUp(self) -> None:
        self.text = b""

    def write(self, data: bytes) -> "Deferred[None]":
        """Take a piece of the text."""
        self.text += data
        return succeed(None)

    def chorus(self, *, machines: bool = False, slots: bool = False) -> Chorus:
        """One that writes here."""
        return Chorus(self.write, machines=machines, slots=slots)

    def test_alone(self) -> None:
        """One instance is not labelled, and what it writes is passed on as it comes."""
        voice = self.chorus().voice("m1")
        for piece in (b"one\ntw", b"o\nthr"):
            self.successResultOf(voice.write("web", piece))
        self.assertEqual(b"one\ntwo\nthr", self.text)

    def test_labels(self) -> None:
        """A label has what tells instances apart: the machine, the process, or both."""
        for machines, slots, label in (
            (True, False, b"m1 | "),
            (False, True, b"web/2 | "),
            (True, True, b"m1 web/2 | "),
        ):
            self.text = b""
            self.chorus(machines=machines, slots=slots).voice("m1").write("web/2", b"a\n\nb\n")
            self.assertEqual(label + b"a\n" + label + b"\n" + label + b"b\n", self.text)

    def test_whole_lines(self) -> None:
        """However pieces of different instances come, each line is whole, and none is lost, doubled
        or before another of the same instance."""
        for seed in range(50):
            chance = Random(seed)
            self.text = b""
            chorus = self.chorus(machines=True, slots=True)
            names = [(m, s) for m in ("m1", "m2") for s in ("web", "web/2")]
            said = {name: self._lines(chance) for name in names}
            left = {name: b"".join(lines) for name, lines in said.items()}
            while any(left.values()):
                machine, slot = chance.choice([name for name in names if left[name]])
                size = chance.randrange(1, 9)
                chorus.voice(machine).write(slot, left[machine, slot][:size])
                left[machine, slot] = left[machine, slot][size:]
            chorus.end()
            for (machine, slot), lines in said.items():
                label = f"{machine} {slot} | ".encode()
                heard = [each for each in self.text.splitlines(True) if each.startswith(label)]
                self.assertEqual(lines, [line.removeprefix(label) for line in heard], seed)
            self.assertEqual(sum(map(len, said.values())), self.text.count(b"\n"), seed)

    def _lines(self, chance: Random) -> list[bytes]:
        return [b"x" * chance.randrange(12) + b"%d\n" % n for n in range(chance.randrange(9))]

    def test_the_end(self) -> None:
        """What has no line end yet when all is over is printed as a line."""
        chorus = self.chorus(machines=True)
        chorus.voice("m1").write("web", b"half a li")
        self.assertEqual(b"", self.text)
        chorus.end()
        chorus.end()
        self.assertEqual(b"m1 | half a li\n", self.text)

    def test_one_more(self) -> None:
        """When a second process turns up, both are labelled from then on, on lines of their own."""
        voice = self.chorus().voice("m1")
        for slot, data in (("web", b"a\nb"), ("web/2", b"c\n"), ("web", b"d\n")):
            voice.write(slot, data)
        self.assertEqual(b"a\nb\nweb/2 | c\nweb | d\n", self.text)

    def test_one_more_machine(self) -> None:
        """So they are when a second machine does."""
        chorus = self.chorus()
        chorus.voice("m1").write("web", b"a\n")
        chorus.voice("m2").write("web", b"b\n")
        chorus.voice("m1").write("web", b"c\n")
        self.assertEqual(b"a\nm2 | b\nm1 | c\n", self.text)

    def test_endless_line(self) -> None:
        """A line without end is cut rather than kept in memory."""
        voice = self.chorus(machines=True).voice("m1")
        for _ in range(3):
            voice.write("web", b"x" * (LONGEST // 2 + 1))
        self.assertEqual(b"m1 | " + b"x" * (LONGEST + 2) + b"\n", self.text)

    def test_for_scripts(self) -> None:
        """For scripts, each line is a JSON object that tells whose it is."""
        chorus = Records(self.write)
        chorus.voice("m1").write("web/2", b'a\n\xff "b"\nc')
        chorus.end()
        lines = [json.loads(line) for line in self.text.splitlines()]
        whose = {"machine": "m1", "process": "web/2"}
        expected = [{**whose, "line": line} for line in ("a", '\ufffd "b"', "c")]
        self.assertEqual(expected, lines)

    def test_waits(self) -> None:
        """Who writes waits until there is room; a failure is told to whom it concerns."""
        waiting: Deferred[None] = Deferred()
        voice = Chorus(lambda data: waiting, machines=True, slots=False).voice("m1")
        verifyObject(IOutput, voice)
        written = voice.write("web", b"a\n")
        self.assertNoResult(written)
        waiting.errback(BrokenPipeError())
        self.failureResultOf(written, BrokenPipeError)


class SinkTests(TestCase):
    """Standard output, on pipes."""

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.reader, writer = os.pipe()
        self.addCleanup(self.close)
        self.sink = Sink(reactor, writer)
        self.addCleanup(os.close, writer)
        self.addCleanup(self.sink.close)

    def close(self) -> None:
        """Nobody reads any more."""
        if self.reader >= 0:
            os.close(self.reader)
        self.reader = -1

    async def test_written(self) -> None:
        """All is written, in order."""
        first, second = self.sink.write(b"a\n"), self.sink.write(b"b\n")
        await second
        self.assertTrue(first.called)
        self.assertEqual(b"a\nb\n", os.read(self.reader, 100))
        self.assertTrue(self.sink.write(b"").called)

    async def test_slow_reader(self) -> None:
        """More than a pipe holds is taken only when it is read, and nobody else waits for that."""
        data = os.urandom(1 << 20)
        done = self.sink.write(data)
        self.assertFalse(done.called)
        read = b""
        while len(read) < len(data):
            read += os.read(self.reader, 1 << 16)
        await done
        self.assertEqual(data, read)

    async def test_no_reader(self) -> None:
        """When the reader has gone, whoever writes is told."""
        self.close()
        await self.assertFailure(self.sink.write(b"a\n"), BrokenPipeError)
