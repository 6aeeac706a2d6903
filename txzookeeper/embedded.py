"""The embedded server as a service: its files, its ports, and the server between them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.interfaces import IAddress, IListeningPort, IStreamServerEndpoint
from twisted.logger import Logger
from twisted.python.failure import Failure

from txzookeeper.connections import Limits
from txzookeeper.datadirectory import DataDirectory
from txzookeeper.durable import DurableTree
from txzookeeper.journal import Journal
from txzookeeper.lifetime import monotonic
from txzookeeper.server import ZooKeeperServer
from txzookeeper.store import Store, blank
from txzookeeper.trouble import BadEndpoint


class EmbeddedServer(Service):
    """A durable server over a data directory, which listens on endpoints.

    ``endpoints`` are Twisted's strings (``tcp:2181:interface=127.0.0.1``); ``secret`` is what the
    sessions' passwords are made from, if the directory is new. For the rest see
    `txzookeeper.server.ZooKeeperServer`.
    """

    log = Logger()

    def __init__(
        self,
        reactor: Any,
        directory: str | Path,
        endpoints: Sequence[str],
        *,
        secret: bytes,
        tick: int = 2000,
        containers: int = 60_000,
        limits: Limits | None = None,
    ) -> None:
        self._reactor = reactor
        self._directory = DataDirectory(directory)
        self._store = Store(self._directory.store)
        self._descriptions = endpoints
        self._secret = secret
        self._tick = tick
        self._containers = containers
        self._limits = limits
        self._endpoints: list[IStreamServerEndpoint] = []
        self._ports: list[IListeningPort] = []
        self._server: ZooKeeperServer | None = None

    @property
    def addresses(self) -> list[IAddress]:
        """Where it listens, once it does."""
        return [port.getHost() for port in self._ports]

    def prepare(self) -> None:
        """Take the directory and read it; raises a `txzookeeper.trouble.Trouble`.

        What can be refused at all is refused here, except for ports that are in use.
        """
        self._endpoints = [self._endpoint(each) for each in self._descriptions]
        self._directory.hold()
        try:
            self._server = self._load()
        except Exception:
            self._close()
            raise

    def before_fork(self) -> None:
        """Close what no other process may take over, until the service is started."""
        self._store.close()

    def privilegedStartService(self) -> None:
        """Listen on all endpoints, or on none: raises `BadEndpoint`."""
        if self._server is None:
            self.prepare()
        assert self._server is not None
        self._directory.sign()
        self._store.open(blank(self._secret))
        for description, endpoint in zip(self._descriptions, self._endpoints, strict=True):
            self._listen(self._server, description, endpoint)
        super().privilegedStartService()

    def startService(self) -> None:
        """Listen, if that has not been done."""
        if not self._ports:
            self.privilegedStartService()
        super().startService()

    def stopService(self) -> Deferred[None]:
        """Close all connections and files."""
        super().stopService()
        return self._stop()

    def _stop(self) -> Deferred[None]:
        ports, self._ports = self._ports, []
        stopped = gatherResults([maybeDeferred(port.stopListening) for port in ports])
        return stopped.addCallback(lambda _: self._close())

    def _close(self) -> None:
        self._server = None
        self._store.close()
        self._directory.release()

    def _endpoint(self, description: str) -> IStreamServerEndpoint:
        # Here, as it takes OpenSSL in where it can: see ``txzookeeper.aside``.
        from twisted.internet.endpoints import serverFromString

        try:
            endpoint: IStreamServerEndpoint = serverFromString(self._reactor, description)
            return endpoint
        except Exception as error:
            # A string leads anywhere: to files, to OpenSSL, to plugins.
            is_plain = isinstance(error, ValueError | OSError)
            reason = error if is_plain else f"{type(error).__name__}: {error}"
            raise BadEndpoint(endpoint=description, reason=reason) from error

    def _load(self) -> ZooKeeperServer:
        self._store.open(blank(self._secret))
        image = self._store.load()
        tree = DurableTree(image, int(monotonic(self._reactor)() * 1000))
        return ZooKeeperServer(
            self._reactor,
            tree,
            tick=self._tick,
            containers=self._containers,
            secret=image.secret,
            journal=Journal(tree, self._store),
            limits=self._limits,
        )

    def _listen(
        self, server: ZooKeeperServer, description: str, endpoint: IStreamServerEndpoint
    ) -> None:
        failures: list[Failure] = []
        listening = maybeDeferred(endpoint.listen, server)
        listening.addCallbacks(self._ports.append, failures.append)
        for failure in failures:
            self._stop()
            cause = getattr(failure.value, "socketError", failure.value)
            reason = getattr(cause, "strerror", None) or cause
            raise BadEndpoint(endpoint=description, reason=reason) from failure.value
