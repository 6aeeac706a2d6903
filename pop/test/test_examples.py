"""The service types that the documentation shows work as it says."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pop.protocols.control import Lines, Request
from pop.protocols.notify import parse
from pop.test.checkout import MISSING, ROOT

SHOWN = ROOT / "examples" / "types" / "pop" / "services"
LAUNCH = """
import sys
from pop.catalogue import load_types
from pop.model import Service
launch = load_types().launch(Service("x", sys.argv[1], {"root": "/srv"}), "m")
print(*launch.program.argv[1:], dict(launch.program.state))
"""


class ThirdPartyTypesTests(SynchronousTestCase):
    """Service types that were dropped into a bare C{pop/services} on Python's path."""

    skip = MISSING

    def setUp(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="pop-types-"))
        self.addCleanup(shutil.rmtree, self.path)
        self.services = self.path / "pop" / "services"
        self.services.mkdir(parents=True)
        self.environment = {**os.environ, "PYTHONPATH": str(self.path)}

    def drop(self, module: str) -> None:
        """Install one of the examples."""
        shutil.copy(SHOWN / module, self.services)

    def run_python(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run Python where the types are installed."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.path,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def test_found(self) -> None:
        """The command line lists them, with settings made from their schemas."""
        self.drop("hello.py")
        self.drop("files.py")
        done = self.run_python("-m", "pop", "--json", "types")
        found = json.loads(done.stdout)
        self.assertEqual("", done.stderr)
        self.assertLessEqual({"hello", "files", "command"}, set(found))
        self.assertEqual("Hello!", found["hello"]["settings"]["greeting"]["default"])

    def test_a_broken_one(self) -> None:
        """One that does not import is named, with the reason, and the others load."""
        self.drop("hello.py")
        (self.services / "torn.py").write_text("import nothing_of_that_name\n")
        done = self.run_python("-m", "pop", "--json", "types")
        self.assertIn(str(self.services / "torn.py"), done.stderr)
        self.assertIn("nothing_of_that_name", done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        self.assertLessEqual({"hello", "command"}, set(json.loads(done.stdout)))

    def test_a_program(self) -> None:
        """A type that runs a program gets its settings and says what to execute."""
        self.drop("files.py")
        done = self.run_python("-c", LAUNCH, "files")
        expected = "-m http.server --directory /srv 8000 {'port': 8000}\n"
        self.assertEqual((expected, ""), (done.stdout, done.stderr))

    def run_task(self, task: str, *words: str) -> tuple[int, str, str, list[dict[str, Any]]]:
        """Run a task as an agent does: its status, what it printed, and what it told the agent."""
        here, there = socket.socketpair()
        with here, there:
            child = subprocess.Popen(
                [sys.executable, "-P", "-m", "pop.protocols.task"],
                cwd=self.path,
                env=self.environment,
                stdin=there.fileno(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            there.close()
            state, path = str(self.path), (str(self.path),)
            here.sendall(Request("pages", "web", "m1", task, words, {}, state, path).encode())
            out, err = child.communicate(timeout=60)
            told = Lines().feed(here.makefile("rb").read())
        return child.returncode, out, err, told

    def test_tasks(self) -> None:
        """A type's tasks do what they say."""
        self.drop("pages.py")
        (self.path / "files").mkdir()
        (self.path / "files" / "a.html").write_text("Hello!")
        status, _, err, told = self.run_task("publish", "files/a.html")
        self.assertEqual((0, ""), (status, err))
        self.assertEqual([{"progress": {"done": 1, "total": 1, "what": "a.html"}}], told)
        self.assertEqual("Hello!", (self.path / "a.html").read_text())
        status, _, err, _ = self.run_task("publish", "files/a.html")
        self.assertEqual((1, "There is a page a.html already.\n"), (status, err))
        self.assertEqual(0, self.run_task("publish", "files/a.html", "--replace")[0])
        self.assertIn("6 a.html\n", self.run_task("pages")[1])
        self.assertEqual([{"record": {"port": 8081}}], self.run_task("move", "8081")[3])

    def test_a_service_that_is_python(self) -> None:
        """It starts in a process of its own, says that it is ready and where, and serves."""
        self.drop("hello.py")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
            notices.bind(str(self.path / "notify"))
            notices.settimeout(60)
            child = subprocess.Popen(
                [sys.executable, "-m", "pop.protocols.child", "hello"],
                cwd=self.path,
                env={**self.environment, "NOTIFY_SOCKET": str(self.path / "notify")},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
            )
            self.addCleanup(child.wait)
            self.addCleanup(child.terminate)
            assert child.stdin is not None  # it is a pipe
            with child.stdin:
                hosted = {"settings": {"greeting": "Good morning!"}, "path": []}
                child.stdin.write(json.dumps(hosted).encode())
            notice = parse(notices.recv(65536))
        self.assertTrue(notice.ready)
        assert notice.state is not None  # a PythonType's is never missing
        connection = HTTPConnection("127.0.0.1", notice.state["port"], timeout=60)
        self.addCleanup(connection.close)
        connection.request("GET", "/")
        self.assertEqual(b"Good morning!", connection.getresponse().read())
