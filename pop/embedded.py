"""An agent with a ZooKeeper of its own, for one machine: C{twistd pop --embedded}."""

import os
from collections.abc import Callable
from typing import Any

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from pop.cluster import Cluster
from pop.configuration import Configuration
from pop.errors import BadEmbedded
from pop.namespace import init
from txzookeeper.embedded import EmbeddedServer
from txzookeeper.hosts import parse_hosts

_LOOPBACK = {"localhost": "127.0.0.1"}


def embedded_server(reactor: Any, configuration: Configuration) -> EmbeddedServer:
    """The server, ready to listen where the agent's ZooKeeper is said to be.

    @raise BadEmbedded: that is not one address and nothing else.
    @raise Trouble: its data cannot be used.
    """
    hosts, chroot = parse_hosts(configuration.servers)
    if len(hosts) != 1 or chroot:
        raise BadEmbedded(servers=configuration.servers)
    interface = _LOOPBACK.get(hosts[0].name, hosts[0].name).replace(":", "\\:")
    server = EmbeddedServer(
        reactor,
        configuration.state_dir.zookeeper,
        [f"tcp:{hosts[0].port}:interface={interface}"],
        secret=os.urandom(32),
    )
    server.prepare()
    return server


class EmbeddedAgent(Service):
    """A server, and an agent that begins after it and ends before it.

    The namespace is made if it is not there yet, as nobody could have made it before.

    @ivar refused: ends the process: the server cannot listen.
    @ivar failed: ends the process: the namespace cannot be made.
    """

    log = Logger()

    def __init__(
        self,
        server: EmbeddedServer,
        agent: IService,
        cluster: Cluster,
        identity: str | None,
        refused: Callable[[Exception], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._server = server
        self._agent = agent
        self._cluster = cluster
        self._identity = identity
        self._refused = refused
        self._failed = failed
        self._beginning: Deferred[None] | None = None

    def privilegedStartService(self) -> None:
        """Listen."""
        super().privilegedStartService()
        try:
            self._server.privilegedStartService()
        except Exception as error:
            self._refused(error)
            raise

    def startService(self) -> None:
        """Serve; then make the namespace if need be; then run services."""
        super().startService()
        self._server.startService()
        self._beginning = Deferred.fromCoroutine(self._begin())
        self._beginning.addErrback(self._not_begun)

    def stopService(self) -> Deferred[None]:
        """Stop the agent, and when it has left the cluster the server."""
        super().stopService()
        return Deferred.fromCoroutine(self._end())

    async def _begin(self) -> None:
        client = self._cluster.client
        await client.connect()
        if not await client.exists(self._cluster.paths.services):
            await init(self._cluster, force=False, identity=self._identity)
            self.log.info("Made the namespace {root}.", root=self._cluster.paths.root)
        await client.close()
        if self.running:
            self._agent.startService()

    def _not_begun(self, failure: Failure) -> None:
        if isinstance(failure.value, Exception) and self.running:
            self._failed(failure.value)

    async def _end(self) -> None:
        await self._cluster.client.close()
        if self._agent.running:
            await maybeDeferred(self._agent.stopService)
        await self._server.stopService()
