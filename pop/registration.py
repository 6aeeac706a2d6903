"""A machine and its agent in ZooKeeper: who is there, and that there is only one."""

import contextlib

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from pop.cluster import Cluster
from pop.errors import MachineTaken, NotInitialised, PopError
from pop.model import AgentInfo, Machine
from pop.reports import Reports
from pop.together import first, together
from txzookeeper import ACL, EPHEMERAL, Stat
from txzookeeper.errors import (
    BadVersionException,
    ClosingException,
    ConnectionLossException,
    NodeExistsException,
    NoNodeException,
    NotConnectedException,
    ZooKeeperException,
)
from txzookeeper.transaction import Transaction

RETRY = 5.0
"""Seconds until a registration that was refused later on is tried again."""


class Registration:
    """The nodes that say what a machine is and that its agent lives.

    @param reports: published again when the namespace was made anew.
    """

    _log = Logger()

    def __init__(
        self,
        cluster: Cluster,
        machine: Machine,
        agent: AgentInfo,
        reports: Reports,
        clock: IReactorTime,
    ) -> None:
        self._cluster = cluster
        self._client = cluster.client
        self._machine = machine
        self._agent = agent
        self._reports = reports
        self._clock = clock
        self._paths = (cluster.paths.machine(machine.id), cluster.paths.agent(machine.id))
        self._keeper: Deferred[None] | None = None

    async def register(self) -> None:
        """Make the nodes; from then on they are made again whenever they are lost.

        While there is no namespace, this waits for one.

        @raise MachineTaken: another agent serves this machine.
        @raise BrokenNode: something serves it that makes no sense.
        """
        while True:
            try:
                await self._register()
            except NotInitialised as error:
                self._log.warn("{error} Waiting for it.", error=error)
                await self._namespace()
            except ConnectionLossException:
                continue
            else:
                break
        self._keeper = Deferred.fromCoroutine(self._keep())

    def stop(self) -> None:
        """Make them no more; closing the client removes the agent's."""
        if self._keeper:
            self._keeper.cancel()

    async def _namespace(self) -> None:
        """Wait until there is one, whole."""
        for path in self._cluster.paths.roots:
            await self._existence(path)

    async def _existence(self, path: str) -> None:
        while True:
            with contextlib.suppress(NoNodeException, ConnectionLossException):
                exists, watch = self._client.exists_and_watch(path)
                if await exists:
                    return
                await watch

    async def _register(self) -> None:
        """Make or renew both nodes in one transaction, so that no other agent comes between."""
        while True:
            await self._cluster.check()
            acl = await self._cluster.last_acl()
            transaction = await self._changes(acl)
            with contextlib.suppress(NodeExistsException, NoNodeException, BadVersionException):
                await transaction.commit()
                self._client.adopt(self._paths[1], self._agent.to_json(), acl)
                return

    async def _changes(self, acl: list[ACL]) -> Transaction:
        machine_path, agent_path = self._paths
        looks = [self._cluster.node(path) for path in self._paths]
        machine, agent = await together(looks)
        transaction = self._client.transaction()
        if agent and self._is_ours(agent[1]):
            transaction.set(agent_path, self._agent.to_json(), agent[1].version)
        else:
            if agent:
                self._refuse_foreign(agent_path, agent[0])
                transaction.delete(agent_path, agent[1].version)
            transaction.create(agent_path, self._agent.to_json(), acl, EPHEMERAL)
        if machine:
            return transaction.set(machine_path, self._machine.to_json(), machine[1].version)
        return transaction.create(machine_path, self._machine.to_json(), acl)

    def _is_ours(self, stat: Stat) -> bool:
        """Whether a node lives as long as our session, which a predecessor may have begun."""
        return stat.ephemeral_owner == self._client.client_id[0]

    def _refuse_foreign(self, path: str, data: bytes) -> None:
        """Only whoever held our state directory before us may be there.

        @raise MachineTaken: somebody else is.
        """
        other, mine = AgentInfo.from_json(path, data), self._agent
        if not other.state_id or (other.host, other.state_id) != (mine.host, mine.state_id):
            raise MachineTaken(
                machine=self._machine.id,
                pid=other.pid,
                host=other.host,
                directory=other.state_dir,
                seconds=self._client.session_timeout / 1000,
            )

    async def _keep(self) -> None:
        with contextlib.suppress(CancelledError, ClosingException, NotConnectedException):
            while True:
                try:
                    await self._look()
                except ConnectionLossException:
                    continue
                except NotInitialised:
                    await self._namespace()
                except (ZooKeeperException, PopError) as error:
                    self._log.error("Cannot register this machine: {error}", error=error)
                    await deferLater(self._clock, RETRY)

    async def _look(self) -> None:
        """Wait while both nodes are there; then make them again, and the reports with them."""
        looks = [self._client.exists_and_watch(path) for path in self._paths]
        exist = [exists for exists, _ in looks]
        found = await together(exist)
        if all(found):
            await first(watch for _, watch in looks)
            return
        await self._register()
        self._reports.publish_again()
