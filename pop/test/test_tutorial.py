"""The tutorial that C{make run} shows is true, and cleans up behind itself."""

import os
import signal
import subprocess
import sys

import psutil
from kazoo.client import KazooClient
from twisted.trial.unittest import SynchronousTestCase

from pop.test.checkout import MISSING, ROOT
from pop.test.shells import free_port

STATE_DIR = "$ export POP_STATE_DIR="


class TutorialTests(SynchronousTestCase):
    """C{examples/tutorial.py} on an embedded ZooKeeper."""

    skip = MISSING or None

    def setUp(self) -> None:
        server = f"127.0.0.1:{self.start_zookeeper()}"
        zookeeper = KazooClient(server)
        self.addCleanup(zookeeper.close)
        self.addCleanup(zookeeper.stop)
        zookeeper.start()
        chroot = f"/{self.id()}"  # others may test at the same time
        zookeeper.ensure_path(chroot)
        self.addCleanup(zookeeper.delete, chroot, recursive=True)
        self.nodes = lambda: zookeeper.get_children(chroot)
        self.servers = f"{server}{chroot}"

    def start_zookeeper(self) -> int:
        """Start one that goes with the test, and give its port."""
        port = free_port()
        twistd = "from twisted.scripts.twistd import run; run()"
        endpoint = f"tcp:{port}:interface=127.0.0.1"
        words = ["zookeeper", "--data-dir", self.mktemp(), "--listen", endpoint]
        process = subprocess.Popen(
            [sys.executable, "-c", twistd, "--nodaemon", "--pidfile=", *words],
            stdout=subprocess.DEVNULL,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return port

    def start(self, *options: str) -> "subprocess.Popen[str]":
        """Start the tutorial, as one who has a namespace of his own."""
        process = subprocess.Popen(
            [sys.executable, "examples/tutorial.py", "--zookeeper", self.servers, *options],
            cwd=ROOT,
            env={**os.environ, "POP_PATH_PREFIX": "/must-not-be-touched"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return process

    def check_clean(self, output: str) -> None:
        """Nothing is left: no node, no process, no file."""
        self.assertNotIn("Traceback", output)
        self.assertEqual([], self.nodes())
        [line] = [line for line in output.splitlines() if line.startswith(STATE_DIR)]
        state_dir = line.removeprefix(STATE_DIR)
        self.assertFalse(os.path.exists(state_dir))
        self.assertEqual([], list(using(state_dir)))

    def test_once(self) -> None:
        """It runs to its end; the services answer."""
        process = self.start("--once")
        output, _ = process.communicate(timeout=120)
        self.assertEqual(0, process.returncode, output)
        for expected in (
            "$ pop init --force\n",
            "$ pop deploy web --wait\n",
            "<title>Directory listing for /</title>\n",
            "\nHello, pop!\n",
        ):
            self.assertIn(expected, output)
        self.check_clean(output)

    def interrupt(self, when: str, number: int) -> tuple[int, str]:
        """The exit status and the output of a tutorial that is interrupted after a line."""
        process = self.start()
        assert process.stdout is not None  # it is a pipe
        output = []
        for line in process.stdout:
            output.append(line)
            if when in line:
                process.send_signal(number)
                break
        output += process.stdout
        return process.wait(60), "".join(output)

    def test_interrupted(self) -> None:
        """Ctrl-C in the middle of it ends all that was started."""
        status, output = self.interrupt("$ pop deploy web", signal.SIGINT)
        self.assertEqual(130, status, output)
        self.check_clean(output)

    def test_ended(self) -> None:
        """Ctrl-C, or SIGTERM, while the agent is in the foreground is how it should end."""
        status, output = self.interrupt("Ctrl-C ends it all", signal.SIGTERM)
        self.assertEqual(0, status, output)
        self.assertIn("web: stopped (the agent stops)", output)
        self.check_clean(output)


def using(state_dir: str) -> "list[psutil.Process]":
    """The processes that were started for a state directory."""
    found = []
    for process in psutil.process_iter():
        try:
            if state_dir in process.environ().values():
                found.append(process)
        except psutil.Error:  # another user's, or gone
            continue
    return found
