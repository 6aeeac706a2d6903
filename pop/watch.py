"""Watching znodes: level, not edge. A watch only says "look again".

Note [Settled]: nodes that change in one transaction send their events before any later reply. So
when one is read again, the others' events arrive before its reply does, and start their own
reading. A group is consistent whenever none of its nodes is being read.
"""

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import field, replace

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from pop.causes import changes
from pop.errors import BrokenNode
from pop.frozen import frozen
from pop.model import By, Change, Service, Target, load_machines, load_service
from pop.paths import Paths
from txzookeeper import ClientEvent, ManagedClient, Stat
from txzookeeper.errors import (
    ClosingException,
    ConnectionLossException,
    NoNodeException,
    NotConnectedException,
    ZooKeeperException,
)

RETRY = 5.0
"""Seconds until a node that ZooKeeper refused to read is tried again."""


Node = tuple[bytes, Stat] | None
"""What a znode holds; L{None} for a missing one."""


async def look(client: ManagedClient, path: str) -> tuple[Node, "Deferred[ClientEvent]"]:
    """What a node holds, and a watch for when that changes."""
    while True:
        try:
            got, watch = client.get_and_watch(path)
            return await got, watch
        except NoNodeException:
            exists, watch = client.exists_and_watch(path)
            if await exists is None:
                return None, watch


class Followed:
    """Znodes that are read, and read again whenever they change.

    @ivar found: for each path what was last read, L{None} for a missing node; a path that was
        not read yet is not in it.
    @ivar stats: what was known of it then, if its data is followed.
    """

    _log = Logger()

    def __init__(
        self, client: ManagedClient, clock: IReactorTime, settled: Callable[[], None]
    ) -> None:
        self.found: dict[str, bytes | tuple[str, ...] | None] = {}
        self.stats: dict[str, Stat | None] = {}
        self._client = client
        self._clock = clock
        self._settled = settled
        self._reading: set[str] = set()
        self._refused: set[str] = set()
        self._turns: dict[str, object] = {}
        self._loops: dict[object, Deferred[None]] = {}

    def follow(self, path: str, *, children: bool = False) -> None:
        """Begin to read a node's data, or its children's names in order."""
        if path not in self._turns:
            self._turns[path] = turn = object()
            self._loops[turn] = Deferred.fromCoroutine(self._loop(path, children, turn))

    def leave(self, path: str) -> None:
        """Cease to read a node."""
        turn = self._turns.pop(path, None)
        self._reading.discard(path)
        self._refused.discard(path)
        self.found.pop(path, None)
        self.stats.pop(path, None)
        if turn in self._loops:
            self._loops.pop(turn).cancel()

    @property
    def unread(self) -> bool:
        """Whether there is a node of which it is not known what it holds by now."""
        return bool(self._reading)

    @property
    def reading(self) -> bool:
        """Whether that will be known soon: an answer is under way, and was not refused."""
        return bool(self._reading - self._refused)

    def stop(self) -> None:
        """Cease to read all of them."""
        self._settled = lambda: None
        for path in list(self._turns):
            self.leave(path)

    async def _loop(self, path: str, children: bool, turn: object) -> None:
        """Read and watch until the node is left, which may happen within C{_settled} as well."""
        with contextlib.suppress(CancelledError, ClosingException, NotConnectedException):
            while self._turns.get(path) is turn:
                self._reading.add(path)
                self.found[path], watch = await self._read(path, children)
                self._reading.discard(path)
                if not self._reading:
                    self._settled()
                if self._turns.get(path) is turn:
                    await watch

    async def _read(
        self, path: str, children: bool
    ) -> tuple[bytes | tuple[str, ...] | None, "Deferred[ClientEvent]"]:
        """What is there, and a watch for when it changes. While ZooKeeper is away, this waits."""
        while True:
            self._refused.discard(path)
            try:
                return await self._look(path, children)
            except ConnectionLossException:
                continue
            except (ClosingException, NotConnectedException):
                raise
            except ZooKeeperException as error:
                self._log.error("Cannot read {path}: {error}", path=path, error=error)
                self._refused.add(path)
                await deferLater(self._clock, RETRY)

    async def _look(
        self, path: str, children: bool
    ) -> tuple[bytes | tuple[str, ...] | None, "Deferred[ClientEvent]"]:
        if not children:
            node, watch = await look(self._client, path)
            self.stats[path] = node and node[1]
            return node and node[0], watch
        while True:
            try:
                listed, watch = self._client.get_children_and_watch(path)
                return tuple(sorted(await listed)), watch
            except NoNodeException:
                exists, watch = self._client.exists_and_watch(path)
                if await exists is None:
                    return None, watch


@frozen
class Wanted:
    """What a machine should run.

    @ivar services: those deployed on it, as last understood.
    @ivar problems: nodes that are broken, by service; what they last said well still holds.
    @ivar undefined: services that are deployed on it, but never made sense; each has a problem.
    @ivar unread: services of which something is yet to be read, or to be read anew: perhaps they
        are deployed here, perhaps they are not.
    @ivar listed: whether it is known at all which services there are.
    @ivar left: for services that are not deployed on it, the last change of where they are.
    """

    services: dict[str, Service]
    problems: dict[str, BrokenNode] = field(default_factory=dict)
    undefined: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()
    listed: bool = True
    left: dict[str, Change] = field(default_factory=dict, compare=False)


class ServiceWatch:
    """One service, as one machine needs to know it: all of it only if it is deployed there.

    @ivar service: as last understood; L{None} while it is not deployed here.
    @ivar problem: why it is no longer understood.
    @ivar left: the change since which it is not deployed here.
    """

    def __init__(
        self,
        client: ManagedClient,
        clock: IReactorTime,
        paths: Paths,
        name: str,
        machine: str,
        changed: Callable[[], None],
    ) -> None:
        self.service: Service | None = None
        self.problem: BrokenNode | None = None
        self.left = Change()
        self._name = name
        self._machine = machine
        self._changed = changed
        self._deployed = False
        self._awaited = False
        self._placement = paths.placement(name)
        self._rest = {
            "type": paths.type(name),
            "settings": paths.settings(name),
            "target": paths.target(name),
        }
        self._nodes = Followed(client, clock, self._settled)
        self._nodes.follow(self._placement)

    def stop(self) -> None:
        """Watch no longer."""
        self._nodes.stop()

    def unread(self) -> bool:
        """Whether something of it is yet to be read; if so, that it was read counts as a change."""
        self._awaited = self._nodes.unread
        return self._awaited

    @property
    def reading(self) -> bool:
        """Whether that is under way."""
        return self._nodes.reading

    def _settled(self) -> None:
        before = (self.service, str(self.problem))
        self.problem = None
        self._understand_placement()
        if not self._deployed:
            self.service = None
        elif all(path in self._nodes.found for path in self._rest.values()):
            self._understand_rest()
        if self._awaited or before != (self.service, str(self.problem)):
            self._awaited = False
            self._changed()

    def _understand_placement(self) -> None:
        try:
            machines = load_machines(self._placement, self._data(self._placement) or b"")
        except BrokenNode as problem:
            self.problem = problem
            return
        self._deployed = self._machine in machines
        if not self._deployed:
            self.left = self._leaving()
        for path in self._rest.values():
            (self._nodes.follow if self._deployed else self._nodes.leave)(path)

    def _understand_rest(self) -> None:
        nodes = {key: (path, self._data(path)) for key, path in self._rest.items()}
        # A broken list of machines keeps its last meaning; it is reported already.
        try:
            here = load_service(self._name, {**nodes, "machines": (self._placement, b"")})
        except BrokenNode as problem:
            self.problem = self.problem or problem
        else:
            self.service = replace(here, changes=self._changes(here.target.by))

    def _leaving(self) -> Change:
        """The change that ends it here: what came with it has been read, see Note [Settled]."""
        data, by = self._data(self._rest["target"]), None
        with contextlib.suppress(BrokenNode):
            by = Target.from_json("", data).by if data else None
        return self._changes(by).get("machines", self.left)

    def _data(self, path: str) -> bytes | None:
        data = self._nodes.found.get(path)
        assert not isinstance(data, tuple)  # its data is followed, not its children
        return data

    def _changes(self, by: By | None) -> dict[str, Change]:
        paths, stats = {**self._rest, "machines": self._placement}, self._nodes.stats
        return changes(by, {key: stats[path] for key, path in paths.items() if path in stats})

    @property
    def deployed(self) -> bool:
        """Whether the machine is on the service's list, as last understood."""
        return self._deployed


class MachineWatch:
    """What one machine should run, kept up to date by watches."""

    def __init__(
        self,
        client: ManagedClient,
        clock: IReactorTime,
        paths: Paths,
        machine: str,
        changed: Callable[[], None],
    ) -> None:
        self._client = client
        self._clock = clock
        self._paths = paths
        self._machine = machine
        self._changed = changed
        self._services: dict[str, ServiceWatch] = {}
        self._awaited = False
        self._listed = Followed(client, clock, self._relisted)
        self._listed.follow(paths.services, children=True)

    def stop(self) -> None:
        """Watch no longer."""
        self._listed.stop()
        for watch in self._services.values():
            watch.stop()

    def wanted(self) -> Wanted:
        """What the machine should run, as far as it is known."""
        every = self._services.items()
        listed = self._paths.services in self._listed.found
        self._awaited = not listed
        return Wanted(
            {name: watch.service for name, watch in every if watch.service},
            {name: watch.problem for name, watch in every if watch.problem},
            frozenset(n for n, w in every if w.deployed and w.problem and not w.service),
            frozenset([name for name, watch in every if watch.unread()]),
            listed,
            {name: watch.left for name, watch in every if not watch.deployed},
        )

    @property
    def reading(self) -> bool:
        """Whether answers are under way that may change what is wanted."""
        return self._listed.reading or any(watch.reading for watch in self._services.values())

    def _relisted(self) -> None:
        names = self._listed.found.get(self._paths.services) or ()
        assert isinstance(names, tuple)  # its children are followed, not its data
        gone = [self._services.pop(name) for name in self._services.keys() - set(names)]
        for watch in gone:
            watch.stop()
        self._watch_new(name for name in names if name not in self._services)
        if self._awaited or any(watch.service or watch.problem for watch in gone):
            self._awaited = False
            self._changed()

    def _watch_new(self, names: Iterable[str]) -> None:
        for name in names:
            self._services[name] = ServiceWatch(
                self._client, self._clock, self._paths, name, self._machine, self._changed
            )
