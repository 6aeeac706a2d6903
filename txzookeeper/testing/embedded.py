"""The embedded server in a process of its own: ``twistd zookeeper`` on a free port.

Everything here blocks and takes no reactor, so that it can run before there is one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from txzookeeper.testing.own_server import OwnServer
from txzookeeper.testing.process import Process

TWISTD: Final = "import sys; sys.argv[0] = 'twistd'; from twisted.scripts.twistd import run; run()"


class TwistdProcess(Process):
    """A ``twistd zookeeper`` in the foreground; ``options`` are those of its plugin."""

    def __init__(self, directory: Path, port: int, options: Sequence[str]) -> None:
        super().__init__(directory, port)
        self._options = options

    @property
    def data(self) -> Path:
        """Its data directory."""
        return self.directory / "data"

    def command(self) -> Sequence[str]:
        """Give the command of the server that listens on its port."""
        listen = f"--listen=tcp:{self.port}:interface=127.0.0.1"
        return self.command_with(listen, *self._options)

    def command_with(self, *options: str) -> list[str]:
        """Give the command of a server on the same data, with these options and no others."""
        return [
            *(sys.executable, "-c", TWISTD, "--nodaemon", "--pidfile="),
            *("zookeeper", f"--data-dir={self.data}", *options),
        ]


class EmbeddedProcess(OwnServer):
    """An embedded server; ``options`` are those of its plugin.

    Its sessions last 2 to 20 ``tick`` ms.
    """

    process: TwistdProcess

    def __init__(self, options: Sequence[str] = (), tick: int = 500) -> None:
        super().__init__()
        intervals = (f"--tick={tick}", f"--containers={tick}")
        known = [*intervals, "--max-connections=0", *options]
        self.process = TwistdProcess(self.directory, self.port, known)
