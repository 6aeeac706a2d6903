"""The embedded server in a process of its own: ``twistd zookeeper`` on a free port.

Everything here blocks and takes no reactor, so that it can run before there is one.
"""

from __future__ import annotations

import atexit
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from signal import Signals
from typing import Final, Self

from txzookeeper.testing.process import DidNotStart, free_ports, started

TWISTD: Final = "import sys; sys.argv[0] = 'twistd'; from twisted.scripts.twistd import run; run()"


class EmbeddedProcess:
    """A server over a directory that goes away with it; ``options`` are those of its plugin.

    It ends with this process. Its sessions last 2 to 20 ``tick`` ms. It is a context manager:
    started on entry, gone on exit.
    """

    def __init__(self, options: Sequence[str] = (), tick: int = 500) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="txzookeeper-"))
        [self.port] = free_ports(1)
        intervals = (f"--tick={tick}", f"--containers={tick}")
        self._options = [*intervals, "--max-connections=0", *options]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def servers(self) -> str:
        """Where it listens, as a client's ``servers`` argument."""
        return f"127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        """Its data directory."""
        return self.directory / "data"

    @property
    def log(self) -> str:
        """What it has printed so far."""
        path = self.directory / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def pid(self) -> int | None:
        """The process's number, as long as it is to run."""
        return None if self._process is None else self._process.pid

    def command(self, *options: str) -> list[str]:
        """Give the command of a server in the foreground, with these options more."""
        return [
            *(sys.executable, "-c", TWISTD, "--nodaemon", "--pidfile="),
            *("zookeeper", f"--data-dir={self.data}", *options),
        ]

    def launch(self) -> None:
        """Start it, and do not wait; nothing happens if it was started before."""
        if self._process is not None:
            return
        atexit.register(self.close)
        command = self.command(f"--listen=tcp:{self.port}:interface=127.0.0.1", *self._options)
        self._process = started(command, self.directory / "log")

    def start(self, timeout: float = 30.0) -> Self:
        """Start it on its port and data, and return once it answers; raises `DidNotStart`."""
        self.launch()
        assert self._process is not None
        pause = threading.Event()
        for _ in range(int(timeout / 0.01)):
            if self._process.poll() is not None:
                break
            if self.ask("ruok"):
                return self
            pause.wait(0.01)
        self.kill()
        raise DidNotStart(self.log[-2000:])

    def ask(self, word: str) -> str:
        """Give the answer to one of the four-letter words; none is an empty answer."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(word.encode())
                return b"".join(iter(lambda: connection.recv(4096), b"")).decode()
        except OSError:
            return ""

    def end(self, number: Signals) -> int | None:
        """End it by a signal, and give its exit status; its data stay."""
        if self._process is None:
            return None
        self._process.send_signal(number)
        status = self._process.wait()
        self._process = None
        return status

    def stop(self) -> int | None:
        """Ask it to end, wait until it did, and give its exit status."""
        return self.end(Signals.SIGTERM)

    def kill(self) -> None:
        """End it in the middle of whatever it is doing."""
        self.end(Signals.SIGKILL)

    def restart(self) -> Self:
        """Kill it, and start it again with the same data on the same port."""
        self.kill()
        return self.start()

    def close(self) -> None:
        """Kill it and remove its data."""
        self.kill()
        atexit.unregister(self.close)
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.close()
