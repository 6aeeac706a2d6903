"""What tests put in the place of processes: a spawner without any, checks that come out as told.

They are verified: C{pop/test/test_spawners.py} and C{pop/test/test_probes.py} run the same promises
on them and on the real ones.
"""

import errno
import os
import signal as signals
from collections.abc import Collection, Mapping
from itertools import count
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from zope.interface import implementer

from pop.errors import CheckFailed, NotBuilt, NotSpawned
from pop.interfaces import IBuilder, IProcess, ISpawner
from pop.program import Launch, Left
from pop.protocols.notify import parse
from pop.recipe import Recipe

ENDING = ("TERM", "INT", "QUIT", "KILL")
"""Signals that end a process, if it is sent one for itself; others it takes note of."""


@implementer(IProcess)
class FakeProcess:
    """A process that does what a test says.

    A signal ends it in a later turn of the clock, as a real one; what the test has it do of its own
    accord happens at once.

    @ivar name: the service's.
    @ivar launch: what it was started with.
    @ivar protocol: who is told of it.
    @ivar signals: what it was sent, by names without SIG, in order.
    @ivar began: when it was started.
    @ivar alive: whether nothing has ended it yet.
    @ivar noted: readiness and state that a successor of this agent would find.
    @ivar told: whether somebody was told of its end.
    @ivar stubborn: whether it takes no notice of any signal but KILL.
    """

    def __init__(
        self, clock: IReactorTime, pid: int, name: str, launch: Launch, protocol: ProcessProtocol
    ) -> None:
        self.pid = pid
        self.name = name
        self.launch = launch
        self.signals: list[str] = []
        self.stubborn = False
        self._clock = clock
        self.began = clock.seconds()
        self.noted: tuple[bool, Mapping[str, Any] | None] = launch.at_first()
        self.protocol: ProcessProtocol | None = protocol
        self.alive = True
        self.told = False
        self._how: Exception | None = None

    @property
    def running(self) -> bool:
        """Whether nobody could have been told of its end yet."""
        return self._how is None

    def stop(self, signal: str) -> None:
        """See L{IProcess.stop}."""
        self._signal(signal)

    def kill(self) -> None:
        """See L{IProcess.kill}."""
        self._signal("KILL")

    def signal(self, name: str) -> None:
        """See L{IProcess.signal}."""
        if name in ENDING:
            self._signal(name)
        elif self.alive:
            self.signals.append(name)

    def members(self) -> Deferred[list[int]]:
        """See L{IProcess.members}."""
        return succeed([self.pid] if self.alive else [])

    def note(self, ready: bool, state: Mapping[str, Any] | None) -> None:
        """See L{IProcess.note}."""
        self.noted = (ready, state)

    def exit(self, status: int = 0) -> None:
        """It ends by itself."""
        self._die()
        self._end(ProcessTerminated(exitCode=status) if status else ProcessDone(0))

    def crash(self, signal: str = "SEGV") -> None:
        """Somebody else's signal ends it, or a fault of its own."""
        self._die()
        self._end(_killed(signal))

    def notify(self, datagram: bytes = b"READY=1") -> None:
        """It says something of itself, as C{sd_notify(3)} does."""
        assert self.alive, f"{self.name} has ended and can say nothing more"
        listens = self.launch.program.notifies or self.launch.checks.watchdog
        assert listens, f"{self.name} was given no NOTIFY_SOCKET"
        if self.protocol is not None:
            self.protocol.notified(parse(datagram))  # type: ignore[attr-defined]  # see ISpawner

    def lose(self) -> None:
        """Whoever looks after it is gone."""
        self.protocol = None

    def adopt(self, protocol: ProcessProtocol) -> None:
        """Somebody else looks after it, who is told of its end, be it long ago."""
        self.protocol = protocol
        if self._how is not None:
            self._clock.callLater(0, self._tell)

    def vanish(self) -> None:
        """It ends, and there is nobody to be told, ever."""
        self.alive, self.told, self._how = False, True, _killed("KILL")

    def _signal(self, signal: str) -> None:
        if not self.alive:
            return
        self.signals.append(signal)
        if signal == "KILL" or not self.stubborn:
            self._die()
            self._clock.callLater(0, self._end, _killed(signal))

    def _die(self) -> None:
        assert self.alive, f"{self.name} has ended already"
        self.alive = False

    def _end(self, how: Exception) -> None:
        self._how = how
        self._tell()

    def _tell(self) -> None:
        """Once, and whoever looks after it by then."""
        if self.protocol is not None and not self.told:
            self.told = True
            self.protocol.processEnded(Failure(self._how))


def _killed(signal: str) -> ProcessTerminated:
    return ProcessTerminated(signal=int(signals.Signals[f"SIG{signal}"]))


@implementer(ISpawner)
class FakeSpawner:
    """Starts L{FakeProcess}es, each of which runs until a signal or the test ends it.

    @ivar spawned: all that were ever started, in order.
    @ivar released: the services that L{release} was told of, in order.
    @ivar refusals: why some cannot be started, by the service's name.
    @ivar logs: how many bytes have been written to the log of each slot.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.spawned: list[FakeProcess] = []
        self._clock = clock
        self._pids = count(1000)
        self.refusals: dict[str, str] = {}
        self.released: list[str] = []
        self.logs: dict[str, int] = {}
        self._left: dict[str, FakeProcess] = {}

    def spawn(self, name: str, launch: Launch, protocol: ProcessProtocol) -> FakeProcess:
        """See L{ISpawner.spawn}."""
        if name in self.refusals:
            raise NotSpawned(reason=self.refusals[name])
        process = FakeProcess(self._clock, next(self._pids), name, launch, protocol)
        self.spawned.append(process)
        return process

    def left(self) -> list[Left]:
        """See L{ISpawner.left}: what ran at the last L{lose} and was not adopted since."""
        now = self._clock.seconds()
        return [
            Left(
                *(name, process.launch, process.pid, now - process.began, *process.noted),
                lives=process.running,
            )
            for name, process in self._left.items()
        ]

    def adopt(self, left: Left, protocol: ProcessProtocol) -> FakeProcess:
        """See L{ISpawner.adopt}."""
        process = self._left.pop(left.name)
        process.adopt(protocol)
        return process

    def release(self, service: str) -> None:
        """See L{ISpawner.release}."""
        self.released.append(service)

    def written(self, name: str) -> int:
        """See L{ISpawner.written}."""
        return self.logs.get(name, 0)

    def lose(self) -> None:
        """The agent is killed: what runs goes on running, to be adopted by the next one."""
        for process in self.spawned:
            if not process.told:
                process.lose()
                self._left[process.name] = process

    def reboot(self) -> None:
        """The machine is started anew: all has ended, and there is nothing to be adopted."""
        self.lose()
        for process in self._left.values():
            process.vanish()
        self._left.clear()

    def __getitem__(self, name: str) -> FakeProcess:
        """The process of a service that was started last."""
        for process in reversed(self.spawned):
            if process.name == name:
                return process
        raise KeyError(name)

    def running(self) -> list[FakeProcess]:
        """All that have not ended, in the order of their start."""
        return [process for process in self.spawned if process.running]

    def refuse(self, name: str, reason: str = "there is no such program") -> None:
        """From now on a service cannot be started, and why."""
        self.refusals[name] = reason

    def allow(self, name: str) -> None:
        """It can be started again."""
        del self.refusals[name]


@implementer(IBuilder)
class FakeBuilder:
    """Environments that are there as soon as a test says so.

    @ivar there: (service, recipe's key) of those that are.
    @ivar building: what is being built, by service.
    @ivar begun: (service, recipe) of each attempt, in order.
    @ivar collected: what was in use each time that the rest was removed.
    """

    def __init__(self) -> None:
        self.there: set[tuple[str, str]] = set()
        self.building: dict[str, tuple[Recipe, Deferred[None]]] = {}
        self.begun: list[tuple[str, Recipe]] = []
        self.collected: list[Mapping[str, Collection[str]]] = []

    def has(self, service: str, recipe: Recipe) -> bool:
        """See L{IBuilder.has}."""
        return (service, recipe.key) in self.there

    def build(self, service: str, launch: Launch) -> "Deferred[None]":
        """See L{IBuilder.build}."""
        recipe = launch.program.recipe
        assert recipe is not None, f"{service} needs no environment"
        assert service not in self.building, f"{service}'s is being built already"
        built: Deferred[None] = Deferred(lambda _: self._give_up(service))
        self.begun.append((service, recipe))
        self.building[service] = recipe, built
        return built

    def collect(self, used: Mapping[str, Collection[str]]) -> None:
        """See L{IBuilder.collect}."""
        self.collected.append(used)

    def _give_up(self, service: str) -> None:
        del self.building[service]

    def succeed(self, service: str) -> None:
        """What is being built for a service is complete."""
        recipe, built = self.building.pop(service)
        self.there.add((service, recipe.key))
        built.callback(None)

    def fail(self, service: str, reason: str) -> None:
        """It cannot be built."""
        self.building.pop(service)[1].errback(NotBuilt(reason=reason))


class FakeFile:
    """A L{pop.files.File} that is only remembered.

    @ivar data: what it holds.
    @ivar full: whether there is no room for anything new.
    """

    def __init__(self) -> None:
        self.data: bytes | None = None
        self.full = False

    def read(self) -> bytes | None:
        """See L{pop.files.IFile.read}."""
        return self.data

    def write(self, data: bytes) -> None:
        """See L{pop.files.IFile.write}."""
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.data = data

    def remove(self) -> None:
        """See L{pop.files.IFile.remove}."""
        self.data = None


HANGS = "hangs"
"""What is wrong with something that does not answer."""


class FakeProbes:
    """Health checks that come out as a test says: they pass, unless something is wrong.

    @ivar faults: what is wrong, by description; L{HANGS}, that it takes too long.
    @ivar asked: which checks were carried out, and when.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self.faults: dict[str, str] = {}
        self.asked: list[tuple[float, str]] = []

    async def probe(self, slot: str, launch: Launch, description: str, timeout: float) -> None:
        """See L{pop.probes.Probes.probe}."""
        self.asked.append((self._clock.seconds(), description))
        await deferLater(self._clock, 0)
        fault = self.faults.get(description)
        if fault == HANGS:
            await deferLater(self._clock, timeout)
            fault = f"did not answer within {timeout:g} s"
        if fault:
            raise CheckFailed(reason=f"{description} {fault}")
