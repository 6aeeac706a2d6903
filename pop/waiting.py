"""Waiting for what was asked to come true."""

from collections.abc import Callable

from twisted.internet.defer import Deferred, TimeoutError

from pop.cluster import Cluster
from pop.errors import NotReady
from pop.life import Phase
from pop.model import Status
from txzookeeper import ClientEvent
from txzookeeper.errors import NoNodeException


async def until_ready(cluster: Cluster, service: str, machine: str, patience: float) -> None:
    """Wait until an instance is ready.

    @param patience: seconds.
    @raise NotReady: it failed, or the time is over.
    """

    def done(status: Status | None) -> bool:
        if status and status.phase == Phase.FAILED:
            raise NotReady(
                service=service, machine=machine, phase=status.phase, why=f": {status.why}"
            )
        return status is not None and status.phase == Phase.READY

    await _until(cluster, service, machine, patience, done)


async def until_gone(cluster: Cluster, service: str, machine: str, patience: float) -> None:
    """Wait until nothing is reported of an instance any more.

    @param patience: seconds.
    @raise NotReady: the time is over.
    """
    await _until(cluster, service, machine, patience, lambda status: status is None)


async def _until(
    cluster: Cluster,
    service: str,
    machine: str,
    patience: float,
    done: Callable[[Status | None], bool],
) -> None:
    last: list[Status | None] = [None]

    async def watch() -> None:
        while True:
            status, changed = await _look(cluster, cluster.paths.status(service, machine))
            last[0] = status
            if done(status):
                return
            await changed

    try:
        await Deferred.fromCoroutine(watch()).addTimeout(patience, cluster.clock)
    except TimeoutError as error:
        status = last[0]
        phase = status.phase if status else "nothing is reported: does its agent run?"
        why = f": {status.why}" if status and status.why else ""
        raise NotReady(service=service, machine=machine, phase=phase, why=why) from error


async def _look(cluster: Cluster, path: str) -> tuple[Status | None, "Deferred[ClientEvent]"]:
    while True:
        try:
            got, watch = cluster.client.get_and_watch(path)
            return Status.from_json(path, (await got)[0]), watch
        except NoNodeException:
            exists, watch = cluster.client.exists_and_watch(path)
            if await exists is None:
                return None, watch
