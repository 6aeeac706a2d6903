"""A machine's turn in the roll of one service, which its agents settle among themselves.

Note [Turns]: what lies in ZooKeeper is the service's progress, one persistent node, and below it an
ephemeral node for each machine that waits. The first of those, by name, gives the next batch its
turn: it writes the names into the progress and deletes their nodes, in one transaction, on
condition that the progress is as it was read. So it does not matter whether two take themselves
for the first, or whether one has slept for an hour in between.

Whose name is there may restart, and has the turn until it has taken the name out again, with word
of how it went. This outlives the agent, its session and its connection: an agent that returns finds
its name and goes on, and as long as it does not return, nobody else restarts. Those who wait, on
the other hand, cease to when their agents die, and hold nobody up.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from pop.cluster import Cluster
from pop.errors import BrokenNode, PopError
from pop.frozen import frozen
from pop.model import Progress, Status, Stop, load_machines
from pop.roll import Roll, due
from pop.together import first, forget, together
from pop.watch import Node, look
from txzookeeper import EPHEMERAL
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
"""Seconds until something that ZooKeeper refused is tried again."""


@frozen
class Ask:
    """What a turn is wanted for.

    @ivar version: see L{pop.model.Service.version}; what failed is not tried again elsewhere.
    @ivar batch: how many machines may be out of service at a time.
    """

    version: str
    batch: int


class Turn:
    """The turn of one machine.

    @param changed: called when C{granted} has become true.
    @param when: the time of day, for people.
    @ivar granted: whether it is our turn.
    """

    _log = Logger()

    def __init__(
        self,
        cluster: Cluster,
        service: str,
        machine: str,
        changed: Callable[[], None],
        when: Callable[[], str],
    ) -> None:
        self.granted = False
        self._cluster = cluster
        self._client = cluster.client
        self._paths = cluster.paths
        self._service = service
        self._machine = machine
        self._changed = changed
        self._when = when
        self._ask: Ask | None = None
        self._standing = False
        self._outcome: tuple[str, str] | None = None
        self._poked: Deferred[None] = Deferred()
        self._watches: list[Deferred[Any]] = []
        self._work = Deferred.fromCoroutine(self._follow())

    def ask(self, ask: Ask | None) -> None:
        """Wait for our turn, or do not any more; one that has come stays until it is over."""
        if ask != self._ask:
            self._ask = ask
            self._poke()

    def over(self, version: str, why: str) -> None:
        """What was to be done is done, and nothing more may be.

        @param version: of what was tried.
        @param why: it failed; empty if it did not.
        """
        if self.granted:
            self.granted, self._outcome = False, (version, why)
            self._poke()

    @property
    def idle(self) -> bool:
        """Whether nothing would be lost with this object."""
        return not (self._ask or self._standing or self.granted or self._outcome)

    def stop(self) -> None:
        """Do nothing more; what lies in ZooKeeper stays."""
        self._work.cancel()

    def _poke(self) -> None:
        if not self._poked.called:
            self._poked.callback(None)

    async def _follow(self) -> None:
        try:
            while True:
                await self._try()
        except (CancelledError, ClosingException, NotConnectedException):
            return

    async def _try(self) -> None:
        self._poked = Deferred()
        self._watches = [self._poked]
        try:
            await self._look()
            await first(self._watches)
        except (BadVersionException, ConnectionLossException, NodeExistsException, NoNodeException):
            return  # others were there meanwhile, or nobody knows: look again
        except (ClosingException, NotConnectedException):
            raise
        except (PopError, ZooKeeperException) as error:
            self._log.error("{service}: no turn: {error}", service=self._service, error=error)
            await deferLater(self._cluster.clock, RETRY)
        finally:
            forget(self._watches)

    async def _look(self) -> None:
        """Do what is to be done now, and gather what to wait for until the next look."""
        ask, path = self._ask, self._paths.roll(self._service)
        node = await self._cluster.node(path)
        progress = Progress.from_json(path, node[0] if node else b"")
        if node and self._machine in progress.going:
            await self._go(progress, node[1].version)
            return
        self.granted, self._outcome = False, None
        if ask is None:
            await self._leave()
        elif node is None:
            await self._prepare(path)
        else:
            await self._wait(ask)

    async def _seen(self, path: str) -> Node:
        """What a node holds; its next change is waited for."""
        node, watch = await look(self._client, path)
        self._watches.append(watch)
        return node

    async def _prepare(self, path: str) -> None:
        """Make the node of the progress, which is not there before the first roll."""
        if await self._client.exists(self._paths.service(self._service)):
            await self._client.create(path, Progress().to_json(), await self._cluster.last_acl())
            self._poke()

    # While it is our turn

    async def _go(self, progress: Progress, version: int) -> None:
        await self._leave()
        if self._outcome is not None:
            await self._finish(progress, version, *self._outcome)
            return
        node = await self._seen(self._paths.roll(self._service))  # it may be taken from us
        if node is None or node[1].version != version:
            self._poke()
        elif not self.granted:
            self.granted = True
            self._changed()

    async def _finish(self, progress: Progress, version: int, tried: str, why: str) -> None:
        stop = progress.stop if progress.stop and progress.stop.version == tried else None
        if why and stop is None:
            stop = Stop(self._machine, why, tried, self._when())
        going = tuple(machine for machine in progress.going if machine != self._machine)
        data = Progress(going, stop).to_json()
        await self._client.set(self._paths.roll(self._service), data, version)
        self._outcome = None
        self._poke()
        self._changed()

    # While we wait for it

    async def _wait(self, ask: Ask) -> None:
        await self._stand()
        machines = await self._machines()
        standing = set(await self._client.get_children(self._paths.roll(self._service)))
        before = sorted(name for name in standing & set(machines) if name < self._machine)
        if not before:
            await self._lead(ask, machines)
        elif await self._seen(self._paths.place(self._service, before[-1])) is None:
            self._poke()

    async def _stand(self) -> None:
        """See that our node is there, and lives as long as our session."""
        path = self._paths.place(self._service, self._machine)
        node = await self._seen(path)
        if node is not None and node[1].ephemeral_owner == self._client.client_id[0]:
            self._standing = True
            return
        if node is not None:
            await self._client.delete(path, node[1].version)
        await self._client.create(path, b"", await self._cluster.last_acl(), EPHEMERAL)
        self._standing = True

    async def _leave(self) -> None:
        """See that our node is not there, nor comes back with the next session."""
        path = self._paths.place(self._service, self._machine)
        self._client.abandon(path)
        node = await self._cluster.node(path)
        if node is not None:
            await self._client.delete(path)
        self._standing = False

    async def _machines(self) -> tuple[str, ...]:
        path = self._paths.placement(self._service)
        node = await self._seen(path)
        return load_machines(path, node[0] if node else b"")

    async def _lead(self, ask: Ask, machines: tuple[str, ...]) -> None:
        """We are the first of all: see whose turn is next."""
        path = self._paths.roll(self._service)
        node = await self._seen(path)
        children, joined = self._client.get_children_and_watch(path)
        self._watches.append(joined)
        standing = await children
        progress = Progress.from_json(path, node[0] if node else b"")
        going = frozenset(progress.going) & set(machines)
        waiting = tuple(m for m in machines if m in standing and m not in going)
        stop = progress.stop if progress.stop and progress.stop.version == ask.version else None
        roll = Roll(ask.batch, waiting, going, stopped=stop.why if stop else "")
        if node and due(roll):
            await self._client.sync(path)
            out = await self._out(machines)
            await self._give(path, node[1].version, due(replace(roll, out=out)))

    async def _out(self, machines: tuple[str, ...]) -> frozenset[str]:
        """Those that are not in service."""
        paths = [self._paths.status(self._service, machine) for machine in machines]
        found = await together([self._seen(path) for path in paths])
        every = zip(machines, paths, found, strict=True)
        return frozenset(m for m, path, node in every if not known(path, node).serves)

    async def _give(self, path: str, version: int, machines: tuple[str, ...]) -> None:
        """Give machines their turn."""
        if not machines:
            return
        transaction = self._client.transaction()
        transaction.set(path, Progress(machines).to_json(), version)
        for machine in machines:
            transaction.delete(self._paths.place(self._service, machine))
        await transaction.commit()
        self._log.info(
            "{service}: it is the turn of {machines}",
            service=self._service,
            machines=", ".join(machines),
        )
        self._poke()


def known(path: str, node: Node) -> Status:
    """The status of a machine; an empty one if there is none that makes sense."""
    try:
        return Status.from_json(path, node[0]) if node else Status("")
    except BrokenNode:
        return Status("")
