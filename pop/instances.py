"""The instances of this machine: each drives one life."""

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from pop import life as lives
from pop.errors import NotSpawned
from pop.interfaces import IProcess, ISpawner
from pop.life import Life, Phase
from pop.plan import Held, Unrunnable, Want
from pop.program import Launch
from pop.protocols.notify import Notice


class InstanceProtocol(ProcessProtocol):
    """Tells an instance what happens to its process."""

    def __init__(self, happened: Callable[[lives.Event], None]) -> None:
        self._happened = happened
        self._ended = False

    def notified(self, notice: Notice) -> None:
        """The program said something of itself; what arrives after its end is of no interest."""
        if not self._ended:
            self._happened(
                lives.Notified(notice.ready, notice.stopping, notice.status, notice.state)
            )

    def processEnded(self, reason: Failure) -> None:
        """Nothing of it is left."""
        self._ended = True
        success = isinstance(reason.value, ProcessDone)
        self._happened(lives.Exited(how_it_ended(reason), success))


def how_it_ended(reason: Failure) -> str:
    """The end of a process in words."""
    error = reason.value
    if not isinstance(error, ProcessTerminated):
        return "exited with status 0"
    if error.signal is not None:
        return f"ended by signal {error.signal}"
    if error.exitCode is not None:
        return f"exited with status {error.exitCode}"
    return "ended while nobody watched"


class Instance:
    """One service on this machine.

    @ivar want: what it was last told; L{None}, to go away.
    """

    def __init__(
        self,
        name: str,
        spawner: ISpawner,
        clock: IReactorTime,
        chance: random.Random,
        changed: Callable[["Instance"], None],
    ) -> None:
        self.name = name
        self.life = Life(since=clock.seconds())
        self.want: Want | None = None
        self._spawner = spawner
        self._clock = clock
        self._chance = chance
        self._changed = changed
        self._process: IProcess | None = None
        self._timer: IDelayedCall | None = None
        self._events: deque[lives.Event] = deque()
        self._shown: tuple[Want | None, Life] = (None, self.life)

    def tell(self, want: Want | None, event: lives.Event) -> None:
        """Take new orders."""
        self.want = want
        self.happened(event)

    def happened(self, event: lives.Event) -> None:
        """Go on with life; an event that a deed causes waits until that deed is done."""
        self._events.append(event)
        if len(self._events) > 1:
            return
        try:
            while self._events:
                self._step(self._events[0])
                self._events.popleft()
        finally:
            self._events.clear()
        # What it says for people in between goes along with the next change.
        shown = (self.want, replace(self.life, said=""))
        if self._shown != shown:
            self._shown = shown
            self._changed(self)

    def _step(self, event: lives.Event) -> None:
        phase = self.life.phase
        now, chance = self._clock.seconds(), self._chance.random()
        self.life, deeds = lives.step(self.life, event, now=now, chance=chance)
        if self.life.phase is not phase:
            self._cancel_timer()
        if isinstance(event, lives.Exited):
            self._process = None
        for deed in deeds:
            self._do(deed)

    def _do(self, deed: lives.Deed) -> None:
        match deed:
            case lives.Spawn(launch):
                self.happened(self._spawn(launch))
            case lives.AskToStop(signal) if self._process:
                self._process.stop(signal)
            case lives.Kill() if self._process:
                self._process.kill()
            case lives.Wake(after):
                self._cancel_timer()
                self._timer = self._clock.callLater(after, self._elapsed)

    def _spawn(self, launch: Launch) -> lives.Event:
        try:
            process = self._spawner.spawn(self.name, launch, InstanceProtocol(self.happened))
        except NotSpawned as error:
            return lives.Refused(str(error).rstrip("."))
        self._process = process
        return lives.Spawned(process.pid)

    def _elapsed(self) -> None:
        self._timer = None
        self.happened(lives.Elapsed())

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Instances:
    """All instances of this machine, by the name of their service.

    @ivar changed: called with an instance whenever anything about it changed; after it has gone
        away too, with L{Instance.want} and the phase saying so.
    """

    _log = Logger()

    def __init__(
        self,
        spawner: ISpawner,
        clock: IReactorTime,
        chance: random.Random,
        changed: Callable[[Instance], None],
    ) -> None:
        self._spawner = spawner
        self._clock = clock
        self._chance = chance
        self._changed = changed
        self._found: dict[str, Instance] = {}
        self._empty: list[Deferred[None]] = []

    def observed(self) -> Mapping[str, Want | None]:
        """What each instance was last told to do."""
        return {name: instance.want for name, instance in self._found.items()}

    def start(self, name: str, launch: Launch, why: str) -> None:
        """Run a service; what runs already is stopped first."""
        self._instance(name).tell(launch, lives.Wanted(launch, why))

    def hold(self, name: str, want: Held | Unrunnable) -> None:
        """Keep a service here without running it."""
        self._instance(name).tell(want, lives.Unwanted(want.why))

    def drop(self, name: str, why: str) -> None:
        """Let a service go."""
        self._found[name].tell(None, lives.Unwanted(why))

    def drop_all(self, why: str) -> Deferred[None]:
        """Let all services go, at once; fires when the last one has ended."""
        gone: Deferred[None] = Deferred()
        self._empty.append(gone)
        for name in list(self._found):
            self.drop(name, why)
        self._tell_if_empty()
        return gone

    def find(self, name: str) -> Instance | None:
        """The instance of a service, if there is one."""
        return self._found.get(name)

    def all(self) -> list[Instance]:
        """Every instance there is."""
        return list(self._found.values())

    def _instance(self, name: str) -> Instance:
        if name not in self._found:
            self._found[name] = Instance(
                name, self._spawner, self._clock, self._chance, self._on_change
            )
        return self._found[name]

    def _on_change(self, instance: Instance) -> None:
        life = instance.life
        self._log.info(
            "{service}: {phase}{pid}{why}",
            service=instance.name,
            phase=life.phase.value,
            pid=f", pid {life.pid}" if life.pid else "",
            why=f" ({life.why})" if life.why else "",
        )
        if instance.want is None and life.phase is Phase.STOPPED:
            self._found.pop(instance.name, None)
        self._changed(instance)
        self._tell_if_empty()

    def _tell_if_empty(self) -> None:
        if not self._found:
            waiting, self._empty = self._empty, []
            for gone in waiting:
                gone.callback(None)
