"""A server of one's own: a process on a free port, over a directory that goes away with it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path
from signal import Signals
from typing import Self

from txzookeeper.testing.process import Process, free_ports


class OwnServer:
    """A standalone server, which ends with this process however this process ends.

    It is a context manager: started on entry, gone on exit. ``process`` is for who needs to know
    more of it than its address.
    """

    process: Process

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="txzookeeper-"))
        [self.port] = free_ports(1)

    @property
    def servers(self) -> str:
        """Where it listens, as a client's ``servers`` argument."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has printed so far."""
        return self.process.log

    def launch(self) -> None:
        """Start it, and do not wait."""
        atexit.register(self.close)
        self.process.launch()

    def start(self, timeout: float = 30.0) -> Self:
        """Start it on its port and data, and return once it serves requests."""
        self.launch()
        self.process.await_answer(timeout)
        return self

    def stop(self) -> int | None:
        """Ask it to end, and give its exit status once it did; its data stay."""
        return self.process.end(Signals.SIGTERM)

    def kill(self) -> None:
        """End it in the middle of whatever it is doing; its data stay."""
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
