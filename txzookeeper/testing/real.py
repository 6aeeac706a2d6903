"""A real ZooKeeper for tests: one Java process on a free port, over a directory that goes away.

Everything here blocks and takes no reactor, so that it can run before there is one; inside a
trial test, ``await deferToThread(server.restart)`` keeps the reactor turning meanwhile.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

CLASS_PATH = ("/etc/zookeeper/conf", "/usr/share/java/zookeeper.jar")
MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
HOW_TO_GET_ONE = "No ZooKeeper is installed here: apt-get install zookeeper brings one."
VARIABLE = "ZOOKEEPER_TEST_SERVERS"
SKIPPED = f"needs a real ZooKeeper: run it under `python -m txzookeeper.testing` or set {VARIABLE}"

#: Quick to start and to write. ``forceSync=no`` loses writes in a power cut, not in a ``kill -9``.
SETTINGS = {
    "tickTime": "500",
    "maxClientCnxns": "0",
    "admin.enableServer": "false",
    "4lw.commands.whitelist": "*",
    "extendedTypesEnabled": "true",
    "forceSync": "no",
    "preAllocSize": "1024",
}
JVM = ("-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m")


class DidNotStart(Exception):
    """The ZooKeeper server did not start; the end of its log says why."""


def real_servers() -> str | None:
    """The servers that the environment offers for tests, as a client's ``servers`` argument."""
    return os.environ.get(VARIABLE) or None


def available() -> bool:
    """Whether a ZooKeeper and a Java to run it are installed on this machine."""
    return shutil.which("java") is not None and all(os.path.exists(path) for path in CLASS_PATH)


class RealServer:
    """A standalone Apache ZooKeeper, which ends with this process however this process ends.

    ``settings`` go into its ``zoo.cfg``, over those of `SETTINGS`. Its sessions last 2 to 20
    ticks: 1 to 10 seconds. It is a context manager: started on entry, gone on exit.
    """

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="txzookeeper-"))
        self.port = _free_port()
        self._settings = {**SETTINGS, **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def servers(self) -> str:
        """Where it listens, as a client's ``servers`` argument."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has printed so far."""
        return (self.directory / "log").read_text(errors="replace")

    def start(self, timeout: float = 30.0) -> RealServer:
        """Start it on its port and data, and return once it serves requests."""
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_dies_with_us(), "java", *JVM, "-cp", ":".join(CLASS_PATH), MAIN, self._config()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        atexit.register(self.close)
        self._await_answer(self._process, timeout)
        return self

    def stop(self) -> None:
        """Ask it to end, and wait until it did; its data stays."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it in the middle of whatever it is doing; its data stays."""
        self._end(signal.SIGKILL)

    def restart(self) -> RealServer:
        """Kill it, and start it again with the same data on the same port."""
        self.kill()
        return self.start()

    def pause(self) -> None:
        """Freeze it: connections stay open, nothing is answered, no session expires."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """Kill it and remove its data."""
        self.kill()
        atexit.unregister(self.close)
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> RealServer:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _config(self) -> str:
        lines = {
            **self._settings,
            "dataDir": str(self.directory / "data"),
            "clientPort": str(self.port),
            "clientPortAddress": "127.0.0.1",
        }
        path = self.directory / "zoo.cfg"
        path.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        return str(path)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.send_signal(signal.SIGCONT)
            self._process.wait()
            self._process = None

    def _await_answer(self, process: subprocess.Popen[bytes], timeout: float) -> None:
        pause = threading.Event()
        for _ in range(int(timeout / 0.05)):
            if process.poll() is not None:
                break
            if _serves(self.port):
                return
            pause.wait(0.05)
        self.kill()
        raise DidNotStart(self.log[-2000:])


def _dies_with_us() -> list[str]:
    """The prefix of a command that makes the kernel kill it when this process is gone."""
    return ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _serves(port: int) -> bool:
    """Whether the server has loaded its data: ``ruok`` says yes a little too early, so ``srvr``."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"srvr")
            return b"Mode:" in b"".join(iter(lambda: connection.recv(4096), b""))
    except OSError:
        return False
