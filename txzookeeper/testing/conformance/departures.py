"""Nodes that the server deletes in time: containers, and those with a time to live.

A real server looks for them every minute if nothing else is said, as
``-Dznode.container.checkIntervalMs`` does; these promises need one that looks more often.
"""

from __future__ import annotations

from txzookeeper.constants import CONTAINER, EPHEMERAL
from txzookeeper.testing.conformance.expect import equal
from txzookeeper.testing.world import World


async def container(world: World) -> None:
    """A container is deleted when its last child is gone, and not before it had one."""
    client = await world.connect()
    await client.create("/unused", flags=CONTAINER)
    await client.create("/c", flags=CONTAINER)
    await client.create("/c/a")
    await world.sleep(1.5)
    equal(sorted(await client.get_children("/")), ["c", "unused"])
    known, gone = client.exists_and_watch("/c")
    await known
    await client.delete("/c/a")
    equal((await gone).type_name, "deleted")
    equal(await client.get_children("/"), ["unused"])


async def nested(world: World) -> None:
    """A container whose last child was a container follows it."""
    client, owner = await world.connect(), await world.connect()
    await client.create("/c", flags=CONTAINER)
    await client.create("/c/d", flags=CONTAINER)
    await owner.create("/c/d/e", flags=EPHEMERAL)
    await client.sync()
    known, gone = client.exists_and_watch("/c")
    await known
    await owner.close()
    equal((await gone).type_name, "deleted")


async def time_to_live(world: World) -> None:
    """A node's time to live begins anew when its data changes, and waits for its children."""
    client = await world.connect()
    for path in ("/short", "/long", "/full"):
        await client.create(path, ttl=100_000 if path == "/long" else 3000)
    await client.create("/full/a")
    await world.sleep(2)
    stat = await client.set("/short", b"")
    await world.sleep(2)
    known, gone = client.exists_and_watch("/short")
    equal(await known, stat)
    equal((await gone).type_name, "deleted")
    equal(sorted(await client.get_children("/")), ["full", "long"])
    known, gone = client.exists_and_watch("/full")
    await known
    await client.delete("/full/a")
    equal((await gone).type_name, "deleted")
    equal(await client.get_children("/"), ["long"])
