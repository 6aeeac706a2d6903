"""What an agent answers to whoever administers it."""

import os
import signal as signals
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from zope.interface import implementer

from pop import __version__
from pop.agent import Agent
from pop.errors import HeldHere, NoLog, NoSuchSignal, NoSuchTask, NotHere
from pop.figures import Figures, Meter
from pop.instance import Instance
from pop.interfaces import IAdministration, IOutput
from pop.journal import read
from pop.model import AgentInfo
from pop.paths import check_name
from pop.plan import Want
from pop.program import Launch
from pop.slots import service_of
from pop.stirring import Stir, Watch, unwatched
from pop.summary import phase_of
from pop.tail import Tail
from pop.together import together

LOOK_AGAIN: Final = 0.1
"""Seconds between two looks at logs that are followed, where the system does not tell."""
PAUSE: Final = 0.02
"""Seconds in which more may be written that is worth a look together."""
ENTRIES: Final = 1000
"""Of a service's journal, the last ones."""
ASKED: Final = "restarted by hand"
"""Why instances are started anew."""

Run = Callable[[str, str, list[str], IOutput], Deferred[dict[str, Any]]]
"""See L{IAdministration.run}."""


def no_tasks(
    service: str, task: str, arguments: list[str], output: IOutput
) -> Deferred[dict[str, Any]]:
    """There are none."""
    return fail(NoSuchTask(type=service, task=task, hint=""))


@implementer(IAdministration)
class Administration:
    """An agent as administrators have it.

    @param about: the agent.
    @param directory: its state directory.
    @param journal: where its journal is.
    @param in_thread: does what may block.
    @param run: runs tasks.
    @param watch: tells when something is written to a log.
    """

    def __init__(
        self,
        agent: Agent,
        about: AgentInfo,
        directory: Path,
        journal: Path,
        clock: IReactorTime,
        in_thread: Callable[[Callable[[], Any]], Deferred[Any]],
        run: Run = no_tasks,
        watch: Watch = unwatched,
    ) -> None:
        self._agent = agent
        self._about = about
        self._logs = directory / "log"
        self._journal = journal
        self._clock = clock
        self._in_thread = in_thread
        self._run = run
        self._watch = watch
        self._meter = Meter(clock, in_thread)

    def info(self) -> Deferred[dict[str, Any]]:
        """See L{IAdministration.info}."""
        return Deferred.fromCoroutine(self._info())

    async def _info(self) -> dict[str, Any]:
        figures = await self._meter.look({"": [os.getpid()]})
        slots = [instance.name for instance in self._agent.instances.all()]
        return {
            "machine": self._agent.machine,
            "host": self._about.host,
            "pid": self._about.pid,
            "version": __version__,
            "since": self._about.began,
            "zookeeper": self._agent.current,
            "state_dir": self._about.state_dir,
            "services": len({service_of(slot) for slot in slots}),
            "instances": len(slots),
            "cpu": figures[""].cpu,
            "memory": figures[""].memory,
        }

    def instances(self, service: str = "") -> Deferred[list[dict[str, Any]]]:
        """See L{IAdministration.instances}."""
        return Deferred.fromCoroutine(self._instances(service))

    async def _instances(self, service: str) -> list[dict[str, Any]]:
        known = self._agent.instances
        names = [service] if service else sorted({service_of(each.name) for each in known.all()})
        found = [instance for name in names for instance in known.of(name)]
        members = await together([instance.members() for instance in found])
        groups = {each.name: pids for each, pids in zip(found, members, strict=True)}
        figures = await self._meter.look(groups)
        return [self._row(instance, figures[instance.name]) for instance in found]

    def _row(self, instance: Instance, figures: Figures) -> dict[str, Any]:
        life = instance.life
        return {
            "slot": instance.name,
            "service": service_of(instance.name),
            "phase": phase_of(instance).value,
            "why": life.reason,
            "pid": life.pid,
            "since": self._agent.when(life.since),
            "restarts": life.restarts,
            "cpu": figures.cpu,
            "memory": figures.memory,
            "processes": figures.processes,
            "uptime": None if life.pid is None else round(self._clock.seconds() - life.began, 3),
        }

    def signal(self, service: str, name: str, slot: str = "") -> Deferred[int]:
        """See L{IAdministration.signal}."""
        return Deferred.fromCoroutine(self._signal(service, name, slot))

    async def _signal(self, service: str, name: str, slot: str) -> int:
        if f"SIG{name}" not in signals.Signals.__members__:
            raise NoSuchSignal(signal=name)
        count = sum([instance.signal(name) for instance in self._of(service, slot)])
        if not count:
            raise self._not_here(service, slot)
        return count

    def restart(self, service: str, slot: str = "") -> Deferred[int]:
        """See L{IAdministration.restart}."""
        return Deferred.fromCoroutine(self._restart(service, slot))

    async def _restart(self, service: str, slot: str) -> int:
        found = self._of(service, slot)
        wants = [(each.name, each.want) for each in found]
        launches = [(name, want) for name, want in wants if isinstance(want, Launch)]
        if not launches:
            raise HeldHere(
                service=service, machine=self._agent.machine, why=_why(want for _, want in wants)
            )
        for name, launch in launches:
            self._agent.instances.start(name, launch, ASKED)
        return len(launches)

    def why(self, service: str) -> Deferred[list[dict[str, Any]]]:
        """See L{IAdministration.why}."""

        def entries() -> list[dict[str, Any]]:
            found = read(self._journal, lambda slot: service_of(slot) == service, ENTRIES)
            return [entry.to_object() for entry in found]

        return self._in_thread(entries)

    def logs(self, service: str, lines: int, follow: bool, output: IOutput) -> Deferred[None]:
        """See L{IAdministration.logs}."""
        return Deferred.fromCoroutine(self._tell(service, lines, follow, output))

    async def _tell(self, service: str, lines: int, follow: bool, output: IOutput) -> None:
        check_name("service", service)
        tail = Tail(self._logs, service, None if lines < 0 else lines)
        try:
            if not await self._in_thread(tail.begin):
                raise NoLog(service=service, directory=self._logs)
            while True:
                await self._tell_all(tail, follow, output)
                if not follow:
                    break
                stir = Stir(self._watch, self._logs, self._clock, LOOK_AGAIN)
                try:  # what was written before we could be told of it
                    await self._tell_all(tail, follow, output)
                    await stir.wait()
                finally:
                    stir.close()
                await deferLater(self._clock, PAUSE)
        finally:
            self._in_thread(tail.close)

    async def _tell_all(self, tail: Tail, follow: bool, output: IOutput) -> None:
        """Write what there is just now."""
        while pieces := await self._in_thread(lambda: tail.more(follow)):
            for slot, data in pieces:
                await output.write(slot, data)

    def run(
        self, service: str, task: str, arguments: list[str], output: IOutput
    ) -> Deferred[dict[str, Any]]:
        """See L{IAdministration.run}."""
        return self._run(service, task, arguments, output)

    def _of(self, service: str, slot: str) -> list[Instance]:
        """The instances that are meant.

        @raise NotHere: there are none.
        """
        found = self._agent.instances.of(service)
        found = [instance for instance in found if slot in ("", instance.name)]
        if not found:
            raise self._not_here(service, slot)
        return found

    def _not_here(self, service: str, slot: str) -> NotHere:
        hint = f' as "{slot}"' if slot else ""
        return NotHere(service=service, machine=self._agent.machine, hint=hint)


def _why(wants: Iterable[Want | None]) -> str:
    reasons = (getattr(want, "why", "it leaves") for want in wants)
    return next(iter(reasons), "")
