"""The embedded server in a process of its own, as strangers meet it.

Everything here blocks and takes no reactor.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from txzookeeper.testing.process import DidNotStart, free_ports

_RUN: Final = "import sys; sys.argv[0] = 'twistd'; from twisted.scripts.twistd import run; run()"


class Served:
    """``twistd zookeeper`` on a free port, over a directory that goes away with it.

    Its sessions last 1 to 10 seconds, as those of `txzookeeper.testing.RealServer`.
    """

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="txzookeeper-"))
        [self.port] = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def servers(self) -> str:
        """Where it listens, as a client's ``servers`` argument."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Start it on its port and data, and return once it answers; raises `DidNotStart`."""
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        pause = threading.Event()
        while not self._answers():
            if self._process.poll() is not None:
                raise DidNotStart((self.directory / "log").read_text(errors="replace"))
            pause.wait(0.02)
        return self

    def kill(self) -> None:
        """End it in the middle of whatever it is doing; its data stay."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Kill it, and remove its data."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _command(self) -> list[str]:
        listen = f"tcp:{self.port}:interface=127.0.0.1"
        return [
            *(sys.executable, "-c", _RUN, "--nodaemon", f"--pidfile={self.directory / 'pid'}"),
            *("zookeeper", f"--data-dir={self.directory / 'data'}", f"--listen={listen}"),
            *("--tick=500", "--max-connections=0"),
        ]

    def _answers(self) -> bool:
        address = ("127.0.0.1", self.port)
        with suppress(OSError), socket.create_connection(address, timeout=5) as connection:
            connection.sendall(b"ruok")
            return connection.recv(4) == b"imok"
        return False
