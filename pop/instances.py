"""The instances of this machine, each of which drives a life of its own."""

import random
from collections.abc import Callable, Mapping

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from pop import events
from pop.finished import Finished
from pop.instance import Instance, Watch
from pop.interfaces import ISpawner
from pop.life import Phase
from pop.plan import Held, Unrunnable, Want
from pop.program import Launch
from pop.slots import index_of, service_of

AT_REST = (Phase.STOPPED, Phase.FINISHED)
"""Phases in which an instance stays until somebody wants it to run."""


class Instances:
    """All instances of this machine, by the names of their slots.

    None waits for another: each is told at once, and goes on by itself.

    @param watch: makes what looks after the health of one process.
    @param finished: what is not to be done once more.
    @ivar changed: called with an instance whenever anything about it changed; after it has gone
        away too, with L{Instance.want} and the phase saying so.
    """

    _log = Logger()

    def __init__(
        self,
        spawner: ISpawner,
        watch: Watch,
        clock: IReactorTime,
        chance: random.Random,
        finished: Finished,
        changed: Callable[[Instance], None],
    ) -> None:
        self._spawner = spawner
        self._watch = watch
        self._clock = clock
        self._chance = chance
        self._finished = finished
        self._changed = changed
        self._found: dict[str, Instance] = {}
        self._services: dict[str, dict[str, Instance]] = {}
        self._empty: list[Deferred[None]] = []

    def observed(self) -> Mapping[str, Want | None]:
        """What each instance was last told to do."""
        return {name: instance.want for name, instance in self._found.items()}

    def adopt(self) -> None:
        """Go on with all that a predecessor left, as it was last told; call it before all else."""
        for left in self._spawner.left():
            self._instance(left.name).adopt(left)
        for name, event in self._finished.read().items():
            if name not in self._found:
                self._instance(name).tell(event.launch, event)

    def start(self, name: str, launch: Launch, why: str) -> None:
        """Run a service; what runs already is stopped first."""
        self._instance(name).tell(launch, events.Wanted(launch, why))

    def hold(self, name: str, want: Held | Unrunnable, why: str = "") -> None:
        """Keep a service here without running it."""
        self._instance(name).tell(want, events.Unwanted(why or want.why))

    def drop(self, name: str, why: str) -> None:
        """Let a service go."""
        self._found[name].tell(None, events.Unwanted(why))

    def drop_all(self, why: str) -> Deferred[None]:
        """Let all services go, at once; fires when the last one has ended."""
        gone: Deferred[None] = Deferred()
        self._empty.append(gone)
        for name in list(self._found):
            self.drop(name, why)
        self._tell_if_empty()
        return gone

    def hurry(self) -> None:
        """Kill what is stopping, and must not outlast ZooKeeper."""
        for instance in self.all():
            launch = instance.life.running
            if launch is not None and launch.stop_after is not None:
                instance.hurry()

    def let_go(self) -> None:
        """Look after none of them any more, and leave their processes to a successor."""
        for instance in self._found.values():
            instance.let_go()
        self._found.clear()
        self._services.clear()

    def find(self, name: str) -> Instance | None:
        """The instance in a slot, if there is one."""
        return self._found.get(name)

    def of(self, service: str) -> list[Instance]:
        """The instances of a service, in the order of their slots."""
        found = self._services.get(service, {})
        return [found[name] for name in sorted(found, key=index_of)]

    def all(self) -> list[Instance]:
        """Every instance there is."""
        return list(self._found.values())

    def _instance(self, name: str) -> Instance:
        if name not in self._found:
            instance = Instance(
                name, self._spawner, self._watch, self._clock, self._chance, self._on_change
            )
            self._found[name] = instance
            self._services.setdefault(service_of(name), {})[name] = instance
        return self._found[name]

    def _forget(self, name: str) -> None:
        del self._found[name]
        siblings = self._services[service_of(name)]
        del siblings[name]
        if not siblings:
            del self._services[service_of(name)]

    def _on_change(self, instance: Instance) -> None:
        life = instance.life
        self._log.info(
            "{service}: {phase}{pid}{why}",
            service=instance.name,
            phase=life.phase.value,
            pid=f", pid {life.pid}" if life.pid else "",
            why=f" ({life.reason})" if life.reason else "",
        )
        if instance.want is None and life.phase is Phase.STOPPED:
            self._forget(instance.name)
        self._release(service_of(instance.name))
        if Phase.FINISHED in (life.phase, instance.before.phase):
            self._keep_finished()
        self._changed(instance)
        self._tell_if_empty()

    def _keep_finished(self) -> None:
        """Before anybody hears of it: who does, may count on it."""
        every = ((name, instance.finished()) for name, instance in self._found.items())
        self._finished.keep({name: event for name, event in every if event})

    def _release(self, service: str) -> None:
        """Nobody should wait for an answer of a service that is not going to run."""
        if all(instance.life.phase in AT_REST for instance in self.of(service)):
            self._spawner.release(service)

    def _tell_if_empty(self) -> None:
        if not self._found:
            waiting, self._empty = self._empty, []
            for gone in waiting:
                gone.callback(None)
