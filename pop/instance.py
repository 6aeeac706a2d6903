"""One instance: what drives a life, does its deeds and hears what comes of them."""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from pop import events
from pop.errors import NotSpawned
from pop.interfaces import IProcess, ISpawner
from pop.life import RUNS, Life, Phase, step
from pop.plan import Held, Want
from pop.policy import Checks
from pop.program import Launch, Left
from pop.protocols.notify import Notice


class Watcher(Protocol):
    """What looks after a process while it runs: its health checks and its watchdog."""

    def start(self) -> None: ...
    def ready(self) -> None: ...
    def watchdog_fed(self) -> None: ...
    def stop(self) -> None: ...


Watch = Callable[[str, Launch, Callable[[events.Event], None]], Watcher]
"""(slot, launch, told): makes what looks after one process, and tells what it finds."""

WORDS = 5.0
"""Seconds until a change of nothing but the status line is shown: each is written to ZooKeeper."""


UNKNOWN = Held("it ended while no agent ran", "ZooKeeper wants it here")
"""What must not run in two places, and has ended meanwhile, may run elsewhere by now."""


class InstanceProtocol(ProcessProtocol):
    """Tells an instance what happens to its process.

    @param fed: called when the program says that it lives.
    """

    def __init__(
        self, happened: Callable[[events.Event], None], fed: Callable[[], None] = lambda: None
    ) -> None:
        self._happened = happened
        self._fed = fed
        self._ended = False

    def notified(self, notice: Notice) -> None:
        """The program said something of itself; what arrives after its end is of no interest."""
        if self._ended:
            return
        if notice.watchdog:
            self._fed()
        said = replace(notice, watchdog=False)
        if said != Notice():
            self._happened(events.Notified(said.ready, said.stopping, said.status, said.state))

    def processEnded(self, reason: Failure) -> None:
        """Nothing of it is left."""
        self._ended = True
        success = isinstance(reason.value, ProcessDone)
        self._happened(events.Exited(how_it_ended(reason), success))


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
    """One process's place on this machine, and the process that runs there, if any.

    @ivar name: of its slot.
    @ivar want: what it was last told; L{None}, to go away.
    @ivar before: its life when it was last shown, before the present change.
    @ivar ended: how its last process ended.
    @ivar wrote: how far its log had come by then, or when the present one was about to be started;
        L{None} if neither was here.
    """

    _log = Logger()

    def __init__(
        self,
        name: str,
        spawner: ISpawner,
        watch: Watch,
        clock: IReactorTime,
        chance: random.Random,
        changed: Callable[["Instance"], None],
    ) -> None:
        self.name = name
        self.life = self.before = Life(since=clock.seconds())
        self.want: Want | None = None
        self.ended = ""
        self.wrote: int | None = None
        self._spawner = spawner
        self._watch = watch
        self._clock = clock
        self._chance = chance
        self._changed = changed
        self._process: IProcess | None = None
        self._watcher: Watcher | None = None
        self._timer: IDelayedCall | None = None
        self._words: IDelayedCall | None = None
        self._events: deque[events.Event] = deque()
        self._shown: tuple[Want | None, Life] = (None, self.life)
        self._noted: tuple[bool, object] = (False, None)
        self._let_go = False

    @property
    def until(self) -> float | None:
        """When its present phase ends unless something happens before; in the clock's seconds."""
        return self._timer.getTime() if self._timer and self._timer.active() else None

    def tell(self, want: Want | None, event: events.Event) -> None:
        """Take new orders."""
        self.want = want
        self.happened(event)

    def adopt(self, left: Left) -> None:
        """Go on with the process that a predecessor left."""
        self._process = self._spawner.adopt(left, self._protocol())
        self._noted = (left.ready, left.state)
        gone = not left.lives
        self.tell(
            left.launch,
            events.Adopted(left.launch, left.pid, left.ready, left.state, left.age, gone),
        )

    def signal(self, name: str) -> bool:
        """Send its process a signal, by its name without SIG; whether there is one."""
        if self._process is not None:
            self._process.signal(name)
        return self._process is not None

    def members(self) -> Deferred[list[int]]:
        """Look who lives of its process and all that it started."""
        return succeed([]) if self._process is None else self._process.members()

    def hurry(self) -> None:
        """If it is stopping, its grace period is over now."""
        if self.life.phase is Phase.STOPPING and self._timer is not None:
            self._cancel_timer()
            self.happened(events.Elapsed())

    def finished(self) -> events.Recalled | None:
        """What a successor of this agent should know, if it has finished."""
        life = self.life
        if life.phase is not Phase.FINISHED or life.wanted is None:
            return None
        return events.Recalled(life.wanted, life.why, life.failures.in_a_row == 0)

    def let_go(self) -> None:
        """Look after it no more, and leave its process to a successor of this agent."""
        self._let_go = True
        self._leave_alone()
        self._cancel_timer()
        self._cancel_words()

    def happened(self, event: events.Event) -> None:
        """Go on with life; an event that a deed causes waits until that deed is done."""
        if self._let_go:
            return
        self._events.append(event)
        if len(self._events) > 1:
            return
        try:
            while self._events:
                self._step(self._events[0])
                self._events.popleft()
        finally:
            self._events.clear()
        self._note()
        self._show()

    def _show(self) -> None:
        before = self._shown[1]
        if (self.want, replace(self.life, said=before.said)) != self._shown:
            self._show_now()
        elif self.life.said != before.said and self._words is None:
            self._words = self._clock.callLater(WORDS, self._show_now)

    def _show_now(self) -> None:
        self._cancel_words()
        self.before, self._shown = self._shown[1], (self.want, self.life)
        self._changed(self)

    def _cancel_words(self) -> None:
        if self._words is not None and self._words.active():
            self._words.cancel()
        self._words = None

    def _note(self) -> None:
        """A successor of this agent shall know what the process said of itself."""
        now = (self.life.phase is Phase.READY, self.life.state)
        if self._process is not None and self._noted != now:
            self._noted = now
            self._process.note(*now)

    def _step(self, event: events.Event) -> None:
        phase = self.life.phase
        now, chance = self._clock.seconds(), self._chance.random()
        self.life, deeds = step(self.life, event, now=now, chance=chance)
        if self.life.phase is not phase:
            self._cancel_timer()
        if isinstance(event, events.Exited):
            # Now, since its successor may write there at once.
            self._process, self.ended = None, event.how
            self.wrote = self._spawner.written(self.name)
            if self.life.phase is Phase.STOPPED and isinstance(self.want, Launch):
                self.want = UNKNOWN
        self._look_after(event)
        for deed in deeds:
            self._do(deed)

    def _look_after(self, event: events.Event) -> None:
        """See that its health is watched from the process's beginning until it should end."""
        launch = self.life.running
        if isinstance(event, events.Exited) or self.life.phase not in RUNS or launch is None:
            self._leave_alone()
            return
        if isinstance(event, events.Spawned | events.Adopted) and _is_watched(launch.checks):
            self._watcher = self._watch(self.name, launch, self.happened)
            self._watcher.start()
        if self._watcher and self.life.phase is Phase.READY:
            self._watcher.ready()

    def _leave_alone(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher = None

    def _do(self, deed: events.Deed) -> None:
        match deed:
            case events.Spawn(launch):
                self.happened(self._spawn(launch))
            case events.AskToStop(signal) if self._process:
                self._process.stop(signal)
            case events.Kill() if self._process:
                self._process.kill()
            case events.Wake(after):
                self._cancel_timer()
                self._timer = self._clock.callLater(after, self._elapsed)

    def _spawn(self, launch: Launch) -> events.Event:
        self.wrote = self._spawner.written(self.name)
        try:
            process = self._spawner.spawn(self.name, launch, self._protocol())
        except NotSpawned as error:
            return events.Refused(str(error).rstrip("."))
        except Exception as error:  # a defect, but no reason to look after it no more
            self._log.failure("Cannot start {service}", service=self.name)
            return events.Refused(f"it cannot be started: {type(error).__name__}: {error}")
        self._process, self._noted = process, launch.at_first()
        return events.Spawned(process.pid)

    def _protocol(self) -> InstanceProtocol:
        return InstanceProtocol(self.happened, self._fed)

    def _fed(self) -> None:
        if self._watcher is not None:
            self._watcher.watchdog_fed()

    def _elapsed(self) -> None:
        self._timer = None
        self.happened(events.Elapsed())

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _is_watched(checks: Checks) -> bool:
    return bool(checks.readiness or checks.liveness or checks.watchdog)
