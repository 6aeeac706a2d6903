"""A real ZooKeeper for tests: one Java process on a free port, over a directory that goes away.

Everything here blocks and takes no reactor, so that it can run before there is one; inside a
trial test, ``await deferToThread(server.restart)`` keeps the reactor turning meanwhile.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import Signals
from typing import Self

from txzookeeper.testing.process import DidNotStart, Process, available, free_ports

HOW_TO_GET_ONE = "No ZooKeeper is installed here: apt-get install zookeeper brings one."
VARIABLE = "ZOOKEEPER_TEST_SERVERS"
SKIPPED = f"needs a real ZooKeeper: run it under `python -m txzookeeper.testing` or set {VARIABLE}"
"""Why a test is skipped that uses the server of the environment."""

NOT_INSTALLED = f"needs a real ZooKeeper. {HOW_TO_GET_ONE}"
"""Why one is skipped that starts a server of its own. These words are what `.ci/summary` finds."""

__all__ = [
    "HOW_TO_GET_ONE",
    "NOT_INSTALLED",
    "SKIPPED",
    "VARIABLE",
    "DidNotStart",
    "RealServer",
    "available",
    "real_servers",
]


def real_servers() -> str | None:
    """The servers that the environment offers for tests, as a client's ``servers`` argument."""
    return os.environ.get(VARIABLE) or None


class RealServer:
    """A standalone Apache ZooKeeper, which ends with this process however this process ends.

    ``settings`` go into its ``zoo.cfg``, over those of `txzookeeper.testing.process.SETTINGS`;
    ``libraries`` onto its class path, ``options`` to Java. Its sessions last 2 to 20 ticks: 1 to 10
    seconds. It is a context manager: started on entry, gone on exit.
    """

    def __init__(
        self,
        settings: Mapping[str, str] | None = None,
        libraries: Sequence[str] = (),
        options: Sequence[str] = ("-Xmx256m",),
    ) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="txzookeeper-"))
        [self.port] = free_ports(1)
        self.process = Process(self.directory, self.port, settings or {}, options, libraries)

    @property
    def servers(self) -> str:
        """Where it listens, as a client's ``servers`` argument."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has printed so far."""
        return self.process.log

    def start(self, timeout: float = 30.0) -> Self:
        """Start it on its port and data, and return once it serves requests."""
        atexit.register(self.close)
        self.process.launch()
        self.process.await_answer(timeout)
        return self

    def stop(self) -> None:
        """Ask it to end, and wait until it did; its data stays."""
        self.process.end(Signals.SIGTERM)

    def kill(self) -> None:
        """End it in the middle of whatever it is doing; its data stays."""
        self.process.end()

    def restart(self) -> Self:
        """Kill it, and start it again with the same data on the same port."""
        self.kill()
        return self.start()

    def pause(self) -> None:
        """Freeze it: connections stay open, nothing is answered, no session expires."""
        self.process.send(Signals.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self.process.send(Signals.SIGCONT)

    def close(self) -> None:
        """Kill it and remove its data."""
        self.kill()
        atexit.unregister(self.close)
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.close()
