"""Namespaces in a ZooKeeper in memory, for the tests of all that talks to one."""

import json
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pop.cluster import Cluster
from pop.model import Service
from pop.namespace import init
from pop.paths import Paths
from txzookeeper import ManagedClient, Stat
from txzookeeper.testing import MemoryServer, Network
from txzookeeper.testing.line import Lines

T = TypeVar("T")
E = TypeVar("E", bound=Exception)


class SteppingClock(Clock):
    """A clock that can be stopped between any two things that happen in one moment."""

    def step(self) -> bool:
        """Do the first thing that is due now; whether there was one."""
        self._sortCalls()
        if not self.calls or self.calls[0].getTime() > self.seconds():
            return False
        call = self.calls.pop(0)
        call.called = 1
        call.func(*call.args, **call.kw)
        return True


class ClusterTestCase(SynchronousTestCase):
    """A server, a namespace in it, and clients of it that are closed in the end.

    @ivar cluster: the namespace as the administrator has it.
    """

    prefix = "/"

    def setUp(self) -> None:
        """Begin with a namespace that is empty."""
        self.begin()
        self.addCleanup(self.end)

    def begin(self) -> None:
        """Have a fresh server."""
        self.clock = SteppingClock()
        self.server = MemoryServer(self.clock)
        self.clients: list[ManagedClient] = []
        self.cluster = self.connect()
        self.paths = self.cluster.paths
        self.client = self.cluster.client
        self.run_(init(self.cluster, force=False, identity=None))

    def end(self) -> None:
        """Close all clients: nothing may be left to happen, and no client may be in doubt."""
        for client in self.clients:
            self.run_(client.close())
        self.server.close()
        self.assertEqual([], self.clock.getDelayedCalls())

    def connect(
        self,
        network: Network | Lines | None = None,
        *,
        identity: str | None = None,
        prefix: str | None = None,
        chroot: str = "",
        session_timeout: int = 6000,
    ) -> Cluster:
        """Another client of the namespace, on a network of its own if it is to be in trouble."""
        client = ManagedClient(
            self.server.servers + chroot,
            session_timeout,
            reactor=self.clock,
            endpoint=(network or self.server).endpoint,
            random=Random(len(self.clients)),
        )
        self.clients.append(client)
        if identity:
            client.add_auth("digest", identity)
        self.run_(client.connect())
        return Cluster(client, Paths(self.prefix if prefix is None else prefix), self.clock)

    def run_(self, work: Coroutine[Any, Any, T] | Deferred[T]) -> T:
        """Let time pass until the work is done (C{run} is trial's)."""
        return self.server.run(work)

    def fails(self, kind: type[E], work: Coroutine[Any, Any, Any] | Deferred[Any]) -> E:
        """The error of that kind that the work ends with."""
        try:
            self.run_(work)
        except kind as error:
            return error
        raise self.failureException(f"no {kind.__name__}")

    def deploy(self, name: str = "web", *machines: str, **settings: Any) -> Service:
        """Have a service, deployed on some machines."""
        service = Service(name, "command", settings or {"argv": "true"}, machines)
        self.run_(self.cluster.add(service))
        return service

    def data(self, path: str) -> bytes | None:
        """What a node holds; L{None} if there is none."""
        node = self.run_(self.cluster.node(path))
        return node and node[0]

    def stat(self, path: str) -> Stat:
        """What is known of a node that must be there."""
        stat = self.run_(self.client.exists(path))
        assert stat is not None, path
        return stat

    def put(self, path: str, data: bytes) -> None:
        """Write a node by hand, and its parents if need be."""
        parts = path.split("/")[1:]
        for end in range(1, len(parts)):
            parent = "/" + "/".join(parts[:end])
            if not self.run_(self.client.exists(parent)):
                self.run_(self.client.create(parent))
        if self.run_(self.client.exists(path)):
            self.run_(self.client.set(path, data))
        else:
            self.run_(self.client.create(path, data))

    def tree(self, path: str = "/") -> dict[str, bytes]:
        """All nodes below a path, with their data."""
        found: dict[str, bytes] = {}
        children = self.run_(self.client.get_children(path))
        for child in sorted(children):
            below = f"{path.rstrip('/')}/{child}"
            if below != "/zookeeper":
                found[below] = self.data(below) or b""
                found |= self.tree(below)
        return found

    def at_each_step(self, work: Callable[[], None], trouble: Callable[[], None]) -> "Steps":
        """Do some work again and again on fresh servers, with trouble after one more step each.

        @param work: begins it, on what L{begin} made.
        """
        return Steps(self, work, trouble)


class Steps:
    """Trouble at each moment of some work: an iterator of how many steps it came after.

    The loop's body checks that all is well in the end.
    """

    def __init__(
        self, case: ClusterTestCase, work: Callable[[], None], trouble: Callable[[], None]
    ) -> None:
        self._case = case
        self._work = work
        self._trouble = trouble
        self._steps = 0
        self._over = False

    def __iter__(self) -> "Steps":
        return self

    def __next__(self) -> int:
        if self._over:
            raise StopIteration
        if self._steps:
            self._case.end()
            self._case.begin()
        self._work()
        for _ in range(self._steps):
            self._over = not self._case.clock.step()
        self._trouble()
        self._steps += 1
        return self._steps


def plain(data: bytes | None) -> Any:
    """The JSON that a node holds."""
    assert data is not None
    return json.loads(data)
