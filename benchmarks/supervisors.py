"""The supervisors that are compared: pop, Supervisor and Circus, each running the same programs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from kazoo.client import KazooClient
from outside import gone, kill, pause, running

BIN = Path(sys.executable).parent
PATIENCE = 60.0
MACHINE = "bench"
_ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
"""All have their modules compiled, as they are where they are installed."""


class Party:
    """A supervisor, with a directory of its own and a number of programs, all of them ``sleep``."""

    name = ""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="supervise-"))
        self.process: subprocess.Popen[bytes] | None = None
        self._mark = f"{os.getpid()}.{ord(self.name[0])}"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self.process is not None
        return self.process.pid

    def program(self, number: int) -> list[str]:
        """Give the command of one program; no other process has the same."""
        return ["sleep", "1000000", f"{self._mark}{number:05}"]

    def is_program(self, argv: tuple[str, ...]) -> bool:
        """Whether these are the arguments of one of its programs."""
        return len(argv) == 3 and argv[2].startswith(self._mark)

    def programs(self) -> list[int]:
        """Give the processes of its programs."""
        return running(self.is_program)

    def process_of(self, number: int) -> int:
        """Give the process of one of its programs."""
        [pid] = running(lambda argv: list(argv[1:]) == self.program(number)[1:])
        return pid

    def prepare(self, count: int) -> None:
        """Write down that so many programs are wanted."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """Give what starts it in the foreground."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it, and do not wait."""
        with open(self.directory / "output", "ab") as output:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=_ENVIRONMENT,
                start_new_session=True,
            )

    def ask_to_stop(self) -> None:
        """Have it stop its programs, and end."""
        os.kill(self.pid, signal.SIGTERM)

    def end(self) -> None:
        """Wait until it has ended; kill what is left."""
        if self.process is None:
            return
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
        kill(self.programs())
        gone(self.programs, PATIENCE)

    def close(self) -> None:
        """End it, and remove its files."""
        with suppress(ProcessLookupError, AssertionError):
            self.ask_to_stop()
        self.end()
        shutil.rmtree(self.directory, ignore_errors=True)


class Pop(Party):
    """An agent, and a client that is not ours to see what it reports."""

    name = "pop"

    def __init__(self, servers: str) -> None:
        super().__init__()
        self._servers = servers
        self._client = KazooClient(servers)
        self._client.start()
        self._prefix = ""
        self._turn = 0

    def prepare(self, count: int) -> None:
        """Make a namespace and a state directory for them."""
        self._turn += 1
        self._prefix = f"/{self._turn}"
        wish = {"type": "command", "machines": [MACHINE]}
        services = {
            f"s{n}": {**wish, "settings": {"argv": " ".join(self.program(n))}} for n in range(count)
        }
        file = self.directory / "services.json"
        file.write_text(json.dumps({"services": services}))
        self._pop("init")
        self._pop("load", str(file))

    def _pop(self, *words: str) -> None:
        options = ["--zookeeper", self._servers, "--path-prefix", self._prefix]
        subprocess.run(
            [sys.executable, "-m", "pop", *options, *words],
            env=_ENVIRONMENT,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def command(self) -> list[str]:
        """Give what ``pop fg`` becomes."""
        return [
            *(sys.executable, str(BIN / "twistd"), "--nodaemon", "--pidfile=", "pop"),
            *("--zookeeper", self._servers, "--path-prefix", self._prefix),
            *("--state-dir", str(self.directory / str(self._turn)), "--machine-id", MACHINE),
        ]

    def succeed(self) -> None:
        """Kill the agent, and start another in its place; returns when that one is there."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.start()
        gone(lambda: self._registered() != self.pid, PATIENCE)

    def _registered(self) -> int | None:
        path = f"{self._prefix}/agents/{MACHINE}"
        if self._client.exists(path) is None:
            return None
        pid: int = json.loads(self._client.get(path)[0])["pid"]
        return pid

    def close(self) -> None:
        """End the client too."""
        super().close()
        self._client.stop()
        self._client.close()


class Supervisor(Party):
    """Supervisor, as it comes: each program has its log files."""

    name = "Supervisor"

    def prepare(self, count: int) -> None:
        """Write its configuration; it wants five open files for each program."""
        here = self.directory
        head = ["[supervisord]", f"logfile={here}/log", f"pidfile={here}/pid"]
        head += [f"childlogdir={here}", f"minfds={5 * count + 200}"]
        _write(
            here / "conf",
            head,
            (
                [f"[program:s{n}]", f"command={' '.join(self.program(n))}", "autorestart=true"]
                for n in range(count)
            ),
        )

    def command(self) -> list[str]:
        """Give what keeps it in the foreground."""
        script = str(BIN / "supervisord")
        return [sys.executable, script, "--nodaemon", "--configuration", f"{self.directory}/conf"]


class Circus(Party):
    """Circus, as it comes: its programs write where it does itself."""

    name = "Circus"

    def prepare(self, count: int) -> None:
        """Write its configuration."""
        here = self.directory
        sockets = [f"{key} = ipc://{here}/{key}" for key in ("endpoint", "pubsub_endpoint")]
        _write(
            here / "conf",
            ["[circus]", *sockets],
            ([f"[watcher:s{n}]", f"cmd = {' '.join(self.program(n))}"] for n in range(count)),
        )

    def command(self) -> list[str]:
        """Give what keeps it in the foreground."""
        return [sys.executable, str(BIN / "circusd"), str(self.directory / "conf")]

    def ask_to_stop(self) -> None:
        """Ask twice if need be: it does not hear a signal soon after it has started something."""
        super().ask_to_stop()
        for _ in range(50):
            if self.process is None or self.process.poll() is not None or not self.programs():
                return
            pause(0.1)
        super().ask_to_stop()


def _write(path: Path, head: list[str], sections: Iterable[list[str]]) -> None:
    path.write_text("\n\n".join("\n".join(lines) for lines in [head, *sections]) + "\n")


def versions() -> str:
    """Say which are compared."""
    return ", ".join(f"{name} {version(name)}" for name in ("pop", "supervisor", "circus"))
