"""The world of the chaos: two machines in this one, their way to a ZooKeeper, what they run."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from pop.statedir import StateDirectory
from pop.test.chaos_sight import PROGRAM, Seen, look
from txzookeeper import ManagedClient
from txzookeeper.errors import ConnectionLossException, NoNodeException, ZooKeeperException
from txzookeeper.testing import Proxy, RealServer

TWISTD = "from twisted.scripts.twistd import run; run()"
SESSION = 4.0
GRACE = 1.0
MANNERS = {"plain": 1, "stubborn": 1, "family": 1, "ready": 1, "many": 2, "careful": 1}
"""What runs, and how many processes of it there are on each machine."""
CAREFUL = "careful"
"""The one that stops while ZooKeeper is away."""


@dataclass
class Wish:
    """What is wanted of a service.

    @ivar changed: when that was changed last, or may have been.
    """

    version: int = 0
    generation: int = 0
    run: bool = True
    machines: set[str] = field(default_factory=set)
    changed: float = 0.0

    def on(self, machine: str) -> bool:
        """Whether it should run there."""
        return self.run and machine in self.machines


@dataclass
class Trouble:
    """Whether something is wrong, for any number of reasons.

    @ivar since: when it became so, or when it was over.
    """

    reasons: int = 0
    since: float = 0.0

    def more(self, reasons: int, now: float) -> None:
        """There is one reason more, or one less."""
        before, self.reasons = self.reasons, self.reasons + reasons
        if not (before and self.reasons):
            self.since = now


class Machine:
    """A machine: an agent, and its way to ZooKeeper.

    @ivar ill: whether its agent cannot work.
    @ivar cut: whether it cannot get through to ZooKeeper.
    @ivar full: whether there is no room for its logs.
    @ivar unsure: whether nobody knows if it gets through, as ZooKeeper is just starting.
    """

    def __init__(self, reactor: Any, id: str, directory: Path, servers: str) -> None:
        self.id = id
        self.state_dir = directory / id
        self.way = Proxy(reactor, servers)
        self.agent: subprocess.Popen[bytes] | None = None
        self.ill, self.cut, self.full = Trouble(), Trouble(), Trouble()
        self.unsure = Trouble()
        self.mounted = False
        self._output = directory / f"{id}.out"

    def well_since(self) -> float | None:
        """When the last of its troubles was over; L{None} while there are some."""
        every = (self.ill, self.cut, self.full, self.unsure)
        return None if any(each.reasons for each in every) else max(each.since for each in every)

    @property
    def log(self) -> Path:
        """Where its logs lie."""
        return self.state_dir / "log"

    def prepare(self) -> None:
        """Listen, and have the logs on a small disk of their own if that is possible."""
        self.way.accept_connections()
        StateDirectory(self.state_dir).make()
        words = ["mount", "-t", "tmpfs", "-o", "size=32m,mode=0700", "chaos", str(self.log)]
        with suppress(OSError):
            self.mounted = (
                os.geteuid() == 0
                and not subprocess.run(words, stderr=subprocess.DEVNULL, check=False).returncode
            )

    def start(self) -> None:
        """Start its agent, which has ended."""
        words = ["--nodaemon", "--pidfile=", "pop", "--session-timeout", f"{SESSION}"]
        options = ["--zookeeper", self.way.servers, "--machine-id", self.id]
        with open(self._output, "ab") as output:
            self.agent = subprocess.Popen(
                [sys.executable, "-c", TWISTD, *words, *options, "--state-dir", self.state_dir],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def signal(self, number: signal.Signals) -> None:
        """Send its agent a signal."""
        assert self.agent is not None
        self.agent.send_signal(number)

    def fill(self) -> None:
        """Leave no room on the disk of its logs."""
        room = os.statvfs(self.log)
        with open(self.log / "filler", "wb") as filler, suppress(OSError):
            os.posix_fallocate(filler.fileno(), 0, room.f_bavail * room.f_frsize)

    def make_room(self) -> None:
        """Let logs grow again."""
        (self.log / "filler").unlink(missing_ok=True)

    def last_words(self) -> str:
        """Give the end of what its agents have said."""
        return "\n".join(self._output.read_text(errors="replace").splitlines()[-60:])

    def close(self) -> None:
        """End its agent, whatever it does."""
        if self.agent is not None:
            self.agent.kill()
            self.agent.wait()
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.log)], check=False)


class World:
    """All there is.

    @ivar mark: what all of its processes have among their arguments.
    @ivar story: what was done, and when.
    """

    def __init__(self, reactor: Any, directory: Path, seed: int) -> None:
        self.clock: IReactorTime = reactor
        self.mark = f"pop-chaos-{os.getpid()}-{seed}"
        self.story: list[str] = []
        self.server = RealServer()
        self.machines = {
            name: Machine(reactor, name, directory, self.server.servers) for name in ("m1", "m2")
        }
        self.counts = directory / "counts"
        self.wishes = {name: Wish() for name in MANNERS}
        self.client = ManagedClient(
            self.server.servers, session_timeout=10_000, reactor=reactor, random=Random(seed)
        )
        self._began = self.clock.seconds()

    def tell(self, what: str) -> None:
        """Note what is done."""
        self.story.append(f"{self.clock.seconds() - self._began:8.3f}  {what}")

    @contextmanager
    def trouble(self, what: str, *troubles: Trouble) -> Iterator[None]:
        """Something is wrong meanwhile."""
        self.tell(what)
        for each in troubles:
            each.more(1, self.clock.seconds())
        try:
            yield
        finally:
            for each in troubles:
                each.more(-1, self.clock.seconds())
            self.tell(f"over: {what}")

    def cut_all(self) -> list[Trouble]:
        """The trouble that all have when ZooKeeper has."""
        return [machine.cut for machine in self.machines.values()]

    def unsure_all(self) -> list[Trouble]:
        """What says that it may be here or not."""
        return [machine.unsure for machine in self.machines.values()]

    def summary(self) -> str:
        """Say in short what there was."""
        written = [int.from_bytes(each.read_bytes(), "little") for each in self.counts.iterdir()]
        machines = self.machines.values()
        archives = sum(len(list(machine.log.glob("*.gz"))) for machine in machines)
        disk = "" if all(machine.mounted for machine in machines) else " (full disks take root)"
        return (
            f"{len(self.story)} events{disk}, with {len(written)} processes and their"
            f" {sum(written):,} lines, in {archives} archives and the live logs"
        )

    async def begin(self) -> None:
        """Start everything, with every service on every machine."""
        self.counts.mkdir()
        await deferToThread(self.server.start)
        await self.client.connect()
        for root in ("/machines", "/services", "/agents"):
            await self.client.create(root)
        for name in MANNERS:
            for node in ("", "/type", "/settings", "/machines", "/target", "/state", "/status"):
                await self.client.create(f"/services/{name}{node}", b"")
            await self.client.set(f"/services/{name}/type", b"command")
            self.wishes[name].machines = set(self.machines)
            await self.wish(name)
        for machine in self.machines.values():
            machine.prepare()
            machine.start()

    async def wish(self, name: str) -> None:
        """Write down what is wanted of a service; it is done until it has been."""
        wish = self.wishes[name]
        target = {"run": wish.run, "generation": wish.generation}
        data = {
            "settings": self._settings(name, wish.version),
            "machines": sorted(wish.machines),
            "target": target,
        }
        wish.changed = self.clock.seconds()
        for node, value in data.items():
            while True:
                try:
                    await self.client.set(f"/services/{name}/{node}", json.dumps(value).encode())
                    break
                except ZooKeeperException:
                    await self.pause(0.1)
        wish.changed = self.clock.seconds()

    def _settings(self, name: str, version: int) -> dict[str, Any]:
        words = f"{self.mark} {{machine}} {{service}} {version} {name} {self.counts}"
        return {
            "argv": f"{sys.executable} -I -S {PROGRAM} {words}",
            "notify": name == "ready",
            "processes": MANNERS[name],
            "on_disconnect": "stop-after=1" if name == CAREFUL else "continue",
            "grace_period": GRACE,
            "start_timeout": 5.0,
            "max_failures": 1000,
            "log_size": "64K",
            "log_keep": 10000,
        }

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        await deferLater(self.clock, seconds)

    async def node(self, path: str) -> Any:
        """Give what a node says; L{None} if it is not there."""
        while True:
            try:
                data, _ = await self.client.get(path)
                return json.loads(data)
            except NoNodeException:
                return None
            except ConnectionLossException:
                continue

    def look(self) -> list[Seen]:
        """Give all processes of this world that are no agents."""
        return look(self.mark)

    async def close(self) -> None:
        """End everything, whatever it does."""
        for machine in self.machines.values():
            machine.close()
        for seen in self.look():
            with suppress(ProcessLookupError):
                os.kill(seen.pid, signal.SIGKILL)
        await self.client.close()
        for machine in self.machines.values():
            await machine.way.close()
            shutil.rmtree(machine.state_dir, ignore_errors=True)
        await deferToThread(self.server.close)
