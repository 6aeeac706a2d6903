"""C{pop logs}, on files of this machine: what it prints, and what it refuses."""

import os
import subprocess
import sys
from pathlib import Path

from pop.test.test_cli import CommandLineTestCase


class LogsTests(CommandLineTestCase):
    """A state directory with logs in it; there is no ZooKeeper, and no agent."""

    def setUp(self) -> None:
        super().setUp()
        self.directory = Path(self.state_dir) / "log"
        self.directory.mkdir(parents=True)
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("POP_")
        }
        self.environment |= {"POP_STATE_DIR": self.state_dir, "POP_MACHINE_ID": "m1"}
        self.environment |= {"POP_ZOOKEEPER": "127.0.0.1:1"}

    def write(self, name: str, lines: int) -> None:
        """A log of numbered lines."""
        text = "".join(f"line {number}\n" for number in range(lines))
        (self.directory / name).write_text(text)

    def run_pop(self, *words: str) -> tuple[int, str, str]:
        """A command in a process of its own: status, output and complaints."""
        done = subprocess.run(
            [sys.executable, "-m", "pop", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout, done.stderr

    def logs(self, *words: str) -> str:
        """What is printed of this machine's logs of the service."""
        status, out, err = self.run_pop("logs", "web", "--machine", "m1", *words)
        self.assertEqual((0, ""), (status, err))
        return out

    def test_last_lines(self) -> None:
        """The last hundred, as many as are asked for, or all."""
        self.write("web.log", 150)
        self.assertEqual(100, self.logs().count("\n"))
        self.assertEqual("line 148\nline 149\n", self.logs("-n", "2"))
        self.assertEqual("", self.logs("-n", "0"))
        self.assertEqual(150, self.logs("--all").count("\n"))

    def test_several_processes(self) -> None:
        """Each line tells whose it is."""
        self.write("web.log", 1)
        self.write("web.log.2", 2)
        self.assertEqual("web | line 0\nweb/2 | line 0\nweb/2 | line 1\n", self.logs())

    def test_unfinished_line(self) -> None:
        """What has no line end yet is shown, too."""
        (self.directory / "web.log").write_text("half a li")
        self.assertEqual("half a li", self.logs())
        self.write("web.log.2", 1)
        found = self.logs().splitlines()
        self.assertEqual(["web | half a li", "web/2 | line 0"], sorted(found))

    def test_no_zookeeper(self) -> None:
        """What is here is printed even if nobody knows where else the service is; that is said."""
        self.write("web.log", 1)
        status, out, err = self.run_pop("logs", "web")
        self.assertEqual((0, "line 0\n"), (status, out))
        self.assertRegex(err, r"\Apop: Only this machine's logs: No ZooKeeper answers.*\n\Z")

    def test_no_log(self) -> None:
        """A service that never ran here has none, whatever others are called."""
        self.write("web2.log", 1)
        status, out, err = self.run_pop("logs", "web", "--machine", "m1")
        self.assertEqual((1, ""), (status, out))
        self.assertRegex(err, r'\Apop: .*"pop status web" says where it runs\.\n\Z')
        self.assertIn("slash", self.refused("logs", "../log/web2"))

    def test_reader_gone(self) -> None:
        """Who reads may leave at any time."""
        self.write("web.log", 100_000)
        command = f"{sys.executable} -m pop logs web --machine m1 --all -f | head -1"
        done = subprocess.run(
            command, shell=True, env=self.environment, capture_output=True, text=True, timeout=60
        )
        self.assertEqual(("line 0\n", ""), (done.stdout, done.stderr))

    def test_misused(self) -> None:
        """Contradictions and numbers that are none."""
        self.assertIn("either", self.misused("logs", "web", "--all", "-n", "3"))
        self.misused("logs", "web", "-n", "-3")
        self.misused("logs")
