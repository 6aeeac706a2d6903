"""An assignment: a task that is to be done on some machines of a service."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, DeferredList

from pop.cluster import Cluster
from pop.errors import PopError, RunLost, TasksBusy
from pop.frozen import frozen
from pop.interfaces import IOutput
from pop.model import Json, Service
from pop.runrecord import CANCELLED, RunRecord
from pop.runs import Runs
from pop.together import together
from txzookeeper.lock import Lock, LockLost

Ask = Callable[[str, Callable[[Any], Awaitable[dict[str, Json]]]], Awaitable[dict[str, Json]]]
"""(machine, question): connects to a machine's agent and asks it."""


@frozen
class Assignment:
    """What is to be done.

    @ivar changes: whether it may change something, so that no two may be done at a time.
    @ivar waits: whether to wait for those who do such a thing now.
    """

    service: str
    task: str
    arguments: tuple[str, ...]
    machines: tuple[str, ...]
    changes: bool = True
    waits: bool = True


@frozen
class Result:
    """What came of it on one machine.

    @ivar status: the exit status; L{None} if it has none, and C{problem} says why.
    """

    status: int | None = None
    problem: str = ""


class Course:
    """One assignment being carried out.

    @param ask: how an agent is asked.
    @param output: who takes what is written on a machine.
    @param who: who does this, C{user@host}.
    @param identifier: the same, and nobody else's.
    @param now: the time, as people and programs read it.
    @param waiting: told whom we wait for.
    @param ended: told what came of it on a machine, as soon as that is known.
    @param check: raises if a service cannot be as it is going to be.
    @ivar results: of each machine, as soon as there is one.
    @ivar recorded: the settings that were changed in the end.
    """

    def __init__(
        self,
        cluster: Cluster,
        assignment: Assignment,
        ask: Ask,
        output: Callable[[str], IOutput],
        *,
        who: str,
        identifier: str,
        now: Callable[[], str],
        waiting: Callable[[str], None] = lambda _: None,
        ended: Callable[[str, Result], object] = lambda machine, result: None,
        check: Callable[[Service], object] = lambda _: None,
    ) -> None:
        self.results: dict[str, Result] = {}
        self.recorded: dict[str, Json] = {}
        self._cluster = cluster
        self._assignment = assignment
        self._ask = ask
        self._output = output
        self._who = who
        self._identifier = identifier
        self._now = now
        self._waiting = waiting
        self._ended = ended
        self._check = check
        self._runs = Runs(cluster, assignment.service)
        self._settings: dict[str, Json] = {}

    async def run(self, order: Callable[["Course"], Awaitable[object]] | None = None) -> None:
        """All of it, by turns with others where it may change something.

        Cancelled, it is cancelled everywhere.

        @param order: has L{on} be done for each machine; for all at once unless given.
        @raise TasksBusy: others are at it, and we do not wait.
        @raise RunLost: ZooKeeper has given us up.
        """
        order = order or _everywhere
        if not self._assignment.changes:
            await self._recorded(order)
            return
        lock = await self._runs.lock(self._identifier)
        acquiring = lock.acquire()
        try:
            await self._look(lock)
        except BaseException:
            acquiring.addErrback(lambda _: None)
            acquiring.cancel()
            raise
        await acquiring
        await self._holding(lock, order)

    async def _look(self, lock: Lock) -> None:
        """Who is before us, if anybody is."""
        names = [name.decode("utf-8", "replace") for name in await lock.contenders()]
        if lock.acquired or not names or names[0] == self._identifier:
            return
        if not self._assignment.waits:
            raise TasksBusy(service=self._assignment.service, who=names[0])
        self._waiting(names[0])

    async def _holding(self, lock: Lock, order: Callable[["Course"], Awaitable[object]]) -> None:
        work = Deferred.fromCoroutine(self._recorded(order))
        lost: list[str] = []

        def give_up(reason: str) -> None:
            lost.append(reason)
            work.cancel()

        lock.lost().addCallback(give_up)
        try:
            await work
        except CancelledError:
            if not lost:
                raise
        finally:
            try:
                await lock.release()
            except LockLost as error:
                lost.append(error.reason)
        if lost:
            named = {"service": self._assignment.service, "task": self._assignment.task}
            raise RunLost(reason=lost[0].rstrip("."), **named)

    async def _recorded(self, order: Callable[["Course"], Awaitable[object]]) -> None:
        record = RunRecord(
            self._assignment.task,
            self._who,
            self._now(),
            machines=dict.fromkeys(self._assignment.machines),
        )
        run = await self._runs.begin(record)
        try:
            await order(self)
            await self._change()
        finally:
            statuses = {m: self._result(m).status for m in self.machines}
            problems = {m: p for m in self.machines if (p := self._result(m).problem)}
            ended = replace(record, ended=self._now(), machines=statuses, problems=problems)
            await self._runs.end(run, ended)

    def _result(self, machine: str) -> Result:
        return self.results.get(machine, Result(problem="it was not begun"))

    async def on(self, machine: str) -> Result:
        """Do it on one machine; what goes wrong is a result, too."""
        assignment, output = self._assignment, self._output(machine)

        async def question(agent: Any) -> dict[str, Json]:
            words = list(assignment.arguments)
            found: dict[str, Json] = await agent.run(
                assignment.service, assignment.task, words, output
            )
            return found

        self.results[machine] = Result(problem=CANCELLED)
        try:
            found = await self._ask(machine, question)
        except PopError as error:
            self.results[machine] = Result(problem=str(error))
        else:
            self.results[machine] = Result(found["status"])
            self._settings |= found["settings"] or {}
        self._ended(machine, self.results[machine])
        return self.results[machine]

    @property
    def machines(self) -> tuple[str, ...]:
        """All that it is to be done on."""
        return self._assignment.machines

    @property
    def succeeded(self) -> bool:
        """Whether it went well on every machine."""
        return all(self._result(machine).status == 0 for machine in self.machines)

    @property
    def unrecorded(self) -> bool:
        """Whether settings were to be recorded, and were not."""
        return bool(self._settings) and not self.recorded

    async def _change(self) -> None:
        """Change the settings that are to be recorded, if all went well."""
        if not (self._settings and self.succeeded):
            return

        def change(service: Service) -> Service:
            merged = {**service.settings, **self._settings}
            kept = {key: value for key, value in merged.items() if value is not None}
            changed = replace(service, settings=kept)
            self._check(changed)
            return changed

        await self._cluster.change(self._assignment.service, change)
        self.recorded = self._settings


async def _everywhere(course: Course) -> None:
    """On all machines at once; who gives up waits for the end of all."""
    begun = [Deferred.fromCoroutine(course.on(machine)) for machine in course.machines]
    try:
        await together(begun)
    except Exception:
        for each in begun:
            each.cancel()
        await DeferredList(begun, consumeErrors=True)
        raise
