"""``twistd zookeeper`` as an operator meets it: a process, its words and its exit status."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from select import select
from signal import Signals

from twisted.trial.unittest import SynchronousTestCase

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
        command = self.server.command(*options)
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
            (("--tick=x",), "--tick must be a whole number"),
            (("--max-connections=-1",), "--max-connections must be"),
            (("--nonsense",), "not recognized"),
            (("more",), "Wrong number of arguments"),
            (("--export=a", "--import=b"), "either"),
            (("--data-dir=",), "--data-dir"),
        ]:
            end = self.run_command(*options)
            self.assertEqual((end.status, end.said.count("\n")), (2, 0), end.said)
            self.assertIn(said, end.said)

    def test_endpoints(self) -> None:
        """What cannot be listened on is told: strings, files, and ports in use."""
        for endpoint, said in [
            ("tcp:x", "invalid literal"),
            ("nonsense:1", "Unknown endpoint type"),
            ("ssl:0:privateKey=/no/key", "No such file"),
            ("tcp:1:interface=192.0.2.1", "annot assign requested address"),
        ]:
            self.assertIn(said, self.refused(f"--listen={endpoint}"))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            said = self.refused(f"--listen=tcp:{port}:interface=127.0.0.1")
        self.assertIn(f"on tcp:{port}:interface=127.0.0.1: Address already in use.", said)

    def test_directories(self) -> None:
        """A data directory that cannot be used is told, with the reason."""
        (self.here / "file").touch()
        (self.here / "apache" / "version-2").mkdir(parents=True)
        for name, said in [("file", "Not a directory"), ("apache", "of an Apache ZooKeeper")]:
            self.assertIn(said, self.refused(data=self.here / name))

    def test_in_use(self) -> None:
        """A second server on the same data is told which process has them."""
        self.server.start()
        self.assertIn(f"(process {self.server.pid})", self.refused("--listen=tcp:0"))
        self.assertIn("in use", self.refused("--export=-"))
        self.assertEqual(self.server.ask("ruok"), "imok")

    def test_damaged(self) -> None:
        """A damaged file is told, and left as it is."""
        self.server.data.mkdir()
        path = self.server.data / "tree.sqlite"
        for content in (b"junk" * 2000, b"SQLite format 3\0" + b"\xff" * 5000):
            path.write_bytes(content)
            self.assertIn("is damaged", self.refused("--listen=tcp:0"))
            self.assertEqual(path.read_bytes(), content)

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
            self.assertEqual(self.server.end(number), 0)
            files = {path.name for path in self.server.data.iterdir()}
            self.assertEqual(files, {"lock", "tree.sqlite"})
        self.assertNotIn("Traceback", self.server.log)

    def test_in_the_background(self) -> None:
        """In the background it serves, holds its directory, and ends."""
        command = self.server.command(f"--listen=tcp:{self.server.port}:interface=127.0.0.1")
        command.remove("--nodaemon")
        command[command.index("--pidfile=")] = "--pidfile=pid"
        subprocess.run(command, cwd=self.here, check=True, timeout=60, stdin=subprocess.DEVNULL)
        pid = int((self.here / "pid").read_text())
        self.addCleanup(_end, pid)
        self.assertEqual(self.server.ask("ruok"), "imok")
        self.assertIn(f"(process {pid})", self.refused("--listen=tcp:0"))


def _end(pid: int) -> None:
    """End a process that is nobody's child, and wait until it has."""
    descriptor = os.pidfd_open(pid)
    os.kill(pid, Signals.SIGTERM)
    select([descriptor], [], [], 30)
    os.close(descriptor)
