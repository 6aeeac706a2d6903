"""A log that is followed over connections that break is heard whole, and once."""

from random import Random

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from pop.cli.seam import KEPT, MOST, PATIENCE, Joined, Seam
from pop.interfaces import IOutput
from pop.test.scripted import Reader


class SeamTests(SynchronousTestCase):
    """One text, cut anywhere."""

    def test_any_cut(self) -> None:
        """Wherever it is cut, and however much of it is told again, it is heard whole and once."""
        for seed in range(100):
            chance = Random(seed)
            lines = [b"%d %d\n" % (n, chance.randrange(1000)) for n in range(2000)]
            text, seam, heard = b"".join(lines), Seam(), b""
            for _ in range(20):
                at = text.rfind(b"\n", 0, max(0, len(heard) - KEPT)) + 1
                end = min(len(text), at + chance.randrange(1, 9000))
                while at < end:
                    size = chance.randrange(1, 2000)
                    heard += seam.take(text[at : min(at + size, end)])
                    at = min(at + size, end)
                self.assertTrue(text.startswith(heard), seed)
                seam.cut()
            self.assertGreater(len(heard), 5000)

    def test_never_heard(self) -> None:
        """Where nothing was heard before, all is new."""
        seam = Seam()
        seam.cut()
        self.assertEqual(b"a\n", seam.take(b"a\n"))

    def test_written_anew(self) -> None:
        """If what was heard is nowhere in a great deal of text, all of that is new."""
        seam = Seam()
        seam.take(b"heard\n")
        seam.cut()
        self.assertEqual(b"", seam.take(b"x" * MOST))
        self.assertEqual(MOST + 1, len(seam.take(b"y")))
        self.assertEqual(b"z", seam.take(b"z"))


class JoinedTests(SynchronousTestCase):
    """All logs of a machine."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.reader = Reader()
        self.joined = Joined(self.reader, self.clock)

    def test_joined(self) -> None:
        """Each log is joined by itself; one that was not there before is new."""
        verifyObject(IOutput, self.joined)
        self.assertFalse(self.joined.heard)
        self.joined.write("web", b"a\nb")
        self.assertTrue(self.joined.heard)
        self.joined.cut()
        for slot, data in (("web", b"a\n"), ("web/2", b"c\n"), ("web", b"b\nd\n")):
            self.joined.write(slot, data)
        self.assertEqual(
            (b"a\nb\nd\n", b"c\n"), (self.reader.text("web"), self.reader.text("web/2"))
        )
        self.clock.advance(PATIENCE)
        self.assertEqual(b"a\nb\nd\n", self.reader.text("web"))

    def test_not_found(self) -> None:
        """What was heard is looked for some seconds, then what came since is written."""
        self.joined.write("web", b"a\n")
        self.joined.cut()
        self.joined.write("web", b"b\n")
        self.clock.advance(PATIENCE - 0.1)
        self.assertEqual(b"a\n", self.reader.text("web"))
        self.clock.advance(0.2)
        self.assertEqual(b"a\nb\n", self.reader.text("web"))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_cut_again(self) -> None:
        """A connection that breaks before that leaves nothing behind."""
        self.joined.write("web", b"a\n")
        self.joined.cut()
        self.joined.write("web", b"b\n")
        self.joined.cut()
        self.assertEqual([], self.clock.getDelayedCalls())
