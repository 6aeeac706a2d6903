"""``twistd zookeeper`` as an operator meets it: a process, its words and its exit status."""

from __future__ import annotations

import os
import socket
import subprocess
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from select import select
from signal import Signals

from twisted.trial.unittest import SynchronousTestCase

from txzookeeper.tap import Options
from txzookeeper.testing.embedded import EmbeddedProcess


class Finished:
    """A command that has ended: its status, and what it said."""

    def __init__(self, process: subprocess.CompletedProcess[str]) -> None:
        self.status = process.returncode
        self.said = process.stderr.strip()
        self.out = process.stdout


class CommandTests(SynchronousTestCase):
    """Commands that end by themselves, and servers that are ended."""

    def setUp(self) -> None:
        self.server = EmbeddedProcess()
        self.addCleanup(self.server.close)
        self.here = self.server.directory

    def run_command(self, *options: str, data: Path | None = None) -> Finished:
        """Run it with these options, to its end."""
        command = self.server.process.command_with(*options)
        if data is not None:
            command[-1 - len(options)] = f"--data-dir={data}"
        return Finished(
            subprocess.run(
                command, cwd=self.here, capture_output=True, text=True, timeout=60, check=False
            )
        )

    def refused(self, *options: str, data: Path | None = None) -> str:
        """Give the one sentence that says why it ends with status 1."""
        end = self.run_command(*options, data=data)
        self.assertEqual((end.status, end.said.count("\n")), (1, 0), end.said)
        self.assertTrue(end.said.startswith("zookeeper: "), end.said)
        return end.said

    def test_help(self) -> None:
        """The help says what it is for, and where Apache ZooKeeper takes over."""
        end = self.run_command("--help")
        self.assertEqual(end.status, 0)
        words = " ".join(end.out.split())
        for sentence in ("on this machine", "run an ensemble of Apache ZooKeeper"):
            self.assertIn(sentence, words)

    def test_wrong_usage(self) -> None:
        """What cannot be understood is told, with status 2."""
        for options, said in [
            (["--tick=x"], "--tick must be a whole number"),
            (["--max-connections=-1"], "--max-connections must be"),
            (["--nonsense"], "not recognized"),
            (["more"], "Wrong number of arguments"),
            (["--export=a", "--import=b"], "either"),
            (["--data-dir="], "--data-dir"),
        ]:
            with redirect_stderr(StringIO()) as words, self.assertRaises(SystemExit) as end:
                Options().parseOptions(["--data-dir=d", *options])
            self.assertEqual(end.exception.code, 2)
            self.assertIn(said, words.getvalue())

    def test_endpoint(self) -> None:
        """A port in use is told."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            said = self.refused(f"--listen=tcp:{port}:interface=127.0.0.1")
        self.assertIn(f"on tcp:{port}:interface=127.0.0.1: Address already in use.", said)

    def test_in_use(self) -> None:
        """A second server on the same data is told which process has them."""
        self.server.start()
        self.assertIn(f"(process {self.server.process.pid})", self.refused("--listen=tcp:0"))
        self.assertIn("in use", self.refused("--export=-"))
        self.assertEqual(self.server.process.ask("ruok"), "imok")

    def test_damaged(self) -> None:
        """A damaged file is told, and left as it is."""
        self.server.process.data.mkdir()
        path = self.server.process.data / "tree.sqlite"
        path.write_bytes(b"junk" * 2000)
        self.assertIn("is damaged", self.refused("--listen=tcp:0"))
        self.assertEqual(path.read_bytes(), b"junk" * 2000)

    def test_transfer(self) -> None:
        """A tree is exported and imported by command."""
        self.server.start()
        self.server.stop()
        end = self.run_command("--export=tree.json")
        self.assertEqual((end.status, end.out), (0, "4 nodes are in tree.json.\n"))
        other = self.here / "other"
        end = self.run_command("--import=tree.json", data=other)
        self.assertEqual((end.status, end.out), (0, f"4 nodes are in {other}.\n"))
        end = self.run_command("--export=-", data=other)
        self.assertEqual(end.out, (self.here / "tree.json").read_text())
        self.assertIn("has data in it", self.refused("--import=tree.json", data=other))

    def test_ended(self) -> None:
        """Ctrl-C and a request to end are no failures, and leave no journal to be read."""
        for number in (Signals.SIGTERM, Signals.SIGINT):
            self.server.start()
            self.assertEqual(self.server.process.end(number), 0)
            files = {path.name for path in self.server.process.data.iterdir()}
            self.assertEqual(files, {"lock", "tree.sqlite"})
        self.assertNotIn("Traceback", self.server.log)

    def test_in_the_background(self) -> None:
        """In the background it serves, holds its directory, and ends."""
        command = self.server.process.command_with(
            f"--listen=tcp:{self.server.port}:interface=127.0.0.1"
        )
        command.remove("--nodaemon")
        command[command.index("--pidfile=")] = "--pidfile=pid"
        subprocess.run(command, cwd=self.here, check=True, timeout=60, stdin=subprocess.DEVNULL)
        pid = int((self.here / "pid").read_text())
        self.addCleanup(_end, pid)
        self.assertEqual(self.server.process.ask("ruok"), "imok")
        self.assertIn(f"(process {pid})", self.refused("--listen=tcp:0"))


def _end(pid: int) -> None:
    """End a process that is nobody's child, and wait until it has."""
    descriptor = os.pidfd_open(pid)
    os.kill(pid, Signals.SIGTERM)
    select([descriptor], [], [], 30)
    os.close(descriptor)
