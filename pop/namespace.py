"""The namespace as a whole: made, described, written to a file and read back."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from pop.cluster import ATTEMPTS, Cluster, encoded
from pop.errors import AlreadyInitialised, BadFile, BrokenNode, Contended, PopError
from pop.model import Json, Machine, Service, Target, dump
from pop.paths import check_name
from pop.together import together
from txzookeeper import ACL, ZOO_OPEN_ACL_UNSAFE, make_digest_acl
from txzookeeper.errors import (
    BadVersionException,
    NodeExistsException,
    NoNodeException,
    NotEmptyException,
)
from txzookeeper.transaction import Transaction


@dataclass(frozen=True)
class Contents:
    """What a namespace holds of target state.

    @ivar broken: sentences on services and machines that make no sense and were left out.
    """

    services: tuple[Service, ...] = ()
    machines: tuple[Machine, ...] = ()
    broken: tuple[str, ...] = ()


async def init(cluster: Cluster, *, force: bool, identity: str | None) -> Contents:
    """Make the namespace, protected by an identity if there is one, and empty.

    @return: what was removed for it.
    @raise AlreadyInitialised: there is one, and C{force} is not given.
    """
    acl = list(ZOO_OPEN_ACL_UNSAFE)
    if identity:
        user, _, password = identity.partition(":")
        acl = [make_digest_acl(user, password)]
    for _ in range(ATTEMPTS):
        before = await _existing(cluster, force)
        await _make_prefix(cluster)
        transaction = cluster.client.transaction()
        for path in cluster.paths.roots:
            await cluster.delete(transaction, path)
        for path in cluster.paths.roots:
            transaction.create(path, b"", acl)
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
    from twisted.internet.defer import Deferred

    async def one(name: str) -> Service | PopError:
        try:
            return (await cluster.read(name)).service
        except PopError as error:
            return error

    found = await together([Deferred.fromCoroutine(one(name)) for name in names])
    pairs = list(zip(names, found, strict=True))
    return (
        {name: value for name, value in pairs if isinstance(value, Service)},
        {name: value for name, value in pairs if isinstance(value, PopError)},
    )


def to_document(contents: Contents) -> dict[str, Json]:
    """A namespace as one plain object, for YAML or JSON."""
    return {
        "services": {
            service.name: {
                "type": service.type,
                "settings": dict(service.settings),
                "machines": list(service.machines),
                "target": json.loads(service.target.to_json()),
            }
            for service in contents.services
        },
        "machines": {machine.id: machine.to_object() for machine in contents.machines},
    }


def from_text(path: str, text: str) -> Contents:
    """A namespace from a file; JSON is YAML too.

    @raise BadFile: it is not what L{to_document} makes, with what is wrong and where.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadFile(path=path, reason=" ".join(str(error).split())) from error
    document = document or {}
    _expect(path, "the file", document, dict)
    _known(path, "the file", document, {"services", "machines"})
    try:
        services = tuple(
            _service(path, name, value)
            for name, value in _expect(
                path, "services", document.get("services") or {}, dict
            ).items()
        )
        machines = tuple(
            _machine(path, id, value)
            for id, value in _expect(path, "machines", document.get("machines") or {}, dict).items()
        )
    except BadFile:
        raise
    except PopError as error:
        raise BadFile(path=path, reason=str(error).rstrip(".")) from error
    return Contents(services, machines)


def _service(path: str, name: Any, value: Any) -> Service:
    where = f'service "{name}"'
    check_name("service", _expect(path, where, name, str))
    _known(
        path, where, _expect(path, where, value, dict), {"type", "settings", "machines", "target"}
    )
    machines = _expect(path, f"{where}, machines", value.get("machines") or [], list)
    for machine in machines:
        check_name("machine", _expect(path, f"{where}, machines", machine, str))
    target = _expect(path, f"{where}, target", value.get("target") or {}, dict)
    settings = _expect(path, f"{where}, settings", value.get("settings") or {}, dict)
    return Service(
        name=name,
        type=_expect(path, f"{where}, type", value.get("type"), str),
        settings=_json(path, f"{where}, settings", settings),
        machines=tuple(dict.fromkeys(machines)),
        target=Target.from_json(f"{where}, target", dump(_json(path, where, target))),
    )


def _machine(path: str, id: Any, value: Any) -> Machine:
    check_name("machine", _expect(path, "machines", id, str))
    plain = _json(path, f'machine "{id}"', _expect(path, f'machine "{id}"', value or {}, dict))
    return Machine.from_json(f"/{id}", dump(plain))


def _json(path: str, where: str, value: Any) -> Any:
    """YAML can say more than JSON, such as dates."""
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError) as error:
        raise BadFile(path=path, reason=f"{where}: {error}") from error


def _expect(path: str, where: str, value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        kinds: dict[Any, str] = {dict: "a mapping", list: "a list", str: "a text"}
        said = kinds[kind]
        raise BadFile(path=path, reason=f"{where} should be {said}, not {value!r}")
    return value


def _known(path: str, where: str, value: Mapping[str, Any], known: set[str]) -> None:
    for key in value:
        if key not in known:
            expected = ", ".join(sorted(known))
            raise BadFile(path=path, reason=f'{where} has "{key}", which is none of {expected}')


async def load(cluster: Cluster, wanted: Contents) -> None:
    """Make services and machines as a file says, all or none; those it does not name stay."""
    acl = await cluster.acl()
    for _ in range(ATTEMPTS):
        transaction = cluster.client.transaction()
        for service in wanted.services:
            await _put_service(cluster, transaction, service, acl)
        for machine in wanted.machines:
            path = cluster.paths.machine(machine.id)
            if not await cluster.client.exists(path):
                transaction.create(path, machine.to_json(), acl)
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
    data = encoded(service)
    for key, path in cluster.service_paths(service.name).items():
        node = await cluster.node(path)
        if node is None:
            transaction.create(path, data[key], acl)
        elif node[0] != data[key]:
            transaction.set(path, data[key], node[1].version)
        else:
            transaction.check(path, node[1].version)
