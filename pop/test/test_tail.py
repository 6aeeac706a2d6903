"""The logs of all of a service's processes, read in turns."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from pop.lines import CHUNK
from pop.tail import ROUND, Tail


class TailTests(SynchronousTestCase):
    """Logs in a directory of their own."""

    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.directory.mkdir()

    def write(self, name: str, data: bytes) -> None:
        """A process writes."""
        with (self.directory / name).open("ab") as file:
            file.write(data)

    def tail(self, lines: int | None = None) -> Tail:
        """A reader that is at the last lines."""
        tail = Tail(self.directory, "web", lines)
        self.addCleanup(tail.close)
        self.assertTrue(tail.begin())
        return tail

    def test_none(self) -> None:
        """That a service has no log is said at once; other services' logs are none of its own."""
        self.write("web2.log", b"1\n")
        tail = Tail(self.directory, "web", None)
        self.addCleanup(tail.close)
        self.assertFalse(tail.begin())
        self.assertEqual([], tail.more(False))

    def test_last_lines(self) -> None:
        """Of each process so many lines come as were asked for, with its slot, in order."""
        for name in ("web.log.10", "web.log.2", "web.log"):
            self.write(name, b"1\n2\n3\n")
        slots = ("web", "web/2", "web/10")
        self.assertEqual([(slot, b"2\n3\n") for slot in slots], self.tail(2).more(False))
        self.assertEqual([(slot, b"1\n2\n3\n") for slot in slots], self.tail().more(False))

    def test_end(self) -> None:
        """Who does not follow reads to where the logs ended when it began, and no further."""
        self.write("web.log", b"1\n")
        tail = self.tail()
        self.assertEqual([("web", b"1\n")], tail.more(False))
        self.write("web.log", b"2\n")
        self.assertEqual([], tail.more(False))

    def test_followed(self) -> None:
        """Who follows has what is new, also if there were no old lines to be shown."""
        self.write("web.log", b"1\n")
        tail = self.tail(0)
        self.assertEqual([], tail.more(True))
        self.write("web.log", b"2\n")
        self.assertEqual([("web", b"2\n")], tail.more(True))

    def test_newcomers(self) -> None:
        """The log of a process that comes later is followed from its beginning."""
        self.write("web.log", b"1\n")
        tail = self.tail(0)
        self.write("web.log.2", b"2\n")
        self.assertEqual([[], [("web/2", b"2\n")]], [tail.more(True), tail.more(True)])

    def test_not_followed(self) -> None:
        """Who does not follow waits for no newcomers."""
        self.write("web.log", b"1\n")
        tail = self.tail(0)
        self.write("web.log.2", b"2\n")
        self.assertEqual([[], []], [tail.more(False), tail.more(False)])

    def test_turns(self) -> None:
        """One long log does not keep the others waiting, and little of it is held at a time."""
        self.write("web.log", b"x" * (2 * ROUND * CHUNK))
        self.write("web.log.2", b"2\n")
        tail = self.tail()
        first = tail.more(False)
        self.assertEqual(ROUND * [("web", CHUNK)], [(slot, len(data)) for slot, data in first[:-1]])
        self.assertEqual(("web/2", b"2\n"), first[-1])
        self.assertEqual(ROUND * [("web", b"x" * CHUNK)], tail.more(False))
        self.assertEqual([], tail.more(False))

    def test_closed(self) -> None:
        """Once closed, it reads nothing more, and looks for no newcomers; be it closed twice."""
        self.write("web.log", b"1\n")
        tail = self.tail()
        tail.close()
        tail.close()
        self.write("web.log.2", b"2\n")
        self.assertEqual([[], []], [tail.more(True), tail.more(True)])
