"""Several changes at once."""

from __future__ import annotations

from txzookeeper.client import ZookeeperClient
from txzookeeper.constants import EPHEMERAL, PERM_READ, SEQUENCE
from txzookeeper.errors import (
    BadVersionException,
    NoAuthException,
    NoChildrenForEphemeralsException,
    NodeExistsException,
    NoNodeException,
    NotEmptyException,
    ZooKeeperException,
)
from txzookeeper.records import ACL
from txzookeeper.testing.conformance.expect import collected, equal, refused
from txzookeeper.testing.world import World
from txzookeeper.transaction import Transaction


async def all(world: World) -> None:
    """Operations see those before them, and happen in one transaction."""
    client = await world.connect()
    transaction = client.transaction()
    transaction.create("/a", b"1").create("/a/n-", flags=SEQUENCE).set("/a", b"2", 0)
    transaction.check("/a", 1).create("/b").delete("/b")
    results = await transaction.commit()
    data, stat = await client.get("/a")
    equal(results, ["/a", "/a/n-0000000000", stat, None, "/b", None])
    equal((data, stat.czxid, stat.pzxid), (b"2", stat.mzxid, stat.mzxid))


async def empty(world: World) -> None:
    """A transaction of nothing succeeds."""
    client = await world.connect()
    equal(await client.transaction().commit(), [])


async def each_failure(world: World) -> None:
    """The operation that fails says so, and nothing of the transaction happens."""
    client = await world.connect()
    await client.create("/full")
    await client.create("/full/child")
    await client.create("/e", flags=EPHEMERAL)
    await client.create("/shut", acls=[ACL(PERM_READ, "world", "anyone")])
    for transaction, error, path in [
        (_begun(client).create("/full"), NodeExistsException, "/full"),
        (_begun(client).create("/new"), NodeExistsException, "/new"),
        (_begun(client).create("/no/a"), NoNodeException, "/no/a"),
        (_begun(client).create("/e/a"), NoChildrenForEphemeralsException, "/e/a"),
        (_begun(client).create("/shut/a"), NoAuthException, "/shut/a"),
        (_begun(client).delete("/full"), NotEmptyException, "/full"),
        (_begun(client).delete("/full/child", 5), BadVersionException, "/full/child"),
        (_begun(client).delete("/no"), NoNodeException, "/no"),
        (_begun(client).set("/full", b"", 5), BadVersionException, "/full"),
        (_begun(client).set("/no", b""), NoNodeException, "/no"),
        (_begun(client).set("/shut", b""), NoAuthException, "/shut"),
        (_begun(client).check("/full", 5), BadVersionException, "/full"),
        (_begun(client).check("/no", 0), NoNodeException, "/no"),
    ]:
        await _fails(transaction.delete("/full/child"), error, path)
    equal(sorted(await client.get_children("/")), ["e", "full", "shut"])
    equal(await client.transaction().check("/full", 0).commit(), [None])


async def watches(world: World) -> None:
    """A transaction that fails fires nothing; one that succeeds fires for each change."""
    client, other = await world.connect(), await world.connect()
    made, watch = client.exists_and_watch("/a")
    await made
    listed, children = client.get_children_and_watch("/")
    await listed
    events = collected(watch, children)
    await refused(other.transaction().create("/a").delete("/no").commit(), NoNodeException)
    await client.sync()
    equal(events, [])
    await other.transaction().create("/a").set("/a", b"").commit()
    await client.sync()
    equal(events, [("created", "/a"), ("child", "/")])


def _begun(client: ZookeeperClient) -> Transaction:
    return client.transaction().create("/new", b"x")


async def _fails(transaction: Transaction, error: type[ZooKeeperException], path: str) -> None:
    refusal = await refused(transaction.commit(), error, path)
    equal(refusal.index, 1)
