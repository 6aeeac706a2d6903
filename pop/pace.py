"""The pace of a task: on one batch of machines after the other, while the service keeps well."""

from pop.assignment import Course
from pop.cluster import Cluster
from pop.model import Service
from pop.rolling import roll
from pop.waiting import until_ready

USUAL = 60.0
"""Seconds within which an instance must be ready, unless its settings say otherwise."""


class Pace:
    """An order for L{pop.assignment.Course.run}.

    Where the task went well, the next batch waits until the instance there is ready, be it that the
    task has restarted it. One that is held need not be.

    @ivar stopped: why not all machines had their turn; empty if they had.
    """

    def __init__(self, cluster: Cluster, service: Service, batch: int) -> None:
        self.stopped = ""
        self._cluster = cluster
        self._service = service
        self._batch = batch

    async def __call__(self, course: Course) -> None:
        """Carry it out."""

        async def act(machine: str) -> str:
            result = await course.on(machine)
            if result.status == 0:
                await self._ready(machine)
                return ""
            return result.problem.rstrip(".") or f"status {result.status}"

        end = await roll(course.machines, self._batch, act)
        if end.stopped:
            left = ", ".join(end.waiting)
            rest = f" It was not begun on {left}." if left else ""
            self.stopped = f"Stopped at {end.stopped}.{rest}"

    async def _ready(self, machine: str) -> None:
        if self._service.target.run:
            patience = self._service.settings.get("start_timeout") or USUAL
            await until_ready(self._cluster, self._service.name, machine, float(patience))
