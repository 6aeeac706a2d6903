"""How often a client waits for a server, counted by a proxy between the two."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from twisted.internet.endpoints import serverFromString
from twisted.protocols.portforward import ProxyClient, ProxyClientFactory, ProxyFactory, ProxyServer


class Turns:
    """How often one side waited for the other: each time the client speaks after the server."""

    def __init__(self) -> None:
        self.count = 0
        self._client = False

    def client(self) -> None:
        """The client speaks."""
        self.count += not self._client
        self._client = True

    def server(self) -> None:
        """The server does."""
        self._client = False


@asynccontextmanager
async def proxy(reactor: Any, servers: str, turns: Turns) -> AsyncIterator[str]:
    """Something between a client and ZooKeeper, that counts."""

    class Outward(ProxyClient):
        def dataReceived(self, data: bytes) -> None:
            turns.server()
            super().dataReceived(data)

    class OutwardFactory(ProxyClientFactory):
        protocol = Outward

    class Inward(ProxyServer):
        clientProtocolFactory = OutwardFactory

        def __init__(self) -> None:
            self.reactor = reactor

        def dataReceived(self, data: bytes) -> None:
            turns.client()
            super().dataReceived(data)

    host, _, port = servers.partition(":")
    factory = ProxyFactory(host, int(port))
    factory.protocol = Inward
    listening = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(factory)
    try:
        yield f"127.0.0.1:{listening.getHost().port}"
    finally:
        await listening.stopListening()
