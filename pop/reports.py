"""How this machine's instances fare, published in ZooKeeper.

Note [Latest]: for each service there is what should be published and what was, and at most one
write under way. What changes meanwhile is published when that write is done: the latest only.
"""

import contextlib
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from pop.cluster import Cluster
from pop.errors import NotInitialised
from pop.frozen import frozen
from pop.groupcommit import GroupCommit
from pop.model import Status, dump
from txzookeeper import ACL, EPHEMERAL, Stat
from txzookeeper.errors import (
    ClosingException,
    ConnectionLossException,
    NodeExistsException,
    NoNodeException,
    NotConnectedException,
    ZooKeeperException,
)
from txzookeeper.transaction import Transaction

RETRY = 5.0
"""Seconds until a write that ZooKeeper refused is tried again."""
AGAIN = 0.2
"""Seconds until a write that others got in the way of is tried again."""


@frozen
class Report:
    """What is published of an instance.

    @ivar pid: L{None} while no process runs.
    @ivar state: what it says of itself; L{None} unless it is ready.
    """

    status: Status
    pid: int | None = None
    state: Mapping[str, Any] | None = None


class Reports:
    """The reports of one machine."""

    _log = Logger()

    def __init__(self, cluster: Cluster, machine: str, clock: IReactorTime) -> None:
        self._cluster = cluster
        self._client = cluster.client
        self._paths = cluster.paths
        self._machine = machine
        self._clock = clock
        self._group = GroupCommit(cluster.client)
        self._wanted: dict[str, Report] = {}
        self._published: dict[str, Report] = {}
        self._unknown: set[str] = set()
        self._writers: dict[str, Deferred[None]] = {}
        self._guards: dict[str, Deferred[None]] = {}

    def publish(self, service: str, report: Report | None) -> None:
        """Publish how an instance fares; L{None} when it has no place here any more."""
        if report is None:
            self._wanted.pop(service, None)
        else:
            self._wanted[service] = report
        self._begin(self._writers, service, self._write)

    def publish_again(self) -> None:
        """Take nothing for published: the nodes may be gone."""
        self._unknown.update(self._wanted)
        for service, report in list(self._wanted.items()):
            self.publish(service, report)

    async def sweep(self) -> bool:
        """Take away what a predecessor reported, in the session that we resumed, and is so no more.

        @return: whether that is done, or cannot be.
        """
        try:
            ours = set(await self._client.get_ephemerals(self._paths.root))
        except ConnectionLossException:
            return False
        except ZooKeeperException as error:
            self._log.warn("Old reports stay where they are: {error}", error=error)
            return True
        services, machine = (f"{self._paths.services}/", f"{self._paths.machine(self._machine)}/")
        old = ours - self._published_paths()
        found = {
            path.removeprefix(services).partition("/")[0]
            for path in old
            if path.startswith(services)
        }
        found |= {path.removeprefix(machine) for path in old if path.startswith(machine)}
        for service in found:
            self._unknown.add(service)
            self.publish(service, self._wanted.get(service))
        return True

    def _published_paths(self) -> set[str]:
        every = (self._nodes(*item) for item in self._published.items())
        return {path for nodes in every for path, data in nodes.items() if data is not None}

    def stop(self) -> None:
        """Publish no more; closing the client removes what was published."""
        for running in (*self._writers.values(), *self._guards.values()):
            running.cancel()

    async def _write(self, service: str) -> None:
        try:
            while not self._is_published(service):
                await self._try(service, self._wanted.get(service))
        except (CancelledError, ClosingException, NotConnectedException):
            pass
        finally:
            self._writers.pop(service, None)

    def _is_published(self, service: str) -> bool:
        published = self._published.get(service)
        return service not in self._unknown and self._wanted.get(service) == published

    async def _try(self, service: str, report: Report | None) -> None:
        try:
            acl = await self._cluster.last_acl()
            try:
                await self._change(service, report, acl)
            except (NodeExistsException, NoNodeException):
                await self._replace(service, report, acl)
        except (ClosingException, NotConnectedException):
            raise
        except ConnectionLossException:
            self._unknown.add(service)  # it may have been carried out or not
        except (NodeExistsException, NoNodeException):
            # Others were at the same nodes, or the machine's own is not there just now.
            self._unknown.add(service)
            await deferLater(self._clock, AGAIN)
        except (ZooKeeperException, NotInitialised) as error:
            self._log.error("Cannot report on {service}: {error}", service=service, error=error)
            await deferLater(self._clock, RETRY)
        else:
            self._unknown.discard(service)
            self._published.pop(service, None)
            if report is not None:
                self._published[service] = report
                self._begin(self._guards, service, self._guard)

    def _begin(
        self,
        running: dict[str, Deferred[None]],
        service: str,
        work: Callable[[str], Coroutine[Deferred[Any], Any, None]],
    ) -> None:
        """Begin something, of which there is one for each service; it leaves C{running} itself."""
        if service not in running:
            begun = Deferred.fromCoroutine(work(service))
            if not begun.called:
                running[service] = begun

    async def _guard(self, service: str) -> None:
        """Report again what somebody else deleted, be it with the whole service.

        The watch is one for children, which an ephemeral node never has: so it fires only when
        the node is deleted, not at each report.
        """
        try:
            while service in self._wanted:
                with contextlib.suppress(ConnectionLossException):
                    await self._deletion(self._paths.status(service, self._machine))
                    exists, watch = self._client.exists_and_watch(self._paths.service(service))
                    if await exists is None:
                        await watch  # with the service, all places to report are gone
                    elif service in self._wanted:
                        self._unknown.add(service)
                        self.publish(service, self._wanted[service])
                        return
        except (CancelledError, ClosingException, NotConnectedException, ZooKeeperException):
            pass
        finally:
            self._guards.pop(service, None)

    async def _deletion(self, path: str) -> None:
        """Wait until a node without children is gone."""
        with contextlib.suppress(NoNodeException):
            while True:
                children, watch = self._client.get_children_and_watch(path)
                await children
                await watch

    async def _change(self, service: str, report: Report | None, acl: list[ACL]) -> None:
        """From what was published to what should be, in one transaction."""
        if service in self._unknown:
            raise NodeExistsException(self._paths.pid(self._machine, service))
        old = self._nodes(service, self._published.get(service))
        new = self._nodes(service, report)

        def changes(transaction: Transaction) -> None:
            for path, data in new.items():
                if data is None and old[path] is not None:
                    transaction.delete(path)
                elif data is not None and old[path] is None:
                    transaction.create(path, data, acl, EPHEMERAL)
                elif data is not None and data != old[path]:
                    transaction.set(path, data)

        await self._group.commit(changes)

    async def _replace(self, service: str, report: Report | None, acl: list[ACL]) -> None:
        """A predecessor left nodes, or others changed ours: look what is there, and change it.

        Nodes of our own session are set, so that nobody who watches them sees them vanish; others
        would vanish with the session that they belong to.
        """
        if not await self._make_parents(service, acl):
            report = None  # the service is gone, and with it the places to report
        transaction = self._client.transaction()
        kept: dict[str, bytes] = {}
        for path, data in self._nodes(service, report).items():
            stat = await self._client.exists(path)
            if stat and data is not None and self._is_ours(stat):
                transaction.set(path, data)
                kept[path] = data
                continue
            if stat:
                transaction.delete(path)
            else:
                self._client.abandon(path)  # who deleted it, did so for good
            if data is not None:
                transaction.create(path, data, acl, EPHEMERAL)
        await transaction.commit()
        for path, data in kept.items():
            self._client.adopt(path, data, acl)

    def _is_ours(self, stat: Stat) -> bool:
        """Whether a node lives as long as our session, which a predecessor may have begun."""
        return stat.ephemeral_owner == self._client.client_id[0]

    async def _make_parents(self, service: str, acl: list[ACL]) -> bool:
        """A service that was made by hand may lack them."""
        for path in (self._paths.states(service), self._paths.statuses(service)):
            try:
                await self._client.create(path, b"", acl)
            except NodeExistsException:
                continue
            except NoNodeException:
                return False
        return True

    def _nodes(self, service: str, report: Report | None) -> dict[str, bytes | None]:
        """An instance's nodes and what each should hold; L{None} for nothing at all."""
        pid = report.pid if report else None
        state = report.state if report else None
        return {
            self._paths.pid(self._machine, service): str(pid).encode() if pid else None,
            self._paths.state(service, self._machine): None if state is None else dump(state),
            self._paths.status(service, self._machine): report.status.to_json() if report else None,
        }
