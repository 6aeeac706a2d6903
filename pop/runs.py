"""The runs of a service's tasks in ZooKeeper: one at a time, and the last of them remembered."""

import contextlib

from pop.cluster import Cluster
from pop.errors import BrokenNode, NoSuchService
from pop.runrecord import RunRecord
from pop.together import together
from txzookeeper import constants
from txzookeeper.errors import NodeExistsException, NoNodeException, NotEmptyException
from txzookeeper.lock import Lock

KEPT = 50
"""How many runs of a service are remembered."""
PREFIX = "run-"


class Runs:
    """What is known of the runs of a service's tasks."""

    def __init__(self, cluster: Cluster, service: str) -> None:
        self._cluster = cluster
        self._client = cluster.client
        self._paths = cluster.paths
        self._service = service

    async def lock(self, who: str) -> Lock:
        """What only one holds at a time, and is free as soon as its holder has died.

        @param who: what others are told of us; it must be nobody else's.
        """
        acl = await self._cluster.acl()
        return Lock(self._paths.lock(self._service), self._client, who.encode(), acls=acl)

    async def begin(self, record: RunRecord) -> str:
        """Remember that a run has begun; gives its id.

        @raise NoSuchService: it has been removed.
        """
        acl = await self._cluster.acl()
        parent = self._paths.runs(self._service)
        try:
            with contextlib.suppress(NodeExistsException):
                await self._client.create(parent, b"", acl)
            path = await self._client.create(
                f"{parent}/{PREFIX}", record.to_json(), acl, constants.SEQUENCE
            )
        except NoNodeException as error:
            raise NoSuchService(service=self._service) from error
        run = path.rpartition("/")[2]
        going = self._paths.going(self._service, run)
        await self._client.create(going, b"", acl, constants.EPHEMERAL)
        await self._forget()
        return run

    async def end(self, run: str, record: RunRecord) -> None:
        """Remember how it has ended."""
        path = self._paths.run(self._service, run)
        with contextlib.suppress(NoNodeException):  # the service was removed meanwhile
            await self._client.set(path, record.to_json())
        with contextlib.suppress(NoNodeException):
            await self._client.delete(self._paths.going(self._service, run))

    async def read(self) -> list[RunRecord]:
        """Those that are remembered, oldest first.

        @raise NoSuchService: there is no such service.
        """
        found = await together([self._read(run) for run in await self._ids()])
        return [record for record in found if record]

    async def _read(self, run: str) -> RunRecord | None:
        path = self._paths.run(self._service, run)
        try:
            data, stat = await self._client.get(path)
            return RunRecord.from_json(path, data, going=stat.num_children > 0)
        except (NoNodeException, BrokenNode):
            return None

    async def _ids(self) -> list[str]:
        try:
            return sorted(await self._client.get_children(self._paths.runs(self._service)))
        except NoNodeException:
            await self._cluster.read(self._service)
            return []

    async def _forget(self) -> None:
        """Of those that go on, none is forgotten."""
        for run in (await self._ids())[:-KEPT]:
            with contextlib.suppress(NoNodeException, NotEmptyException):
                await self._client.delete(self._paths.run(self._service, run))
