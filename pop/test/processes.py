"""Real processes for tests, and what keeps watch on them."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from pop import census
from pop.cgroup import Cgroups
from pop.directories import notify_directory
from pop.interfaces import IProcess
from pop.kin import Kin, began
from pop.marks import marks_of
from pop.pidwatch import watch
from pop.process import Spawner
from pop.program import Launch, Left, Program
from pop.protocols.notify import Notice
from pop.statedir import StateDirectory

NOTIFY = """
import os, signal, socket
def notify(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])
def hold(number):
    signal.pthread_sigmask(signal.SIG_BLOCK, {number})
def wait(number):
    signal.sigwait({number})
"""
"""What a Python program in a test begins with."""


class Witness(ProcessProtocol):
    """Keeps what a spawner tells.

    @ivar ends: how it ended, once for each time that this was told.
    @ivar ended: fires with the first of them.
    """

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.ends: list[BaseException | None] = []
        self.ended: Deferred[BaseException | None] = Deferred()
        self._waiting: list[tuple[Callable[[Notice], bool], Deferred[Notice]]] = []

    def notified(self, notice: Notice) -> None:
        """See L{pop.interfaces.ISpawner.spawn}."""
        self.notices.append(notice)
        for item in [item for item in self._waiting if item[0](notice)]:
            self._waiting.remove(item)
            item[1].callback(notice)

    def processEnded(self, reason: Failure) -> None:
        """See L{pop.interfaces.ISpawner.spawn}."""
        self.ends.append(reason.value)
        if len(self.ends) > 1:
            return
        for _, waiting in self._waiting:
            waiting.errback(AssertionError(f"it ended without a word: {reason.value}"))
        self.ended.callback(reason.value)

    def heard(self, matches: Callable[[Notice], bool] = lambda _: True) -> Deferred[Notice]:
        """Fires with the first notice of that kind, even if it came already."""
        waiting: Deferred[Notice] = Deferred()
        if known := [notice for notice in self.notices if matches(notice)]:
            waiting.callback(known[0])
        else:
            self._waiting.append((matches, waiting))
        return waiting

    def ready(self) -> Deferred[Notice]:
        """Fires when it says that it is ready."""
        return self.heard(lambda notice: notice.ready)


def shell(script: str, **more: object) -> Launch:
    """What runs a shell script."""
    return Launch(Program(("/bin/sh", "-c", script)), **more)  # type: ignore[arg-type]


def python(script: str, **more: object) -> Launch:
    """What runs Python that may C{notify(text)}, C{hold(number)} a signal and C{wait} for it."""
    argv = (sys.executable, "-I", "-S", "-c", NOTIFY + script)
    return Launch(Program(argv, notifies=True), **more)  # type: ignore[arg-type]


def kin(pid: int) -> Kin:
    """What came of a process that is there now."""
    return Kin(pid, began(pid), dict(marks_of([pid]))[pid])


def living(family: Kin) -> list[int]:
    """Those of it who live."""
    [found] = census.living([family])
    return found


def died(pid: int) -> "Deferred[int | None]":
    """Fires when a process has died, reaped or not, with its status as far as that is known."""
    from twisted.internet import reactor

    gone: Deferred[int | None] = Deferred()
    watch(reactor, Kin(pid, began(pid)), gone.callback)
    return gone


async def turn() -> None:
    """Let the reactor go round once."""
    from twisted.internet import reactor

    gone: Deferred[None] = Deferred()
    reactor.callLater(0, gone.callback, None)
    await gone


async def said(witness: Witness, status: str) -> Notice:
    """Wait for a status line."""
    return await witness.heard(lambda notice: notice.status == status)


class Nursery:
    """The real spawner in a state directory of its own, for one test.

    What a test leaves running is killed, and waited for.
    """

    def __init__(
        self,
        case: TestCase,
        path: Path | None = None,
        environment: dict[str, str] | None = None,
        cgroups: Cgroups | None = None,
    ) -> None:
        from twisted.internet import reactor

        self.path = Path(os.path.abspath(case.mktemp() if path is None else path))
        StateDirectory(self.path).make()
        self.environment = dict(os.environ) if environment is None else environment
        self.cgroups = cgroups
        self.spawner = Spawner(reactor, self.path, self.environment, cgroups=cgroups)
        self._started: list[tuple[IProcess, Witness]] = []
        case.addCleanup(shutil.rmtree, notify_directory(self.path), ignore_errors=True)
        case.addCleanup(self._end_all)

    def succeed(self, lose_sockets: bool = False) -> list[Left]:
        """Another agent takes the place of this one; gives what it finds."""
        from twisted.internet import reactor

        if lose_sockets:
            for held in self.spawner.sockets._held.values():
                for found in held.values():
                    found.close()
        self.spawner = Spawner(reactor, self.path, self.environment, cgroups=self.cgroups)
        return self.spawner.left()

    def adopt(self, left: Left) -> tuple[IProcess, Witness]:
        """Look after a process of the predecessor."""
        witness = Witness()
        process = self.spawner.adopt(left, witness)
        self._started.append((process, witness))
        return process, witness

    def spawn(self, launch: Launch, name: str = "web") -> tuple[IProcess, Witness]:
        """Start a process.

        @raise pop.errors.NotSpawned: it cannot be started.
        """
        witness = Witness()
        process = self.spawner.spawn(name, launch, witness)
        self._started.append((process, witness))
        return process, witness

    async def finish(self, launch: Launch, name: str = "web") -> str:
        """Run a program to its end; gives what it wrote."""
        _, witness = self.spawn(launch, name)
        await witness.ended
        return self.log(name).read_text()

    def log(self, name: str = "web") -> Path:
        """Where a service's output goes."""
        return self.path / "log" / f"{name}.log"

    async def _end_all(self) -> None:
        for process, witness in self._started:
            if not witness.ends:
                process.kill()
                await witness.ended
