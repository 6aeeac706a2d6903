"""Waiting for what was asked to come true."""

import contextlib
from collections.abc import Callable

from twisted.internet.defer import Deferred, TimeoutError

from pop.cluster import Cluster
from pop.errors import NotGone, NotReady, NotReported, PopError
from pop.life import Phase
from pop.model import Status
from pop.watch import look
from txzookeeper import ClientEvent
from txzookeeper.errors import ConnectionLossException


async def until_ready(cluster: Cluster, service: str, machine: str, patience: float) -> None:
    """Wait until an instance is ready, or has done what it should and is finished.

    @param patience: seconds.
    @raise NotReady: it failed, or the time is over.
    """

    def not_ready(status: Status | None) -> PopError:
        if status is None:
            return NotReported(service=service, machine=machine, seconds=patience)
        why = f": {status.why}" if status.why else ""
        return NotReady(service=service, machine=machine, phase=status.phase, why=why)

    def done(status: Status | None) -> bool:
        if status is None:
            return False
        finished = status.phase == Phase.FINISHED
        if status.phase == Phase.FAILED or (finished and status.problem):
            raise not_ready(status)
        return finished or status.phase == Phase.READY

    await _until(cluster, cluster.paths.status(service, machine), patience, done, not_ready)


async def until_gone(cluster: Cluster, service: str, machine: str, patience: float) -> None:
    """Wait until nothing is reported of an instance any more.

    @param patience: seconds.
    @raise NotGone: the time is over.
    """

    def not_gone(status: Status | None) -> NotGone:
        phase = status.phase if status else ""
        return NotGone(service=service, machine=machine, phase=phase, seconds=patience)

    path = cluster.paths.status(service, machine)
    await _until(cluster, path, patience, lambda status: status is None, not_gone)


async def _until(
    cluster: Cluster,
    path: str,
    patience: float,
    done: Callable[[Status | None], bool],
    late: Callable[[Status | None], PopError],
) -> None:
    last: list[Status | None] = [None]

    async def watch() -> None:
        while True:
            last[0], changed = await _look(cluster, path)
            if done(last[0]):
                return
            await changed

    try:
        await Deferred.fromCoroutine(watch()).addTimeout(patience, cluster.clock)
    except TimeoutError as error:
        raise late(last[0]) from error


async def _look(cluster: Cluster, path: str) -> tuple[Status | None, "Deferred[ClientEvent]"]:
    while True:
        with contextlib.suppress(ConnectionLossException):
            node, watch = await look(cluster.client, path)
            return (None if node is None else Status.from_json(path, node[0])), watch
