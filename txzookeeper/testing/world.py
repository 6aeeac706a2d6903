"""Where the conformance suite takes place: clients, trouble, and a time that passes by itself.

A promise of the suite is an async function that takes a `World`. In a `MemoryWorld` it runs to
its end at once, on a clock; in a `RealWorld` it is left to the reactor, with a real server.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, succeed

from txzookeeper.client import ZookeeperClient
from txzookeeper.constants import SEQUENCE
from txzookeeper.dialer import Endpoint
from txzookeeper.errors import NoNodeException
from txzookeeper.hosts import parse_hosts
from txzookeeper.managed import ManagedClient
from txzookeeper.testing.line import Lines, Meddler
from txzookeeper.testing.memory import MemoryServer
from txzookeeper.testing.proxy import Proxy

CREDENTIALS = "us:secret"
"""A digest that may do everything, wherever a promise restricts access: who cleans up has it."""

C = TypeVar("C", bound=ZookeeperClient)


class World(ABC):
    """A server with two ways to it: a direct one, and one that can be broken."""

    #: The node that belongs to one test: the clients' chroot.
    root = ""

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor
        self._clients: list[ZookeeperClient] = []

    @abstractmethod
    def servers(self, direct: bool) -> tuple[str, Endpoint | None]:
        """Give the client's ``servers`` and ``endpoint`` for one of the two ways."""

    @abstractmethod
    def run(self, promise: Callable[[World], Awaitable[None]]) -> Deferred[None]:
        """Run a promise to its end, with a fresh root before it and no trace after it."""

    @abstractmethod
    def drop_connections(self) -> None:
        """Break the connections on the way that can be broken; clients may come back at once."""

    @abstractmethod
    async def cut(self) -> None:
        """Break that way's connections, and refuse new ones."""

    @abstractmethod
    async def mend(self) -> None:
        """Let clients connect there again."""

    def client(
        self,
        kind: type[C],
        *,
        direct: bool = False,
        chroot: str | None = None,
        session_timeout: int = 4000,
        chance: Random | None = None,
    ) -> C:
        """Make a client that is not connected yet; by default below the test's own node."""
        servers, endpoint = self.servers(direct)
        client = kind(
            servers + (self.root if chroot is None else chroot),
            session_timeout,
            reactor=self.reactor,
            endpoint=endpoint,
            random=chance or Random(1),
        )
        self._clients.append(client)
        return client

    async def connect(self, **options: Any) -> ZookeeperClient:
        """Give a client that is connected; options as for `client`."""
        return await self.client(ZookeeperClient, **options).connect()

    async def connect_managed(self, **options: Any) -> ManagedClient:
        """Give a managed client that is connected; options as for `client`."""
        client = self.client(ManagedClient, **options)
        await client.connect()
        return client

    async def expire(self, client: ZookeeperClient) -> None:
        """End a client's session behind its back: another connection takes it over and closes."""
        other = self.client(ZookeeperClient, direct=True)
        await other.connect(client_id=client.client_id)
        await other.close()

    def sleep(self, seconds: float) -> Deferred[None]:
        """Let time pass."""
        passed: Deferred[None] = Deferred()
        self.reactor.callLater(seconds, passed.callback, None)
        return passed

    async def kept(self, promise: Callable[[World], Awaitable[None]]) -> None:
        """Run a promise between a beginning and an end."""
        keeper = await self.connect(direct=True, chroot="")
        try:
            await keeper.add_auth("digest", CREDENTIALS)
            self.root = await keeper.create("/test-", flags=SEQUENCE)
            await promise(self)
            await _remove(keeper, self.root)
        finally:
            for client in reversed(self._clients):
                await client.close()


class MemoryWorld(World):
    """A server in memory, and virtual time; ``meddler`` is on the way that can be broken."""

    def __init__(self, meddler: Meddler | None = None) -> None:
        self.server = MemoryServer()
        self._network = self.server.network()
        self._lines = Lines(self.server.clock, self._network.endpoint, meddler)
        super().__init__(self.server.clock)

    def servers(self, direct: bool) -> tuple[str, Endpoint | None]:
        """Lead to the memory server."""
        return self.server.servers, (self.server if direct else self._lines).endpoint

    def run(self, promise: Callable[[World], Awaitable[None]]) -> Deferred[None]:
        """Run it now; nothing may be left on the clock or on the wire afterwards."""
        self.server.run(self.kept(promise))
        left: list[Any] = [*self._network.wires, *self.server.wires, *self._lines.lines]
        self.server.close()
        left += self.server.clock.getDelayedCalls()
        if left:
            raise AssertionError(f"the client left something behind: {left}")
        return succeed(None)

    def drop_connections(self) -> None:
        """Break the clients' wires."""
        self._network.drop_connections()

    async def cut(self) -> None:
        """Break the clients' wires for good."""
        self._network.refuse_connections()
        self._network.drop_connections()

    async def mend(self) -> None:
        """Let clients connect."""
        self._network.accept_connections()


class RealWorld(World):
    """A real server or several, a real reactor, and a proxy that breaks before each of them."""

    def __init__(self, reactor: Any, servers: str, meddler: Meddler | None = None) -> None:
        super().__init__(reactor)
        self._servers = servers
        self.proxies = [Proxy(reactor, str(host), meddler) for host in parse_hosts(servers).hosts]

    def servers(self, direct: bool) -> tuple[str, Endpoint | None]:
        """Lead to the servers, or to the proxies before them."""
        proxied = ",".join(proxy.servers for proxy in self.proxies)
        return self._servers if direct else proxied, None

    def run(self, promise: Callable[[World], Awaitable[None]]) -> Deferred[None]:
        """Start it; the reactor does the rest."""
        return Deferred.fromCoroutine(self._proxied(promise))

    def drop_connections(self) -> None:
        """Break the proxies' connections."""
        for proxy in self.proxies:
            proxy.drop_connections()

    async def cut(self) -> None:
        """Close the proxies."""
        for proxy in self.proxies:
            await proxy.refuse_connections()
        self.drop_connections()

    async def mend(self) -> None:
        """Open the proxies again."""
        for proxy in self.proxies:
            proxy.accept_connections()

    async def _proxied(self, promise: Callable[[World], Awaitable[None]]) -> None:
        await self.mend()
        try:
            await self.kept(promise)
        finally:
            for proxy in self.proxies:
                await proxy.close()


async def _remove(client: ZookeeperClient, path: str) -> None:
    # Containers and nodes with a time to live go by themselves.
    with suppress(NoNodeException):
        for name in await client.get_children(path):
            await _remove(client, f"{path}/{name}")
        await client.delete(path)
