"""Subtrees in memory: they are what is on the server, also after they were cut off."""

from __future__ import annotations

from contextlib import suppress
from random import Random

from twisted.internet.defer import Deferred

from txzookeeper.cache import Change, join
from txzookeeper.client import ZookeeperClient
from txzookeeper.constants import CONNECTED_STATE, PERM_ALL, PERM_READ
from txzookeeper.errors import NodeExistsException, NoNodeException, NotEmptyException
from txzookeeper.records import ACL
from txzookeeper.retry import retry
from txzookeeper.subtree import Subtree
from txzookeeper.testing.conformance.expect import OURS, equal, reached
from txzookeeper.testing.world import World


async def loading(world: World) -> None:
    """All nodes are held when it has started, and each change that follows."""
    client, other = await world.connect(), await world.connect()
    await _family(other)
    subtree = await Subtree(client, "/a").start()
    await _same(client, other, subtree)
    await other.transaction().create("/a/e").create("/a/e/f").set("/a/b", b"2").commit()
    await _same(client, other, subtree)
    await other.transaction().delete("/a/b/c").delete("/a/b").create("/a/b").commit()
    await _same(client, other, subtree)
    await subtree.stop()
    await other.create("/a/late")
    await client.set("/")
    equal("/a/late" in subtree, False)


async def telling(world: World) -> None:
    """Who listens is told of all nodes, and of what becomes of them."""
    client, other = await world.connect(), await world.connect()
    await _family(other)
    subtree = Subtree(client, "/a")
    told: list[tuple[str, str]] = []
    subtree.subscribe(lambda change: told.append((change.kind.value, change.path)))
    await subtree.start()
    equal(sorted(told), [("added", path) for path in ("/a", "/a/b", "/a/b/c", "/a/d")])
    told.clear()
    await other.set("/a/b/c", b"2")
    await other.delete("/a/b/c")
    await other.create("/a/b/g")
    await _same(client, other, subtree)
    equal([each for each in told if each[1] == "/a/b/c"][-1], ("removed", "/a/b/c"))
    equal([each for each in told if each[1] == "/a/b/g"], [("added", "/a/b/g")])
    await subtree.stop()


async def root(world: World) -> None:
    """The node itself may be missing, come, go, and come again."""
    client, other = await world.connect(), await world.connect()
    subtree = await Subtree(client, "/a").start()
    equal(len(subtree), 0)
    for _ in range(2):
        await _family(other)
        await _same(client, other, subtree)
        work = other.transaction().delete("/a/b/c").delete("/a/b").delete("/a/d").delete("/a")
        await work.commit()
        await _same(client, other, subtree)
        equal(len(subtree), 0)
    await subtree.stop()


async def missed(world: World) -> None:
    """What happened while the client was cut off is held when it is back."""
    client, other = await world.connect(), await world.connect(direct=True)
    await _family(other)
    subtree = await Subtree(client, "/a").start()
    back = reached(client, CONNECTED_STATE)
    await world.cut()
    await other.transaction().create("/a/b/c/f").create("/a/b/c/f/g").set("/a/d", b"2").commit()
    await other.transaction().create("/a/e").set("/a", b"3").commit()
    await world.mend()
    await back
    await _same(client, other, subtree)
    await subtree.stop()


async def expired(world: World) -> None:
    """With a managed client it lives on when its session has expired."""
    client, other = await world.connect_managed(), await world.connect(direct=True)
    await _family(other)
    subtree = await Subtree(client, "/a").start()
    added: Deferred[None] = Deferred()

    def tell(change: Change) -> None:
        if change.path == "/a/e":
            added.callback(None)

    subtree.subscribe(tell)
    await world.expire(client)
    await other.create("/a/e")
    await added
    await _same(client, other, subtree)
    await subtree.stop()


async def denied(world: World) -> None:
    """What may not be read is left out with all that is below it."""
    client, other = await world.connect(), await world.connect()
    await _family(other)
    await other.set_acl("/a/b", [OURS, ACL(PERM_ALL - PERM_READ, "world", "anyone")])
    subtree = await Subtree(client, "/a").start()
    await other.set("/a/b/c", b"2")
    await client.set("/")
    await client.set("/")
    equal(list(subtree), ["/a", "/a/d"])
    await subtree.stop()


async def anything(world: World) -> None:
    """After many changes amid many broken connections it is what is on the server."""
    client, other = await world.connect_managed(), await world.connect(direct=True)
    chance = Random(1)
    paths = ["/a", "/a/b", "/a/b/c", "/a/d", "/a/d/e", "/a/b/c/f"]
    subtree = Subtree(client, "/a", limit=2)
    starting = subtree.start()
    for number in range(300):
        path = chance.choice(paths)
        data = b"%d" % number
        deed = chance.choice(["create", "create", "set", "delete"])
        with suppress(NoNodeException, NodeExistsException, NotEmptyException):
            if deed == "create":
                await other.create(path, data)
            elif deed == "set":
                await other.set(path, data)
            else:
                await other.delete(path)
        if chance.random() < 0.05:
            world.drop_connections()
    await starting
    await _same(client, other, subtree)
    await subtree.stop()


async def _family(client: ZookeeperClient) -> None:
    await client.transaction().create("/a").create("/a/b").create("/a/b/c").create("/a/d").commit()


async def _same(client: ZookeeperClient, other: ZookeeperClient, subtree: Subtree) -> None:
    """Require that, after a while, memory and server agree."""
    there = await _nodes(other, subtree.path)
    # Events come before the answer to a later write, and what they ask for before the next.
    for _ in range(10):
        await retry(client, client.set, "/")
        if subtree.current:
            break
    held = {path: subtree.get(path) for path in subtree}
    equal({path: node.data for path, node in held.items() if node is not None}, there)


async def _nodes(client: ZookeeperClient, path: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with suppress(NoNodeException):
        found[path] = (await client.get(path))[0]
        for name in await client.get_children(path):
            found |= await _nodes(client, join(path, name))
    return found
