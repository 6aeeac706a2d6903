"""What can be asked beyond a node's data and the names of its children."""

from __future__ import annotations

from txzookeeper.constants import CONTAINER, EPHEMERAL, PERM_ALL, PERM_READ, SEQUENCE
from txzookeeper.errors import (
    BadArgumentsException,
    NoAuthException,
    NoNodeException,
    ZooKeeperException,
)
from txzookeeper.records import ACL, ClientInfo
from txzookeeper.testing.conformance.expect import OURS, equal, refused
from txzookeeper.testing.world import CREDENTIALS, World


async def create2(world: World) -> None:
    """A node can be told with its stat when it is made, under the name that it got."""
    client = await world.connect()
    path, stat = await client.create2("/n-", b"123", flags=SEQUENCE | EPHEMERAL)
    equal((path, stat), ("/n-0000000000", await client.exists(path)))
    equal((stat.data_length, stat.ephemeral_owner), (3, client.client_id[0]))


async def children2(world: World) -> None:
    """The names of the children and the node's stat come together, from one moment."""
    client = await world.connect()
    await client.create("/a")
    await client.create("/a/b")
    names, stat = await client.get_children2("/a")
    equal((names, stat), (["b"], await client.exists("/a")))


async def count(world: World) -> None:
    """The nodes below one are counted, at whatever depth."""
    client = await world.connect()
    for path in ("/a", "/a/b", "/a/b/c", "/a/d", "/ab"):
        await client.create(path)
    counts = [await client.get_all_children_number(path) for path in ("/a", "/a/b", "/ab", "/")]
    equal(counts, [3, 1, 0, 5])
    await refused(client.get_all_children_number("/no"), NoNodeException, "/no")


async def ephemerals(world: World) -> None:
    """A session is told which ephemeral nodes are its own, by the first letters of their paths."""
    client, other = await world.connect(), await world.connect()
    await client.create("/a")
    for path in ("/a/e", "/ae", "/b"):
        await client.create(path, flags=EPHEMERAL)
    await other.create("/theirs", flags=EPHEMERAL)
    equal(sorted(await client.get_ephemerals()), ["/a/e", "/ae", "/b"])
    equal(sorted(await client.get_ephemerals("/a")), ["/a/e", "/ae"])
    equal(await client.get_ephemerals("/no"), [])
    equal(await other.get_ephemerals(), ["/theirs"])


async def several_reads(world: World) -> None:
    """Several reads are one request, in which each succeeds or fails for itself."""
    client = await world.connect()
    await client.add_auth("digest", CREDENTIALS)
    await client.create("/a", b"x")
    await client.create("/a/b")
    await client.create("/shut", acls=[OURS, ACL(PERM_ALL - PERM_READ, "world", "anyone")])
    stranger = await world.connect()
    await stranger.sync()
    reads = stranger.multi_read().get("/a").get_children("/a").get("/no").get_children("/shut")
    data, names, missing, shut = await reads.commit()
    equal((data, names), (await client.get("/a"), ["b"]))
    for error, kind, path in ((missing, NoNodeException, "/no"), (shut, NoAuthException, "/shut")):
        assert isinstance(error, ZooKeeperException)
        equal((type(error), error.path), (kind, path))
    equal(await stranger.multi_read().commit(), [])


async def who(world: World) -> None:
    """A client is told who it is: its address, and the users it has proven to be."""
    client = await world.connect()
    [address] = await client.whoami()
    equal(address.scheme, "ip")
    await client.add_auth("digest", CREDENTIALS)
    user = ClientInfo("digest", CREDENTIALS.partition(":")[0])
    equal(sorted(await client.whoami()), [user, address])


async def config(world: World) -> None:
    """The configuration of the ensemble can be read below any chroot, but not written."""
    client, above = await world.connect(), await world.connect(chroot="")
    equal(await client.get_config(), await above.get("/zookeeper/config"))
    await refused(above.set("/zookeeper/config", b""), NoAuthException)
    await refused(client.reconfig(leaving="99"), ZooKeeperException)


async def kinds(world: World) -> None:
    """Containers and nodes with a time to live are nodes like others, until they go."""
    client = await world.connect()
    equal(await client.create("/c", b"1", flags=CONTAINER), "/c")
    equal(await client.create("/t", b"2", ttl=100_000), "/t")
    path, stat = await client.create2("/t-", b"3", flags=SEQUENCE, ttl=100_000)
    equal((path, stat), ("/t-0000000002", await client.exists(path)))
    for path in ("/c", "/t"):
        data, stat = await client.get(path)
        equal((len(data), stat.ephemeral_owner), (1, 0))
        await client.create(path + "/e", flags=EPHEMERAL)


async def kinds_in_a_transaction(world: World) -> None:
    """A transaction makes them too."""
    client = await world.connect()
    transaction = client.transaction().create("/c", flags=CONTAINER).create("/t", ttl=100_000)
    transaction.create("/t-", flags=SEQUENCE, ttl=100_000).create("/c/a").delete("/c/a")
    equal(await transaction.commit(), ["/c", "/t", "/t-0000000002", "/c/a", None])
    doomed = client.transaction().create("/new").create("/no time", ttl=0)
    await refused(doomed.commit(), BadArgumentsException, "/no time")
    equal(await client.exists("/new"), None)
