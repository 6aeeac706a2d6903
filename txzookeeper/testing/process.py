"""A server in a process of its own, over a directory, which ends when this process does.

Everything here blocks and takes no reactor, so that it can run before there is one.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path
from signal import Signals
from typing import Final

#: Each process begins elsewhere, so that two of them do not choose the same port at once.
_PORTS: Final = count(10_000 + os.getpid() * 1_117 % 20_000)

#: The kernel takes the thread that started a process for its parent, so it has to live as long.
_LAUNCHER: Final = ThreadPoolExecutor(max_workers=1)


class DidNotStart(Exception):
    """The ZooKeeper server did not start; the end of its log says why."""


class Process:
    """A server's process, which serves ``port`` of the loopback interface from a directory."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str]:
        """Give the command that it is."""
        raise NotImplementedError

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
        if self._process is None:
            self.directory.mkdir(exist_ok=True)
            self._process = _started(self.command(), self.directory / "log")

    def await_answer(self, timeout: float, *modes: str) -> None:
        """Wait until it serves requests, in one of these modes if any are named.

        Raises `DidNotStart` if it ends, or does not within ``timeout`` seconds; then it is killed.
        """
        pause = threading.Event()
        for _ in range(int(timeout / 0.02)):
            if self._process is None or self._process.poll() is not None:
                break
            if (mode := self.mode()) and (mode in modes or not modes):
                return
            pause.wait(0.02)
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
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(word.encode())
                return b"".join(iter(lambda: connection.recv(4096), b"")).decode()
        except OSError:
            return ""

    def send(self, number: Signals) -> None:
        """Send it a signal, if it runs."""
        if self._process is not None:
            self._process.send_signal(number)

    def end(self, number: Signals = Signals.SIGKILL) -> int | None:
        """End it by a signal, and give its exit status once it has; its data stay."""
        if self._process is None:
            return None
        self._process.send_signal(number)
        self._process.send_signal(Signals.SIGCONT)
        status = self._process.wait()
        self._process = None
        return status


def _started(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Start a server that ends when this process does; what it prints is added to a file."""
    return _LAUNCHER.submit(_run, [*_dies_with_us(), *command], log).result()


def _run(command: Sequence[str], path: Path) -> subprocess.Popen[bytes]:
    with path.open("ab") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


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
