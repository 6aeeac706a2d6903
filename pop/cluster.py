"""The target state in ZooKeeper: reading it, and changing it so that no other's change is lost."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from pop.causes import changes
from pop.errors import Contended, NoSuchService, NotInitialised, ServiceExists
from pop.frozen import frozen
from pop.model import By, Json, Service, Target, dump, load_service
from pop.paths import Paths
from pop.together import together
from pop.watch import MachineWatch, Node, Wanted
from txzookeeper import ACL, ManagedClient
from txzookeeper.errors import (
    BadVersionException,
    NodeExistsException,
    NoNodeException,
    NotEmptyException,
)
from txzookeeper.transaction import Transaction

ATTEMPTS = 1000
"""How often a change starts over because others change the same; each time, one of them is done."""


@frozen
class Found:
    """A service as it was read, and the versions that guard a change of it.

    @ivar versions: of its type, settings, machines and target; L{None} for a missing node.
    """

    service: Service
    versions: Mapping[str, int | None]


class Cluster:
    """One namespace in ZooKeeper.

    @ivar client: connected, or on its way to be.
    @param by: who changes something, if it is anybody.
    """

    def __init__(
        self, client: ManagedClient, paths: Paths, clock: IReactorTime, by: By | None = None
    ) -> None:
        self.client = client
        self.paths = paths
        self.clock = clock
        self._by = by
        self._watches: dict[str, MachineWatch] = {}
        self._acl: list[ACL] | None = None

    # What agents need

    def watch(self, machine: str, changed: Callable[[], None]) -> None:
        """Begin to follow what a machine should run.

        @param changed: called whenever L{wanted} may answer otherwise than before.
        """
        self._watches[machine] = MachineWatch(self.client, self.clock, self.paths, machine, changed)

    def unwatch(self, machine: str) -> None:
        """Follow it no longer."""
        if machine in self._watches:
            self._watches.pop(machine).stop()

    async def wanted(self, machine: str) -> Wanted:
        """What a machine that is followed should run."""
        return self._watches[machine].wanted()

    async def read_anew(self, machine: str) -> None:
        """Wait until nothing is left unread of what had changed before this call.

        For after a time without a connection: the server's events come before its answer to the
        sync, and an answer before those to later requests. Ends with C{ConnectionLossException}
        if the connection breaks.
        """
        await self.client.sync(self.paths.services)
        while self._watches[machine].reading:
            await self.client.exists(self.paths.services)

    # What administrators need

    async def check(self) -> None:
        """Make sure that the namespace is there, and open to us.

        @raise NotInitialised: it is not there.
        """
        if not await self.initialised():
            raise NotInitialised(path=self.paths.root)
        await self.acl()

    async def initialised(self) -> bool:
        """Whether the namespace is there."""
        looks = [self.client.exists(path) for path in self.paths.roots]
        found = await together(looks)
        return all(found)

    async def acl(self) -> list[ACL]:
        """What new nodes are protected by: the same as the namespace."""
        try:
            acls, _ = await self.client.get_acl(self.paths.services)
        except NoNodeException as error:
            raise NotInitialised(path=self.paths.root) from error
        self._acl = acls
        return acls

    async def last_acl(self) -> list[ACL]:
        """The same, as it was last read: for what is written often."""
        return self._acl if self._acl is not None else await self.acl()

    async def names(self) -> list[str]:
        """The services there are, in order."""
        try:
            return sorted(await self.client.get_children(self.paths.services))
        except NoNodeException as error:
            raise NotInitialised(path=self.paths.root) from error

    async def read(self, name: str) -> Found:
        """A service, with all nodes read in one go.

        @raise NoSuchService: nor a namespace, perhaps: then L{NotInitialised}.
        @raise BrokenNode: what it holds makes no sense.
        """
        paths = self.service_paths(name)
        keys = list(paths)
        reading: list[Deferred[Any]] = [self.client.exists(self.paths.service(name))]
        exists, *nodes = await together(reading + [self.node(paths[key]) for key in keys])
        found: dict[str, Node] = dict(zip(keys, nodes, strict=True))
        if exists is None:
            await self.check()
            raise NoSuchService(service=name)
        data = {key: (paths[key], node and node[0]) for key, node in found.items()}
        versions = {key: node and node[1].version for key, node in found.items()}
        service_ = load_service(name, data)
        stats = {key: node and node[1] for key, node in found.items()}
        return Found(replace(service_, changes=changes(service_.target.by, stats)), versions)

    def node(self, path: str) -> Deferred[Node]:
        """What a node holds; L{None} if it is missing."""
        return self.client.get(path).addErrback(lambda f: f.trap(NoNodeException) and None)

    async def add(self, service: Service) -> None:
        """Make a service, whole or not at all.

        @raise ServiceExists: there is one of that name.
        """
        try:
            await self.create(self.client.transaction(), service, await self.acl()).commit()
        except NodeExistsException as error:
            raise ServiceExists(service=service.name) from error

    def create(self, transaction: Transaction, service: Service, acl: list[ACL]) -> Transaction:
        """Add a service's nodes to a transaction."""
        paths, name, data = self.paths, service.name, encoded(self.signed(service, None))
        transaction.create(paths.service(name), b"", acl)
        for key, path in self.service_paths(name).items():
            transaction.create(path, data[key], acl)
        transaction.create(paths.states(name), b"", acl)
        transaction.create(paths.statuses(name), b"", acl)
        return transaction

    async def change(self, name: str, change: Callable[[Service], Service]) -> Service:
        """Change a service by a function, which is called again if others change it meanwhile.

        @return: the service as it is now.
        @raise Contended: others were always faster.
        """
        acl = await self.acl()
        for _ in range(ATTEMPTS):
            found = await self.read(name)
            wanted = change(found.service)
            if wanted == found.service:
                return wanted
            try:
                transaction = self.client.transaction()
                signed = self.signed(wanted, found.versions["target"])
                await self._replace(found, signed, acl, transaction).commit()
            except (BadVersionException, NodeExistsException, NoNodeException):
                continue
            return wanted
        raise Contended(path=self.paths.service(name))

    def signed(self, service: Service, version: int | None) -> Service:
        """A service with the name of who changes it, if it is known.

        @param version: the target node's before the change; L{None} if there is none.
        """
        if self._by is None:
            return service
        by = replace(self._by, version=0 if version is None else version + 1)
        return replace(service, target=replace(service.target, by=by))

    def _replace(
        self, found: Found, wanted: Service, acl: list[ACL], transaction: Transaction
    ) -> Transaction:
        """Write what differs, on condition that the rest is as it was read."""
        before, after = encoded(found.service), encoded(wanted)
        for key, path in self.service_paths(wanted.name).items():
            version = found.versions[key]
            if version is None:
                if after[key] != before[key]:
                    transaction.create(path, after[key], acl)
            elif after[key] != before[key]:
                transaction.set(path, after[key], version)
            else:
                transaction.check(path, version)
        return transaction

    async def deploy(self, name: str, machines: list[str]) -> Service:
        """Have a service run on more machines."""

        def more(service: Service) -> Service:
            together = tuple(dict.fromkeys((*service.machines, *machines)))
            return replace(service, machines=together)

        return await self.change(name, more)

    async def undeploy(self, name: str, machines: list[str]) -> Service:
        """Have a service run on fewer machines."""

        def fewer(service: Service) -> Service:
            rest = tuple(machine for machine in service.machines if machine not in machines)
            return replace(service, machines=rest)

        return await self.change(name, fewer)

    async def aim(self, name: str, change: Callable[[Target], Target]) -> Service:
        """Change what is asked of a service."""
        return await self.change(name, lambda s: replace(s, target=change(s.target)))

    async def remove(self, name: str, check: Callable[[Service], None] | None = None) -> None:
        """Take a service away, with all that is reported of it, whole or not at all.

        @param check: raises if it must stay; without, even a broken service can be removed.
        @raise NoSuchService: there is none.
        """
        for _ in range(ATTEMPTS):
            transaction = self.client.transaction()
            if check:
                found = await self.read(name)
                check(found.service)
                self._replace(found, found.service, [], transaction)
            if not await self.delete(transaction, self.paths.service(name)):
                await self.check()
                raise NoSuchService(service=name)
            with contextlib.suppress(BadVersionException, NoNodeException, NotEmptyException):
                await transaction.commit()
                return
        raise Contended(path=self.paths.service(name))

    async def delete(self, transaction: Transaction, path: str) -> bool:
        """Add a node and all below it to what a transaction deletes; whether it is there."""
        try:
            children = await self.client.get_children(path)
        except NoNodeException:
            return False
        await together(
            [self.delete(transaction, f"{path.rstrip('/')}/{child}") for child in sorted(children)]
        )
        transaction.delete(path)
        return True

    def service_paths(self, name: str) -> dict[str, str]:
        """The nodes that hold a service's target state."""
        return {
            "type": self.paths.type(name),
            "settings": self.paths.settings(name),
            "machines": self.paths.placement(name),
            "target": self.paths.target(name),
        }


def encoded(service: Service) -> dict[str, bytes]:
    """The data of a service's nodes."""
    machines: Json = list(service.machines)
    return {
        "type": service.type.encode(),
        "settings": dump(dict(service.settings)),
        "machines": dump(machines),
        "target": service.target.to_json(),
    }
