"""Preparations: what programs need before they can run is made beside what runs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from pop.backoff import Backoff
from pop.errors import PopError
from pop.instance import Instance
from pop.interfaces import IBuilder
from pop.plan import Preparing, Unrunnable, Want
from pop.program import Launch
from pop.slots import service_of

PATIENCE: Final = Backoff(first=10.0, longest=1800.0)
"""Until what could not be built is tried again; an index may be away for an hour."""
BUILDING: Final = "its Python environment is being built"


@dataclass
class _Work:
    """One attempt after the other at what a service needs.

    @ivar launch: for which it is made.
    @ivar why: what went wrong last.
    """

    launch: Launch
    why: str = ""
    failures: int = 0
    building: "Deferred[None] | None" = None
    again: IDelayedCall | None = field(default=None)

    def end(self) -> None:
        """No more of it is wanted."""
        if self.again is not None and self.again.active():
            self.again.cancel()
        building, self.building = self.building, None
        if building is not None:
            building.cancel()


class Preparations:
    """What is being built for the services of one machine.

    @param chance: from 0 to 1, spreads the attempts of many machines.
    @param changed: called when something that was judged may be judged differently.
    """

    _log = Logger()

    def __init__(
        self,
        builder: IBuilder,
        clock: IReactorTime,
        chance: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        self._builder = builder
        self._clock = clock
        self._chance = chance
        self._changed = changed
        self._works: dict[str, _Work] = {}
        self._untidy = True
        self._judged: Mapping[str, Want] = {}
        self._leaving: set[str] = set()

    def judge(self, wants: Mapping[str, Want]) -> dict[str, Want]:
        """What each service should do, given what there is; what is missing is begun.

        @param wants: by service, and all of them: what was begun for others is given up.
        """
        for name in self._works.keys() - wants.keys():
            self._works.pop(name).end()
        self._untidy = self._untidy or bool(self._judged.keys() - wants.keys())
        self._judged = dict(wants)
        return {name: self._judge(name, want) for name, want in wants.items()}

    def tidy(self, instances: Iterable[Instance]) -> None:
        """Remove what neither runs nor should, now that all that should run is known."""
        if not self._untidy or self._works:
            return
        # What is wanted may have to wait for its turn before it is anybody's.
        used = _used(instances, self._judged)
        self._leaving = used.keys() - self._judged.keys()
        self._untidy = bool(self._leaving)
        self._builder.collect(used)

    def gone(self, service: str) -> None:
        """Nothing is left of an instance of a service: perhaps its environments can go too."""
        if service in self._leaving:
            self._changed()

    def stop(self) -> None:
        """Give up whatever is being built."""
        for work in self._works.values():
            work.end()
        self._works.clear()

    def _judge(self, name: str, want: Want) -> Want:
        work = self._works.get(name)
        needs = isinstance(want, Launch) and not self._has(name, want)
        if work is not None and (not needs or not _is_the_same(work.launch, want)):
            self._works.pop(name).end()
            work = None
        if not needs or not isinstance(want, Launch):
            return want
        if work is None:
            work = self._works[name] = _Work(want)
            self._begin(name, work)
        return Unrunnable(work.why) if work.why else Preparing(BUILDING)

    def _has(self, name: str, launch: Launch) -> bool:
        recipe = launch.program.recipe
        return recipe is None or self._builder.has(name, recipe)

    def _begin(self, name: str, work: _Work) -> None:
        self._log.info("{service}: {building}.", service=name, building=BUILDING)
        work.building = Deferred.fromCoroutine(self._build(name, work))

    async def _build(self, name: str, work: _Work) -> None:
        try:
            await self._builder.build(name, work.launch)
        except CancelledError:
            return
        except PopError as error:
            self._failed(name, work, str(error))
        except Exception as error:  # a defect, but no reason to try no more
            self._log.failure("Cannot build what {service} needs", service=name)
            self._failed(name, work, f"{type(error).__name__}: {error}")
        else:
            work.building, self._untidy = None, True
        self._changed()

    def _failed(self, name: str, work: _Work, why: str) -> None:
        work.building, work.why = None, why
        work.failures += 1
        delay = PATIENCE.delay(work.failures + 1, self._chance())
        work.again = self._clock.callLater(delay, self._begin, name, work)


def _is_the_same(launch: Launch, want: Want) -> bool:
    """Whether the same is to be built, and nobody asked to try it at once."""
    return (
        isinstance(want, Launch)
        and want.program.recipe == launch.program.recipe
        and want.generation == launch.generation
    )


def _used(instances: Iterable[Instance], wants: Mapping[str, Want]) -> dict[str, set[str]]:
    """The keys of the recipes that are in use, or will be, by service."""
    used = {service: set(_keys(want)) for service, want in wants.items()}
    for instance in instances:
        launches = (instance.want, instance.life.wanted, instance.life.running)
        used.setdefault(service_of(instance.name), set()).update(_keys(*launches))
    return used


def _keys(*launches: Want | None) -> Iterable[str]:
    return (
        launch.program.recipe.key
        for launch in launches
        if isinstance(launch, Launch) and launch.program.recipe is not None
    )
