"""Watches: each fires once, for what it was set on, also across connections."""

from __future__ import annotations

from txzookeeper.constants import CONNECTED_STATE, EPHEMERAL, PERM_ALL, PERM_READ
from txzookeeper.errors import NoNodeException
from txzookeeper.records import ACL
from txzookeeper.testing.conformance.expect import OURS, collected, equal, reached, refused
from txzookeeper.testing.world import World


async def exists(world: World) -> None:
    """A watch on a node that is not there tells of its creation, and of nothing after it."""
    client, other = await world.connect(), await world.connect()
    stat, watch = client.exists_and_watch("/a")
    equal(await stat, None)
    events = collected(watch)
    await other.create("/a")
    await other.set("/a", b"")
    await client.sync()
    equal(events, [("created", "/a")])


async def data(world: World) -> None:
    """Watches on a node tell of the next change of its data, each once."""
    client, other = await world.connect(), await world.connect()
    await other.create("/a", b"1")
    got, one = client.get_and_watch("/a")
    known, two = client.exists_and_watch("/a")
    content, stat = await got
    equal((content, stat), (b"1", await known))
    events = collected(one, two)
    await other.create("/a/b")
    await other.set_acl("/a", [ACL(PERM_ALL, "world", "anyone")])
    await client.sync()
    equal(events, [])
    await other.set("/a", b"2")
    await other.set("/a", b"3")
    await client.sync()
    equal(events, [("changed", "/a"), ("changed", "/a")])


async def children(world: World) -> None:
    """A watch on the children tells of one that comes or goes, not of one that changes."""
    client, other = await world.connect(), await world.connect()
    await other.create("/a")
    await other.create("/a/b")
    names, watch = client.get_children_and_watch("/a")
    equal(await names, ["b"])
    events = collected(watch)
    await other.set("/a/b", b"")
    await other.set("/a", b"")
    await other.create("/a/b/c")
    await client.sync()
    equal(events, [])
    await other.create("/a/d")
    await client.sync()
    equal(events, [("child", "/a")])
    _, watch = client.get_children_and_watch("/a")
    again = collected(watch)
    await client.sync()
    await other.delete("/a/d")
    await client.sync()
    equal(again, [("child", "/a")])


async def deletion(world: World) -> None:
    """A node's end fires all watches on it and those on its parent's children."""
    client, other = await world.connect(), await world.connect()
    await other.create("/a")
    events = collected(
        client.get_and_watch("/a")[1],
        client.exists_and_watch("/a")[1],
        client.get_children_and_watch("/a")[1],
        client.get_children_and_watch("/")[1],
    )
    await client.sync()
    await other.delete("/a")
    await client.sync()
    equal(events, [("deleted", "/a")] * 3 + [("child", "/")])


async def own_changes(world: World) -> None:
    """A client's own change fires its watch before the change's answer is there."""
    client = await world.connect()
    await client.create("/a")
    events = collected(client.get_and_watch("/a")[1])
    await client.set("/a", b"")
    equal(events, [("changed", "/a")])


async def not_armed(world: World) -> None:
    """A read that was refused leaves no watch behind."""
    client, other = await world.connect(), await world.connect()
    got, one = client.get_and_watch("/a")
    names, two = client.get_children_and_watch("/a")
    await refused(got, NoNodeException, "/a")
    await refused(names, NoNodeException, "/a")
    events = collected(one, two)
    await other.create("/a")
    await other.create("/a/b")
    await client.sync()
    equal(events, [])


async def ephemeral(world: World) -> None:
    """The end of a session that owned a node is the node's deletion."""
    client, owner = await world.connect(), await world.connect()
    await owner.create("/a", flags=EPHEMERAL)
    events = collected(client.exists_and_watch("/a")[1], client.get_children_and_watch("/")[1])
    await client.sync()
    await owner.close()
    await client.sync()
    equal(events, [("deleted", "/a"), ("child", "/")])


async def rearmed(world: World) -> None:
    """Watches survive a cut connection: they wait for their change on the next one."""
    client, other = await world.connect(), await world.connect(direct=True)
    await other.create("/a")
    events = collected(
        client.get_and_watch("/a")[1],
        client.exists_and_watch("/b")[1],
        client.get_children_and_watch("/a")[1],
    )
    await client.sync()
    back = reached(client, CONNECTED_STATE)
    world.drop_connections()
    await back
    await client.sync()
    equal(events, [])
    await other.set("/a", b"")
    await other.create("/b")
    await other.create("/a/c")
    await client.sync()
    equal(events, [("changed", "/a"), ("created", "/b"), ("child", "/a")])


async def missed(world: World) -> None:
    """What happened while a client was away is told to it when it is back, once."""
    client, other = await world.connect(), await world.connect(direct=True)
    for path in ("/changed", "/deleted", "/parent", "/same"):
        await other.create(path)
    watches = [client.get_and_watch(path)[1] for path in ("/changed", "/deleted", "/same")]
    watches.append(client.exists_and_watch("/created")[1])
    watches.append(client.get_children_and_watch("/parent")[1])
    events = collected(*watches)
    await client.sync()
    back = reached(client, CONNECTED_STATE)
    await world.cut()
    await other.set("/changed", b"")
    await other.delete("/deleted")
    await other.create("/created")
    await other.create("/parent/child")
    await world.mend()
    await back
    await client.sync()
    expected = [("changed", "/changed"), ("child", "/parent"), ("created", "/created")]
    equal(sorted(events), [*expected, ("deleted", "/deleted")])


async def chroot(world: World) -> None:
    """Events name the path as the client calls it."""
    client, above = await world.connect(), await world.connect(chroot="")
    events = collected(client.get_children_and_watch("/")[1], client.exists_and_watch("/a")[1])
    await client.sync()
    await above.create(world.root + "/a")
    await client.sync()
    equal(sorted(events), [("child", "/"), ("created", "/a")])


async def closed_to_the_watcher(world: World) -> None:
    """A watch does not tell those who may not read the node any more (since CVE-2024-23944)."""
    client, other = await world.connect(), await world.connect()
    await other.create("/a")
    events = collected(client.get_and_watch("/a")[1])
    await client.sync()
    await other.set_acl("/a", [OURS, ACL(PERM_ALL - PERM_READ, "world", "anyone")])
    await other.set("/a", b"")
    await client.sync()
    equal(events, [])
