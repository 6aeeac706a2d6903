"""Watchers: they tell the last state, also after they were cut off."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from txzookeeper.constants import CONNECTED_STATE
from txzookeeper.testing.conformance.expect import equal, reached
from txzookeeper.testing.world import World
from txzookeeper.watchers import ChildrenWatcher, NodeWatcher


async def node(world: World) -> None:
    """A node's data are told at the start and after each change, its absence as None."""
    client, other = await world.connect(), await world.connect()
    told: list[Any] = []
    watcher = NodeWatcher(client, "/a", lambda data, _: told.append(data))
    await watcher.start()
    await other.create("/a", b"1")
    await _caught_up(client)
    await other.set("/a", b"2")
    await _caught_up(client)
    await other.delete("/a")
    await _caught_up(client)
    equal(told, [None, b"1", b"2", None])
    watcher.stop()
    await other.create("/a")
    await _caught_up(client)
    equal(told, [None, b"1", b"2", None])


async def children(world: World) -> None:
    """Of the children all names are told, and who came and went."""
    client, other = await world.connect(), await world.connect()
    told: list[Any] = []
    watcher = ChildrenWatcher(client, "/a", lambda *args: told.append(args))
    await watcher.start()
    await other.transaction().create("/a").create("/a/1").create("/a/2").commit()
    await _caught_up(client)
    await other.transaction().delete("/a/1").create("/a/3").commit()
    await _caught_up(client)
    equal(told[0], (None, (), ()))
    equal(told[-1], (("2", "3"), ("3",), ("1",)))
    watcher.stop()


async def missed(world: World) -> None:
    """What happened while the client was cut off is told when it is back."""
    client, other = await world.connect(), await world.connect(direct=True)
    await other.create("/a", b"1")
    data: list[Any] = []
    names: list[Any] = []
    one = NodeWatcher(client, "/a", lambda content, _: data.append(content))
    two = ChildrenWatcher(client, "/a", lambda *args: names.append(args[0]))
    await one.start()
    await two.start()
    back = reached(client, CONNECTED_STATE)
    await world.cut()
    await other.set("/a", b"2")
    await other.create("/a/b")
    await world.mend()
    await back
    await _caught_up(client)
    equal((data, names), ([b"1", b"2"], [(), ("b",)]))
    one.stop()
    two.stop()


async def expired(world: World) -> None:
    """With a managed client they live on when its session has expired."""
    client, other = await world.connect_managed(), await world.connect(direct=True)
    changed: Deferred[bytes] = Deferred()

    def tell(data: bytes | None, _: object) -> None:
        if data is not None:
            changed.callback(data)

    watcher = NodeWatcher(client, "/a", tell)
    await watcher.start()
    await world.expire(client)
    await other.create("/a", b"1")
    equal(await changed, b"1")
    watcher.stop()


async def _caught_up(client: Any) -> None:
    """Wait until events that are under way have arrived, and what they made be read again.

    A leader's ``sync`` does not wait for what was acknowledged elsewhere; a write does.
    """
    for _ in range(3):
        await client.set("/")
