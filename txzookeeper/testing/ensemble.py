"""A real ensemble for tests: three Apache ZooKeepers on this machine, and all that befalls them.

Like `RealServer` everything here blocks: within a test, ``await deferToThread(ensemble.kill, 1)``.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha1
from pathlib import Path
from signal import Signals
from typing import Final

from txzookeeper.testing.apache import ApacheProcess
from txzookeeper.testing.process import DidNotStart, free_ports

SUPER: Final = "super:secret"
"""The digest of who may do everything on an ensemble, reconfigure it too."""

LOCAL_SESSIONS: Final = {"localSessionsEnabled": "true", "localSessionsUpgradingEnabled": "true"}
"""Settings with which a session belongs to one server only, until it has an ephemeral node."""

#: A follower is given up after two seconds of silence; the servers choose a leader in about one.
_SETTINGS: Final = {
    "initLimit": "20",
    "syncLimit": "4",
    "reconfigEnabled": "true",
    "standaloneEnabled": "false",
    "DigestAuthenticationProvider.superDigest": (
        f"super:{b64encode(sha1(SUPER.encode()).digest()).decode()}"
    ),
}
_OPTIONS: Final = ("-Xmx128m", "-Dreadonlymode.enabled=true")


class RealEnsemble:
    """Servers 1 to 3, of which any two suffice; they end with this process however it ends.

    ``settings`` go into each ``zoo.cfg``. Sessions last 1 to 10 seconds. A server that is cut off
    from the others turns read-only after about two seconds; it serves nobody then but with
    `LOCAL_SESSIONS`. It is a context manager: started on entry, gone on exit.
    """

    def __init__(self, settings: Mapping[str, str] | None = None, size: int = 3) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="txzookeeper-"))
        ports = free_ports(3 * size)
        self.members: dict[int, str] = {}
        self.processes: dict[int, ApacheProcess] = {}
        for number in range(1, size + 1):
            client, peer, election = (ports.pop() for _ in range(3))
            self.members[number] = f"127.0.0.1:{peer}:{election}:participant;127.0.0.1:{client}"
            self.processes[number] = ApacheProcess(
                self.directory / str(number), client, {**_SETTINGS, **(settings or {})}, _OPTIONS
            )
        for process in self.processes.values():
            process.settings |= {f"server.{each}": text for each, text in self.members.items()}

    @property
    def servers(self) -> str:
        """Where they all listen, as a client's ``servers`` argument."""
        return ",".join(map(self.server, self.processes))

    def server(self, number: int) -> str:
        """Where one of them listens, as a client's ``servers`` argument."""
        return f"127.0.0.1:{self.processes[number].port}"

    def start(self, timeout: float = 60.0) -> RealEnsemble:
        """Start those that do not run, and return once all serve requests with their quorum."""
        atexit.register(self.close)
        for number, process in self.processes.items():
            process.directory.mkdir(exist_ok=True)
            (process.directory / "data").mkdir(exist_ok=True)
            (process.directory / "data" / "myid").write_text(str(number))
            process.launch()
        self.roles(timeout)
        return self

    def stop(self, number: int) -> None:
        """Ask one to end, and wait until it did."""
        self.processes[number].end(Signals.SIGTERM)

    def kill(self, number: int) -> None:
        """End one in the middle of whatever it is doing."""
        self.processes[number].end()

    def restart(self, number: int, timeout: float = 60.0) -> None:
        """Kill one if it runs, start it on its old data, and wait until it serves with a quorum."""
        self.kill(number)
        self.processes[number].launch()
        self.processes[number].await_answer(timeout, "leader", "follower")

    def freeze(self, number: int) -> None:
        """Let one stand still: its connections stay open, and nothing on them is answered."""
        self.processes[number].send(Signals.SIGSTOP)

    def thaw(self, number: int) -> None:
        """Let one go on after `freeze`."""
        self.processes[number].send(Signals.SIGCONT)

    def roles(self, timeout: float = 60.0) -> tuple[int, list[int]]:
        """Wait until all serve requests with their quorum; give the leader and the followers.

        Raises `DidNotStart` if they do not within so many seconds.
        """
        pause = threading.Event()
        # One that stood still while it led believes for a moment that it does so still.
        complete = sorted(["leader", *["follower"] * (len(self.processes) - 1)])
        for _ in range(int(timeout / 0.05)):
            modes = [process.mode() or "" for process in self.processes.values()]
            if sorted(modes) == complete:
                found = dict(zip(modes, self.processes, strict=True))
                return found["leader"], [n for n in self.processes if n != found["leader"]]
            pause.wait(0.05)
        raise DidNotStart(f"The servers' modes are {modes}.")

    def close(self) -> None:
        """Kill them and remove their data."""
        for number in self.processes:
            self.kill(number)
        atexit.unregister(self.close)
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> RealEnsemble:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.close()
