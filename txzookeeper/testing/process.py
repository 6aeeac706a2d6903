"""One Apache ZooKeeper in a Java of its own, over a directory, which ends when this process does.

Everything here blocks and takes no reactor, so that it can run before there is one.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path
from signal import Signals
from typing import Final

CLASS_PATH: Final = ("/etc/zookeeper/conf", "/usr/share/java/zookeeper.jar")
LOGGER: Final = "/usr/share/java/slf4j-simple.jar"
"""What prints ZooKeeper's warnings; where it is missing the log stays nearly empty."""

MAIN: Final = "org.apache.zookeeper.server.quorum.QuorumPeerMain"

#: Quick to start and to write. ``forceSync=no`` loses writes in a power cut, not in a ``kill -9``.
SETTINGS: Final[Mapping[str, str]] = {
    "tickTime": "500",
    "maxClientCnxns": "0",
    "admin.enableServer": "false",
    "4lw.commands.whitelist": "*",
    "extendedTypesEnabled": "true",
    "forceSync": "no",
    "preAllocSize": "1024",
}
#: Each process begins elsewhere, so that two of them do not choose the same port at once.
_PORTS: Final = count(10_000 + os.getpid() * 1_117 % 20_000)

JVM: Final = (
    "-Xshare:auto",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Dznode.container.checkIntervalMs=500",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)


#: The kernel takes the thread that started a process for its parent, so it has to live as long.
_LAUNCHER: Final = ThreadPoolExecutor(max_workers=1)


class DidNotStart(Exception):
    """The ZooKeeper server did not start; the end of its log says why."""


class Process:
    """A server's process; ``settings`` go into its ``zoo.cfg``, ``options`` to Java.

    ``settings`` may be changed until it is started first: afterwards its configuration is its own
    affair. It listens on ``port`` of the loopback interface, and keeps all below ``directory``.
    """

    def __init__(
        self,
        directory: Path,
        port: int,
        settings: Mapping[str, str],
        options: Sequence[str] = (),
        libraries: Sequence[str] = (),
    ) -> None:
        self.directory = directory
        self.port = port
        self.settings = {**SETTINGS, **settings}
        path = ":".join([*CLASS_PATH, LOGGER, *libraries])
        self._java = ["java", *JVM, *options, "-cp", path, MAIN]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What it has printed so far."""
        path = self.directory / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def pid(self) -> int | None:
        """The process's number, as long as it is to run."""
        return None if self._process is None else self._process.pid

    def launch(self) -> None:
        """Start it, and do not wait; nothing happens if it was started before."""
        if self._process is not None:
            return
        self.directory.mkdir(exist_ok=True)
        self._process = started([*self._java, self._config()], self.directory / "log")

    def await_answer(self, timeout: float, *modes: str) -> None:
        """Wait until it serves requests, in one of these modes if any are named.

        Raises `DidNotStart` if it ends, or does not within ``timeout`` seconds; then it is killed.
        """
        pause = threading.Event()
        for _ in range(int(timeout / 0.05)):
            if self._process is None or self._process.poll() is not None:
                break
            if (mode := self.mode()) and (mode in modes or not modes):
                return
            pause.wait(0.05)
        self.end()
        raise DidNotStart(self.log[-2000:])

    def mode(self) -> str | None:
        """Give how it serves: standalone, leader, follower or read-only; None if it does not."""
        # ``ruok`` says yes while the data are not loaded yet, ``srvr`` does not.
        answer = self.ask("srvr")
        return next(
            (line[6:] for line in answer.splitlines() if line.startswith("Mode: ")),
            None,
        )

    def ask(self, word: str) -> str:
        """Give the answer to one of the four-letter words; none is an empty answer."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(word.encode())
                return b"".join(iter(lambda: connection.recv(4096), b"")).decode()
        except OSError:
            return ""

    def send(self, number: Signals) -> None:
        """Send it a signal, if it runs."""
        if self._process is not None:
            self._process.send_signal(number)

    def end(self, number: Signals = Signals.SIGKILL) -> None:
        """End it, and wait until it has; its data stay."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.send_signal(Signals.SIGCONT)
            self._process.wait()
            self._process = None

    def _config(self) -> str:
        lines = {
            **self.settings,
            "dataDir": str(self.directory / "data"),
            "clientPort": str(self.port),
            "clientPortAddress": "127.0.0.1",
        }
        path = self.directory / "zoo.cfg"
        if not path.exists():
            path.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        return str(path)


def started(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Start a server that ends when this process does; what it prints is added to a file."""
    return _LAUNCHER.submit(_run, [*_dies_with_us(), *command], log).result()


def _run(command: Sequence[str], path: Path) -> subprocess.Popen[bytes]:
    with path.open("ab") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def available() -> bool:
    """Whether a ZooKeeper and a Java to run it are installed on this machine."""
    return shutil.which("java") is not None and all(os.path.exists(path) for path in CLASS_PATH)


def free_ports(number: int) -> list[int]:
    """Give ports of the loopback interface that nobody uses, and that this gives only once.

    They are none of those that the kernel gives to outgoing connections: such a connection to a
    server that is down could be given the server's own port, reach itself, and keep the port.
    """
    return list(islice((port for port in _PORTS if _is_free(port)), number))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _dies_with_us() -> list[str]:
    """The prefix of a command that makes the kernel kill it when this process is gone."""
    return ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
