"""Watches that stand: they call back for every event until they are removed."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred

from txzookeeper.constants import (
    CHILD_WATCHES,
    CONNECTED_STATE,
    EPHEMERAL,
    EXPIRED_SESSION_STATE,
    PERM_ALL,
    PERM_READ,
)
from txzookeeper.errors import NoNodeException, NoWatcherException
from txzookeeper.event import ClientEvent
from txzookeeper.records import ACL
from txzookeeper.testing.conformance.expect import OURS, collected, equal, reached, refused
from txzookeeper.testing.world import CREDENTIALS, World


async def every_change(world: World) -> None:
    """One on a node hears of each of its changes, and of each change of its children's list."""
    client, other = await world.connect(), await world.connect()
    told: list[tuple[str, str]] = []
    await client.add_watch("/a", _note(told))
    await other.create("/a")
    await other.set("/a", b"1")
    await other.set("/a", b"2")
    await other.create("/a/b")
    await other.set("/a/b", b"")
    await other.create("/a/b/c")
    await other.delete("/a/b/c")
    await other.delete("/a/b")
    await other.delete("/a")
    await other.create("/a")
    await client.sync()
    changes = ["created", "changed", "changed", "child", "child", "deleted", "created"]
    equal(told, [(change, "/a") for change in changes])


async def recursive(world: World) -> None:
    """A recursive one hears of all nodes below, but of no list of children."""
    client, other = await world.connect(), await world.connect()
    told: list[tuple[str, str]] = []
    await client.add_watch("/a", _note(told), recursive=True)
    for path in ("/a", "/ab", "/a/b", "/a/b/c"):
        await other.create(path)
    await other.set("/a/b/c", b"")
    for path in ("/a/b/c", "/a/b", "/a", "/ab"):
        await other.delete(path)
    await client.sync()
    equal(told[:3], [("created", "/a"), ("created", "/a/b"), ("created", "/a/b/c")])
    equal(told[3], ("changed", "/a/b/c"))
    equal(told[4:], [("deleted", "/a/b/c"), ("deleted", "/a/b"), ("deleted", "/a")])


async def whole_tree(world: World) -> None:
    """A recursive one on the root hears of every node that the client can see."""
    client, other = await world.connect(), await world.connect()
    told: list[tuple[str, str]] = []
    await client.add_watch("/", _note(told), recursive=True)
    await other.create("/a")
    await other.set("/", b"")
    await client.sync()
    equal(told, [("created", "/a"), ("changed", "/")])


async def before_the_answer(world: World) -> None:
    """A client's own change is told before it is answered."""
    client = await world.connect()
    told: list[tuple[str, str]] = []
    await client.add_watch("/a", _note(told), recursive=True)
    await client.create("/a")
    equal(told, [("created", "/a")])
    await client.delete("/a")
    equal(told[1:], [("deleted", "/a")])


async def overlapping(world: World) -> None:
    """Each of several hears of a happening once, wherever it stands."""
    client, other = await world.connect(), await world.connect()
    await other.create("/a")
    heard: list[list[tuple[str, str]]] = [[], [], [], []]
    await client.add_watch("/", _note(heard[0]), recursive=True)
    await client.add_watch("/a", _note(heard[1]))
    await client.add_watch("/a", _note(heard[2]), recursive=True)
    await client.add_watch("/a", _note(heard[3]))
    await other.set("/a", b"")
    await other.delete("/a")
    await client.sync()
    equal(heard, [[("changed", "/a"), ("deleted", "/a")]] * 4)


async def beside_one_shots(world: World) -> None:
    """A one-shot watch at the same node fires once, and the one that stands goes on."""
    client, other = await world.connect(), await world.connect()
    await other.create("/a")
    told: list[tuple[str, str]] = []
    await client.add_watch("/a", _note(told))
    events = collected(client.get_and_watch("/a")[1], client.get_children_and_watch("/a")[1])
    await client.sync()
    await other.set("/a", b"1")
    await other.set("/a", b"2")
    await other.create("/a/b")
    await other.create("/a/c")
    await client.sync()
    equal(events, [("changed", "/a"), ("child", "/a")])
    equal(told, [("changed", "/a")] * 2 + [("child", "/a")] * 2)


async def below_recursive(world: World) -> None:
    """A one-shot watch below a recursive one fires once, and the recursive one goes on."""
    client, other = await world.connect(), await world.connect()
    await other.create("/a")
    await other.create("/a/b")
    told: list[tuple[str, str]] = []
    await client.add_watch("/a", _note(told), recursive=True)
    events = collected(client.get_and_watch("/a/b")[1], client.get_children_and_watch("/a/b")[1])
    await client.sync()
    await other.set("/a/b", b"1")
    await other.create("/a/b/c")
    await other.delete("/a/b/c")
    await client.sync()
    equal(events, [("changed", "/a/b"), ("child", "/a/b")])
    equal(told, [("changed", "/a/b"), ("created", "/a/b/c"), ("deleted", "/a/b/c")])


async def transaction(world: World) -> None:
    """The changes of a transaction are told one by one, and those of a refused one not at all."""
    client, other = await world.connect(), await world.connect()
    told: list[tuple[str, str]] = []
    await client.add_watch("/a", _note(told), recursive=True)
    await refused(other.transaction().create("/a").delete("/no").commit(), NoNodeException)
    await other.transaction().create("/a").create("/a/b").set("/a", b"").delete("/a/b").commit()
    await client.sync()
    expected = [("created", "/a"), ("created", "/a/b"), ("changed", "/a"), ("deleted", "/a/b")]
    equal(told, expected)


async def ephemeral(world: World) -> None:
    """The end of a session that owned nodes is told as their deletion."""
    client, owner = await world.connect(), await world.connect()
    await client.create("/a")
    told: list[tuple[str, str]] = []
    await client.add_watch("/a", _note(told), recursive=True)
    await owner.create("/a/e", flags=EPHEMERAL)
    await owner.close()
    await client.sync()
    equal(told, [("created", "/a/e"), ("deleted", "/a/e")])


async def closed_to_the_watcher(world: World) -> None:
    """Of nodes that the watcher may not read it is told nothing (since CVE-2024-23944)."""
    client, other = await world.connect(), await world.connect()
    await other.add_auth("digest", CREDENTIALS)
    await other.create("/a")
    told: list[tuple[str, str]] = []
    await client.add_watch("/a", _note(told), recursive=True)
    await other.create("/a/open")
    await other.create("/a/shut", acls=[OURS, ACL(PERM_ALL - PERM_READ, "world", "anyone")])
    await other.set("/a/shut", b"")
    await other.delete("/a/shut")
    await client.sync()
    equal(told, [("created", "/a/open")])


async def removed(world: World) -> None:
    """One that was removed hears nothing more; others at its node go on."""
    client, other = await world.connect(), await world.connect()
    await other.create("/a")
    told: list[tuple[str, str]] = []
    gone: list[tuple[str, str]] = []
    await client.add_watch("/a", _note(told))
    watch = await client.add_watch("/a", _note(gone), recursive=True)
    await other.create("/a/b")
    await client.sync()
    await watch.remove()
    await other.delete("/a/b")
    await client.sync()
    equal((gone, told), ([("created", "/a/b")], [("child", "/a")] * 2))


async def taken_away(world: World) -> None:
    """Taking a node's watches away takes one-shot and standing ones, which are told of it."""
    client, other = await world.connect(), await world.connect()
    await other.create("/a")
    told: list[tuple[str, str]] = []
    await client.add_watch("/a", _note(told))
    await client.add_watch("/", _note(told), recursive=True)
    events = collected(client.get_and_watch("/a")[1], client.get_children_and_watch("/a")[1])
    await client.sync()
    await client.remove_watches("/a")
    equal(events, [("data watch removed", "/a"), ("child watch removed", "/a")])
    equal(told, [("persistent watch removed", "/a")])
    await refused(client.remove_watches("/a"), NoWatcherException, "/a")
    await other.set("/a", b"")
    await client.sync()
    equal(told[1:], [("changed", "/a")])


async def one_shots_taken_away(world: World) -> None:
    """One-shot watches are taken away by their kind, on a node and on the list of its children."""
    client, other = await world.connect(), await world.connect()
    await other.create("/a")
    data, children = client.get_and_watch("/a")[1], client.get_children_and_watch("/a")[1]
    events = collected(data, children)
    await client.sync()
    await client.remove_watches("/a", CHILD_WATCHES)
    equal(events, [("child watch removed", "/a")])
    await refused(client.remove_watches("/a", CHILD_WATCHES), NoWatcherException, "/a")
    await other.set("/a", b"")
    await client.sync()
    equal(events[1:], [("changed", "/a")])
    await refused(client.remove_watches("/a"), NoWatcherException, "/a")


async def next_connection(world: World) -> None:
    """It stands on the next connection too; of what was missed a session event says: look again."""
    client, other = await world.connect(), await world.connect(direct=True)
    await other.create("/a")
    told: list[tuple[str, str]] = []
    await client.add_watch("/a", _note(told))
    await client.add_watch("/", _note(told), recursive=True)
    back = reached(client, CONNECTED_STATE)
    await world.cut()
    await other.set("/a", b"missed")
    await world.mend()
    await back
    await client.sync()
    equal(told, [("session", "")] * 2)
    await other.set("/a", b"heard")
    await other.create("/a/b")
    await client.sync()
    heard = [("changed", "/a"), ("changed", "/a"), ("child", "/a"), ("created", "/a/b")]
    equal(sorted(told[2:]), heard)


async def session_over(world: World) -> None:
    """With its session it ends, and is told so."""
    client = await world.connect()
    over: Deferred[ClientEvent] = Deferred()

    def tell(event: ClientEvent) -> None:
        if event.connection_state == EXPIRED_SESSION_STATE:
            over.callback(event)

    await client.add_watch("/a", tell)
    await world.expire(client)
    equal((await over).type_name, "session")


async def managed(world: World) -> None:
    """A managed client's stands on its next session."""
    client, other = await world.connect_managed(), await world.connect(direct=True)
    told: list[tuple[str, str]] = []
    await client.add_watch("/a", _note(told))
    renewed = client.subscribe_new_session()
    await world.expire(client)
    await renewed
    await client.sync()
    equal({kind for kind, _ in told}, {"session"})
    told.clear()
    await other.create("/a")
    await client.sync()
    equal(told, [("created", "/a")])


def _note(told: list[tuple[str, str]]) -> Callable[[ClientEvent], None]:
    return lambda event: told.append((event.type_name, event.path))
