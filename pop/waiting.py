"""Waiting for what was asked to come true."""

import contextlib
from collections.abc import Callable

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime

from pop.cluster import Cluster
from pop.errors import NotGone, NotReady, NotReported, PopError
from pop.life import Phase
from pop.model import Status
from pop.readiness import SETTLES
from pop.watch import look
from txzookeeper import ClientEvent
from txzookeeper.errors import ConnectionLossException


async def until_ready(cluster: Cluster, service: str, machine: str, patience: float) -> None:
    """Wait until an instance is ready, or has done what it should and is finished.

    What is ready only in so far as it runs must go on doing so for a while.

    @param patience: seconds.
    @raise NotReady: it failed, or the time is over.
    """

    def not_ready(status: Status | None) -> PopError:
        if status is None:
            return NotReported(service=service, machine=machine, seconds=patience)
        why = f": {status.why}" if status.why else ""
        return NotReady(service=service, machine=machine, phase=status.phase, why=why)

    def done(status: Status | None) -> float | None:
        if status is None:
            return None
        finished = status.phase == Phase.FINISHED
        if status.phase == Phase.FAILED or (finished and status.problem):
            raise not_ready(status)
        if status.assumed and status.phase == Phase.READY:
            return min(SETTLES, patience / 2)
        return 0 if finished or status.phase == Phase.READY else None

    await _until(cluster, cluster.paths.status(service, machine), patience, done, not_ready)


async def until_gone(cluster: Cluster, service: str, machine: str, patience: float) -> None:
    """Wait until nothing is reported of an instance any more.

    @param patience: seconds.
    @raise NotGone: the time is over.
    """

    def not_gone(status: Status | None) -> NotGone:
        phase = status.phase if status else ""
        return NotGone(service=service, machine=machine, phase=phase, seconds=patience)

    def done(status: Status | None) -> float | None:
        return 0 if status is None else None

    await _until(cluster, cluster.paths.status(service, machine), patience, done, not_gone)


async def _until(
    cluster: Cluster,
    path: str,
    patience: float,
    done: Callable[[Status | None], float | None],
    late: Callable[[Status | None], PopError],
) -> None:
    """Wait for a status, and then for as many seconds without another as C{done} says."""
    last: list[Status | None] = [None]

    async def watch() -> None:
        while True:
            last[0], changed = await _look(cluster, path)
            stays = done(last[0])
            if stays == 0:
                return
            if stays is None:
                await changed
            elif await _stays(changed, stays, cluster.clock):
                return

    try:
        await Deferred.fromCoroutine(watch()).addTimeout(patience, cluster.clock)
    except TimeoutError as error:
        raise late(last[0]) from error


async def _stays(changed: Deferred[ClientEvent], seconds: float, clock: IReactorTime) -> bool:
    try:
        await changed.addTimeout(seconds, clock)
    except TimeoutError:
        return True
    return False


async def _look(cluster: Cluster, path: str) -> tuple[Status | None, "Deferred[ClientEvent]"]:
    while True:
        with contextlib.suppress(ConnectionLossException):
            node, watch = await look(cluster.client, path)
            return (None if node is None else Status.from_json(path, node[0])), watch
