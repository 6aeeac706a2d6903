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
from pop.together import together
from txzookeeper import ACL, EPHEMERAL, ClientEvent
from txzookeeper.errors import (
    BadVersionException,
    ClosingException,
    ConnectionLossException,
    NodeExistsException,
    NoNodeException,
    NotConnectedException,
    ZooKeeperException,
)

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
        """Wait until there is one; its nodes are made together, the agents' last."""
        path = self._cluster.paths.agents
        while True:
            with contextlib.suppress(NoNodeException, ConnectionLossException):
                exists, watch = self._client.exists_and_watch(path)
                if await exists:
                    return
                await watch

    async def _register(self) -> None:
        acl = await self._cluster.acl()
        await self._describe(acl)
        _, path = self._paths
        while True:
            try:
                await self._client.create(path, self._agent.to_json(), acl, EPHEMERAL)
                return
            except NoNodeException as error:
                raise NotInitialised(path=self._cluster.paths.root) from error
            except NodeExistsException:
                await self._succeed(path)

    async def _describe(self, acl: list[ACL]) -> None:
        path, _ = self._paths
        try:
            await self._client.create(path, self._machine.to_json(), acl)
        except NodeExistsException:
            await self._client.set(path, self._machine.to_json())
        except NoNodeException as error:
            raise NotInitialised(path=self._cluster.paths.root) from error

    async def _succeed(self, path: str) -> None:
        """Take the place of our predecessor: whoever holds our state directory is us.

        @raise MachineTaken: it is not ours.
        """
        with contextlib.suppress(NoNodeException, BadVersionException):
            data, stat = await self._client.get(path)
            other = AgentInfo.from_json(path, data)
            ours = stat.ephemeral_owner == self._client.client_id[0]
            if not ours and other.state_id != self._agent.state_id:
                raise MachineTaken(
                    machine=self._machine.id,
                    pid=other.pid,
                    host=other.host,
                    directory=other.state_dir,
                    seconds=self._client.session_timeout / 1000,
                )
            await self._client.delete(path, stat.version)

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
            await _first([watch for _, watch in looks])
            return
        await self._register()
        self._reports.publish_again()


async def _first(watches: list[Deferred[ClientEvent]]) -> None:
    """Wait for one of several watches, and forget the others."""
    done: Deferred[None] = Deferred()
    for watch in watches:
        watch.addCallback(lambda _: None if done.called else done.callback(None))
    try:
        await done
    finally:
        for watch in watches:
            if not watch.called:
                watch.addErrback(lambda f: f.trap(CancelledError) and None)
                watch.cancel()
