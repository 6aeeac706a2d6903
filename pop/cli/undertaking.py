"""One call of C{pop run}: a task, where it is done, and what is told of it."""

import os
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from pop.assignment import Assignment, Course, Result
from pop.cli.reach import Agents, Places, places
from pop.cli.session import Session, author
from pop.cli.sink import Sink
from pop.cli.stage import Bars, Stage
from pop.cluster import Cluster
from pop.errors import NotDeployed, NotDeployedThere
from pop.interfaces import IOutput
from pop.model import Json, Service
from pop.pace import Pace
from pop.tasks import Task

FAILED = 1
"""The exit status where a task could not be run at all."""


class Undertaking:
    """A task of a service.

    @param words: its arguments.
    @param batch: on how many machines at a time; L{None} for all at once.
    """

    def __init__(
        self,
        session: Session,
        cluster: Cluster,
        service: Service,
        task: Task,
        words: list[str],
        batch: int | None = None,
    ) -> None:
        self._session = session
        self._cluster = cluster
        self._service = service
        self._task = task
        self._words = words
        self._pace = Pace(cluster, service, batch) if batch else None

    async def run(self, chosen: Iterable[str], once: bool, waits: bool) -> int:
        """Do it; gives the exit status.

        @param chosen: machines, by id or host; all that the service is on, if there are none.
        """
        where = await self._where(tuple(chosen), once)
        async with self._session.agents(self._cluster) as agents:
            if self._session.json:
                return await self._quietly(where, agents, waits)
            return await self._openly(where, agents, waits)

    async def _where(self, chosen: tuple[str, ...], once: bool) -> Places:
        if not self._service.machines:
            raise NotDeployed(service=self._service.name)
        where = await places(self._cluster, self._service.name, chosen)
        for machine in where.machines:
            if machine not in self._service.machines:
                on = where.said(self._service.machines)
                raise NotDeployedThere(service=self._service.name, machine=machine, machines=on)
        if not chosen:
            where = replace(where, machines=self._service.machines)
        if once or (self._task.where == "once" and not chosen and not self._pace):
            where = replace(where, machines=(self._one(where),))
        return where

    def _one(self, where: Places) -> str:
        """This machine, else the first whose agent is there."""
        here = self._session.configuration.machine
        if here in where.machines:
            return here
        alive = {instance.machine for instance in where.view.instances if instance.alive}
        first: str = next((m for m in where.machines if m in alive), where.machines[0])
        return first

    async def _openly(self, where: Places, agents: Agents, waits: bool) -> int:
        """For people."""
        names = {machine: where.said([machine]) for machine in where.machines}
        sinks = {"stdout": Sink(self._cluster.clock, 1), "stderr": Sink(self._cluster.clock, 2)}
        stage = Stage({source: sink.write for source, sink in sinks.items()}, names, _bars())

        def ended(machine: str, result: Result) -> None:
            if result.problem:
                stage.say(f"{names[machine]}: {result.problem}")
            elif result.status and len(names) > 1:
                stage.say(f"{names[machine]}: status {result.status}")

        course = self._course(where, agents, waits, stage.voice, ended)
        try:
            await course.run(self._pace)
        finally:
            await stage.close()
            for sink in sinks.values():
                sink.close()
        self._tell(course)
        return self._status(course)

    async def _quietly(self, where: Places, agents: Agents, waits: bool) -> int:
        """For scripts."""
        texts = {machine: Text() for machine in where.machines}
        course = self._course(where, agents, waits, texts.__getitem__, lambda *_: None)
        await course.run(self._pace)
        self._session.print_json(
            {
                "service": self._service.name,
                "task": self._task.name,
                "machines": {
                    machine: {
                        "status": result.status,
                        "problem": result.problem or None,
                        **texts[machine].read(),
                    }
                    for machine, result in course.results.items()
                },
                "settings": course.recorded,
                "stopped": (self._pace and self._pace.stopped) or None,
            }
        )
        return self._status(course)

    def _course(
        self,
        where: Places,
        agents: Agents,
        waits: bool,
        output: Callable[[str], IOutput],
        ended: Callable[[str, Result], object],
    ) -> Course:
        task, name = self._task, self._service.name
        assignment = Assignment(
            name, task.name, tuple(self._words), where.machines, task.changes, waits
        )
        who = author().who

        async def ask(
            machine: str, question: Callable[[Any], Awaitable[dict[str, Json]]]
        ) -> dict[str, Json]:
            return await question(await agents.of(machine))

        return Course(
            self._cluster,
            assignment,
            ask,
            output,
            who=who,
            identifier=f"{who} (pop run {name} {task.name}, pid {os.getpid()})",
            now=_now,
            waiting=lambda other: self._session.note(f"Waiting for {other}."),
            ended=ended,
            check=lambda s: self._session.catalogue.launch(s, self._session.configuration.machine),
        )

    def _tell(self, course: Course) -> None:
        """What the task itself has not told."""
        if self._pace and self._pace.stopped:
            self._session.note(self._pace.stopped)
        if course.recorded:
            changed = ", ".join(sorted(course.recorded))
            self._session.note(f"Changed settings of {self._service.name}: {changed}.")
        elif course.unrecorded:
            self._session.note(
                "The settings stay as they are, since it did not go well everywhere."
            )

    def _status(self, course: Course) -> int:
        """The first that is not 0."""
        results = (course.results.get(machine, Result()) for machine in course.machines)
        found = (FAILED if r.status is None else r.status for r in results)
        stopped = FAILED if self._pace and self._pace.stopped else 0
        return next((status for status in found if status), stopped)


@implementer(IOutput)
class Text:
    """Keeps all that one machine writes."""

    def __init__(self) -> None:
        self._found: dict[str, list[bytes]] = {"stdout": [], "stderr": []}

    def write(self, source: str, data: bytes) -> "Deferred[None]":
        """See L{IOutput.write}."""
        if source in self._found:
            self._found[source].append(data)
        return succeed(None)

    def read(self) -> dict[str, str]:
        """All of it, by source."""
        return {key: b"".join(v).decode("utf-8", "replace") for key, v in self._found.items()}


def _bars() -> Bars | None:
    """On the terminal, if standard error is one."""
    if not sys.stderr.isatty():
        return None
    from rich.console import Console

    sources = {"stdout", "stderr"} if sys.stdout.isatty() else {"stderr"}
    return Bars(Console(stderr=True), sources)


def _now() -> str:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return now.replace("+00:00", "Z")
