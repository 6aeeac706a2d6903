"""The namespace as a whole: made, read, and filled."""

import contextlib

from pop.cluster import ATTEMPTS, Cluster, encoded
from pop.errors import AlreadyInitialised, BrokenNode, Contended, NoChroot, PopError
from pop.model import Contents, Machine, Service, Target
from pop.together import together
from txzookeeper import ACL, ZOO_OPEN_ACL_UNSAFE, make_digest_acl
from txzookeeper.errors import (
    BadVersionException,
    NodeExistsException,
    NoNodeException,
    NotEmptyException,
)
from txzookeeper.transaction import Transaction


async def init(
    cluster: Cluster, *, force: bool, identity: str | None, authority: bytes | None = None
) -> Contents:
    """Make the namespace, protected by an identity if there is one, and empty.

    @param authority: who vouches for people in it, sealed; without, that is made when needed.
    @return: what was removed for it.
    @raise AlreadyInitialised: there is one, and C{force} is not given.
    """
    acl = list(ZOO_OPEN_ACL_UNSAFE)
    if identity:
        user, _, password = identity.partition(":")
        acl = [make_digest_acl(user, password)]
    if not await cluster.client.exists("/"):
        raise NoChroot(servers=cluster.client.servers)
    for _ in range(ATTEMPTS):
        before = await _existing(cluster, force)
        await _make_prefix(cluster)
        transaction = cluster.client.transaction()
        for path in cluster.paths.roots:
            await cluster.delete(transaction, path)
        if await cluster.client.exists(cluster.paths.authority):
            transaction.delete(cluster.paths.authority)
        for path in cluster.paths.roots:
            transaction.create(path, b"", acl)
        if authority:
            transaction.create(cluster.paths.authority, authority, acl)
        with contextlib.suppress(NodeExistsException, NoNodeException, NotEmptyException):
            await transaction.commit()
            return before
    raise Contended(path=cluster.paths.root)


async def _existing(cluster: Cluster, force: bool) -> Contents:
    """What is there, if it may be removed."""
    found = [await cluster.client.exists(path) for path in cluster.paths.roots]
    if not any(found):
        return Contents()
    services, machines = [
        sorted(await cluster.client.get_children(path)) if stat else []
        for path, stat in ((cluster.paths.services, found[1]), (cluster.paths.machines, found[0]))
    ]
    if not force:
        raise AlreadyInitialised(
            path=cluster.paths.root, services=len(services), machines=len(machines)
        )
    return Contents(
        tuple(Service(name, "") for name in services),
        tuple(Machine(name) for name in machines),
    )


async def _make_prefix(cluster: Cluster) -> None:
    """The path prefix may have any number of parts; each is open, as the root itself is."""
    parts = cluster.paths.prefix.split("/")[1:]
    for end in range(1, len(parts) + 1):
        with contextlib.suppress(NodeExistsException):
            await cluster.client.create("/" + "/".join(parts[:end]), b"")


async def contents(cluster: Cluster) -> Contents:
    """All target state, read in two rounds."""
    names = await cluster.names()
    ids = sorted(await cluster.client.get_children(cluster.paths.machines))
    nodes = await together([cluster.node(cluster.paths.machine(id)) for id in ids])
    services, broken = await read_all(cluster, names)
    machines: list[Machine] = []
    for id, node in zip(ids, nodes, strict=True):
        try:
            machines.append(Machine.from_json(cluster.paths.machine(id), node[0] if node else b""))
        except BrokenNode as error:
            broken[f"machine {id}"] = error
    return Contents(
        tuple(services.values()),
        tuple(machines),
        tuple(str(error) for error in broken.values()),
    )


async def read_all(
    cluster: Cluster, names: list[str]
) -> tuple[dict[str, Service], dict[str, PopError]]:
    """Services by name, and what is wrong with the others, all read in one go."""

    async def one(name: str) -> Service | PopError:
        try:
            return (await cluster.read(name)).service
        except PopError as error:
            return error

    found = await together([one(name) for name in names])
    pairs = list(zip(names, found, strict=True))
    return (
        {name: value for name, value in pairs if isinstance(value, Service)},
        {name: value for name, value in pairs if isinstance(value, PopError)},
    )


async def load(cluster: Cluster, wanted: Contents) -> None:
    """Make services and machines as a file says, all or none; those it does not name stay."""
    acl = await cluster.acl()
    for _ in range(ATTEMPTS):
        transaction = cluster.client.transaction()
        await together(
            [_put_service(cluster, transaction, service, acl) for service in wanted.services]
        )
        await together(
            [_put_machine(cluster, transaction, machine, acl) for machine in wanted.machines]
        )
        if not (wanted.services or wanted.machines):
            return
        with contextlib.suppress(NodeExistsException, NoNodeException, BadVersionException):
            await transaction.commit()
            return
    raise Contended(path=cluster.paths.root)


async def _put_service(
    cluster: Cluster, transaction: Transaction, service: Service, acl: list[ACL]
) -> None:
    """Create a service, or make it what it should be."""
    if not await cluster.client.exists(cluster.paths.service(service.name)):
        cluster.create(transaction, service, acl)
        return
    paths = cluster.service_paths(service.name)
    found = dict(zip(paths, await together(map(cluster.node, paths.values())), strict=True))
    data, target = encoded(service), found["target"]
    if any(node is None or not _same(key, node[0], data[key]) for key, node in found.items()):
        data = encoded(cluster.signed(service, target and target[1].version))
    else:
        data = {}
    for key, path in paths.items():
        node = found[key]
        if node is None:
            transaction.create(path, data[key], acl)
        elif key in data and node[0] != data[key]:
            transaction.set(path, data[key], node[1].version)
        else:
            transaction.check(path, node[1].version)


def _same(key: str, found: bytes, wanted: bytes) -> bool:
    """Whether a node says what it should; who changed it last is no part of that."""
    if key != "target":
        return found == wanted
    try:
        return Target.from_json("", found) == Target.from_json("", wanted)
    except BrokenNode:
        return False


async def _put_machine(
    cluster: Cluster, transaction: Transaction, machine: Machine, acl: list[ACL]
) -> None:
    """Create a machine that is not known; one that is describes itself."""
    path = cluster.paths.machine(machine.id)
    if not await cluster.client.exists(path):
        transaction.create(path, machine.to_json(), acl)
