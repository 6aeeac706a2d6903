"""Tables, where nobody looks."""

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from pop.cli.output import local_time, table


class TableTests(SynchronousTestCase):
    """What goes into a pipe or a file."""

    def printed(self, headings: tuple[str, ...], *rows: tuple[str, ...]) -> list[str]:
        """The lines of a table."""
        with CliRunner().isolation() as streams:
            table(headings, rows)
        return streams[0].getvalue().decode().splitlines()

    def test_columns(self) -> None:
        """Columns begin below each other, however wide; nothing follows the last word."""
        self.assertEqual(
            ["NAME    N", "a       1", "bcdef", "中文    2"],
            self.printed(("NAME", "N"), ("a", "1"), ("bcdef", ""), ("中文", "2")),
        )

    def test_no_headings(self) -> None:
        """Where no column has a name, there is no line of names."""
        self.assertEqual(["a   b"], self.printed(("", ""), ("a", "b")))
        self.assertEqual(["A   B"], self.printed(("A", "B")))

    def test_one_line_each(self) -> None:
        """A row is one line, whatever others wrote into it, and nothing gets at the terminal."""
        self.assertEqual(["A", r"x\ny\x1b[2J"], self.printed(("A",), ("x\ny\x1b[2J",)))


class TimeTests(SynchronousTestCase):
    """Times, as they are shown."""

    def test_local_time(self) -> None:
        """A time is this machine's; what is none is shown as it is."""
        self.assertRegex(
            local_time("2026-01-01T12:00:00.000Z"), r"\A20\d\d-\d\d-\d\d \d\d:\d\d:00\Z"
        )
        self.assertEqual("soon", local_time("soon"))
