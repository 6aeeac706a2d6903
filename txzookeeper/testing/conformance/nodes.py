"""Nodes: making, reading, changing and deleting them."""

from __future__ import annotations

from txzookeeper.constants import EPHEMERAL, SEQUENCE
from txzookeeper.errors import (
    BadArgumentsException,
    BadVersionException,
    NoChildrenForEphemeralsException,
    NodeExistsException,
    NoNodeException,
    NotEmptyException,
)
from txzookeeper.testing.conformance.expect import equal, refused
from txzookeeper.testing.world import World


async def create(world: World) -> None:
    """A node holds the bytes it was made with."""
    client = await world.connect()
    equal(await client.create("/a", b"\0\xff"), "/a")
    data, stat = await client.get("/a")
    equal((data, stat.version, stat.data_length), (b"\0\xff", 0, 2))


async def create_refused(world: World) -> None:
    """A node needs a parent that may have children, and a name that is free."""
    client = await world.connect()
    await client.create("/a")
    await client.create("/e", flags=EPHEMERAL)
    await refused(client.create("/a"), NodeExistsException, "/a")
    await refused(client.create("/no/b"), NoNodeException, "/no/b")
    await refused(client.create("/e/b"), NoChildrenForEphemeralsException, "/e/b")
    equal(sorted(await client.get_children("/")), ["a", "e"])


async def bad_paths(world: World) -> None:
    """Paths that are no paths are refused, by the client or the server."""
    client = await world.connect()
    for path in ("a", "", "/a/", "//a", "/./a", "/a\0b"):
        await refused(client.create(path), BadArgumentsException, path)
    await refused(client.get("a"), BadArgumentsException, "a")


async def set(world: World) -> None:
    """Setting replaces the data, and counts the version."""
    client = await world.connect()
    await client.create("/a", b"old")
    stat = await client.set("/a", b"newer", 0)
    equal((stat.version, stat.data_length), (1, 5))
    equal(await client.get("/a"), (b"newer", stat))
    await refused(client.set("/a", b"late", 0), BadVersionException, "/a")
    await refused(client.set("/no", b""), NoNodeException, "/no")
    equal((await client.set("/a", b"")).version, 2)


async def delete(world: World) -> None:
    """Only a node without children, at the version named, is deleted."""
    client = await world.connect()
    await client.create("/a")
    await client.create("/a/b")
    await refused(client.delete("/a"), NotEmptyException, "/a")
    await refused(client.delete("/a/b", 1), BadVersionException, "/a/b")
    await client.delete("/a/b", 0)
    await client.delete("/a")
    await refused(client.delete("/a"), NoNodeException, "/a")
    equal(await client.get_children("/"), [])


async def missing(world: World) -> None:
    """A node that is not there cannot be read, but asking whether it exists is no error."""
    client = await world.connect()
    equal(await client.exists("/a"), None)
    await refused(client.get("/a"), NoNodeException, "/a")
    await refused(client.get_children("/a"), NoNodeException, "/a")
    await refused(client.get_acl("/a"), NoNodeException, "/a")


async def children(world: World) -> None:
    """A node's children are listed by their names alone."""
    client = await world.connect()
    await client.create("/a")
    for name in ("x", "y", "z"):
        await client.create(f"/a/{name}")
    await client.create("/a/x/deep")
    equal(sorted(await client.get_children("/a")), ["x", "y", "z"])


async def stat(world: World) -> None:
    """A stat tells transactions, times, versions and sizes, of the node and of its children."""
    client = await world.connect()
    await client.create("/a", b"12")
    born = await client.exists("/a")
    await client.set("/a", b"345")
    await client.create("/a/b")
    await client.create("/a/c", flags=EPHEMERAL)
    await client.delete("/a/b")
    now, child = await client.exists("/a"), await client.exists("/a/c")
    assert born is not None and now is not None and child is not None
    equal((born.czxid, born.pzxid, born.ctime), (born.mzxid, born.mzxid, born.mtime))
    equal((now.czxid, now.ctime, now.aversion), (born.czxid, born.ctime, 0))
    equal(born.czxid < now.mzxid < child.czxid < now.pzxid, True)
    equal((now.version, now.cversion, now.num_children, now.data_length), (1, 3, 1, 3))
    equal((now.ephemeral_owner, child.ephemeral_owner), (0, client.client_id[0]))


async def sequence(world: World) -> None:
    """Sequence numbers have ten digits and grow with every child ever made."""
    client = await world.connect()
    await client.create("/q")
    first = await client.create("/q/a-", flags=SEQUENCE)
    await client.delete(first)
    await client.create("/q/other")
    second = await client.create("/q/", flags=SEQUENCE | EPHEMERAL)
    equal((first, second), ("/q/a-0000000000", "/q/0000000002"))


async def chroot(world: World) -> None:
    """A client below a chroot sees and says paths without it, in its errors too."""
    below, above = await world.connect(), await world.connect(chroot="")
    equal(await below.create("/a", b"x"), "/a")
    equal((await above.get(world.root + "/a"))[0], b"x")
    equal(await below.get_children("/"), ["a"])
    equal(await below.sync("/a"), "/a")
    await refused(above.get(world.root + "/b"), NoNodeException, world.root + "/b")
    await refused(below.get("/b"), NoNodeException, "/b")


async def sync(world: World) -> None:
    """After a sync a client sees what others had been told is done."""
    one, other = await world.connect(), await world.connect()
    await one.create("/a")
    equal(await other.sync("/a"), "/a")
    await one.sync("/not there")
    equal((await other.get("/a"))[0], b"")


async def pipeline(world: World) -> None:
    """Calls made at once are carried out in their order."""
    client = await world.connect()
    await client.create("/a")
    calls = [client.set("/a", b"%d" % number) for number in range(200)]
    equal([(await call).version for call in calls], list(range(1, 201)))
    equal((await client.get("/a"))[0], b"199")


async def big(world: World) -> None:
    """Nearly a megabyte goes in and comes out; the client refuses to send more."""
    client = await world.connect()
    await client.create("/a", bytes(1_000_000))
    equal(len((await client.get("/a"))[0]), 1_000_000)
    await refused(client.set("/a", bytes(1_100_000)), BadArgumentsException, "/a")
