"""C{pop logs}, on files: what it prints, and what it refuses."""

from pathlib import Path

from pop.test.test_cli import CommandLineTestCase


class LogsTests(CommandLineTestCase):
    """A state directory with logs in it."""

    def setUp(self) -> None:
        super().setUp()
        self.directory = Path(self.state_dir) / "log"
        self.directory.mkdir(parents=True)

    def write(self, name: str, lines: int) -> None:
        """A log of numbered lines."""
        text = "".join(f"line {number}\n" for number in range(lines))
        (self.directory / name).write_text(text)

    def test_last_lines(self) -> None:
        """The last hundred, as many as are asked for, or all."""
        self.write("web.log", 150)
        self.assertEqual(100, self.output("logs", "web").count("\n"))
        self.assertEqual("line 148\nline 149\n", self.output("logs", "web", "-n", "2"))
        self.assertEqual(150, self.output("logs", "web", "--all").count("\n"))

    def test_several_processes(self) -> None:
        """Each line tells whose it is."""
        self.write("web.log", 1)
        self.write("web.log.2", 2)
        self.assertEqual(
            "web | line 0\nweb/2 | line 0\nweb/2 | line 1\n", self.output("logs", "web")
        )

    def test_unfinished_line(self) -> None:
        """What has no line end yet is shown, too."""
        self.write("web.log.2", 1)
        (self.directory / "web.log").write_text("half a li")
        self.assertEqual("web | half a li\nweb/2 | line 0\n", self.output("logs", "web"))

    def test_no_log(self) -> None:
        """A service that never ran here has none, whatever others are called."""
        self.write("web2.log", 1)
        said = self.refused("logs", "web")
        self.assertIn('"pop status web" says where it runs', said)
        self.assertIn("slash", self.refused("logs", "../log/web2"))

    def test_misused(self) -> None:
        """Contradictions and numbers that are none."""
        self.assertIn("either", self.misused("logs", "web", "--all", "-n", "3"))
        self.misused("logs", "web", "-n", "-3")
        self.misused("logs")
