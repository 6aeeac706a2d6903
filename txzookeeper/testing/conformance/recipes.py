"""Locks, elections, counters and repeated calls: what is built upon the client's operations."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, gatherResults

from txzookeeper.constants import EPHEMERAL
from txzookeeper.counter import Counter
from txzookeeper.election import Election
from txzookeeper.errors import BadVersionException
from txzookeeper.lock import Lock, LockLost, ReadLock, Semaphore, WriteLock
from txzookeeper.managed import ManagedClient
from txzookeeper.node import ZNode
from txzookeeper.records import Stat
from txzookeeper.retry import RetryClient, retry, retry_watch
from txzookeeper.testing.conformance.expect import equal, refused
from txzookeeper.testing.world import World
from txzookeeper.utils import ensure_path, retry_change


async def taking_turns(world: World) -> None:
    """A lock is given to one after the other, in the order of asking, with rising tokens."""
    await _line(world, "/lock")
    locks = [Lock("/lock", await world.connect(), b"%d" % number) for number in range(5)]
    order: list[int] = []
    tokens: list[int] = []

    async def hold(number: int) -> None:
        async with locks[number] as lock:
            equal([each.acquired for each in locks].count(True), 1)
            order.append(number)
            tokens.append(lock.token)
            await world.sleep(0.01)

    first = await Lock("/lock", await world.connect()).acquire()
    holding = []
    for number, lock in enumerate(locks):
        holding.append(Deferred.fromCoroutine(hold(number)))
        await _standing(world, lock, number + 2)
    equal(order, [])
    await first.release()
    await gatherResults(holding)
    equal(order, [0, 1, 2, 3, 4])
    equal(tokens, sorted(set(tokens)))
    await _standing(world, locks[0], 0)


async def contenders(world: World) -> None:
    """Everybody sees who holds a lock and who waits, in their order."""
    await _line(world, "/a/lock")
    one, two = await world.connect(), await world.connect()
    holder, waiter = Lock("/a/lock", one, b"one"), Lock("/a/lock", two, b"two")
    await holder.acquire()
    waiting = waiter.acquire()
    await _standing(world, holder, 2)
    equal(await waiter.contenders(), [b"one", b"two"])
    await holder.release()
    equal(await waiting, waiter)
    await waiter.release()


async def given_up(world: World) -> None:
    """Who gives up waiting is out of the line, and holds up nobody."""
    await _line(world, "/lock")
    client = await world.connect()
    first, second, third = (Lock("/lock", client) for _ in range(3))
    await first.acquire()
    giving_up = second.acquire()
    await _standing(world, first, 2)
    waiting = third.acquire()
    await _standing(world, first, 3)
    giving_up.cancel()
    await _cancelled(giving_up)
    await _standing(world, first, 2)
    await first.release()
    await waiting
    await third.release()


async def expired_holder(world: World) -> None:
    """When the holder's session is expired he is told, and the next one has the lock."""
    await _line(world, "/lock")
    client, other = await world.connect(), await world.connect()
    lock, following = Lock("/lock", client), Lock("/lock", other)
    await lock.acquire()
    lost, waiting = lock.lost(), following.acquire()
    await _standing(world, following, 2)
    await world.expire(client)
    await waiting
    equal(await lost, "The session is expired.")
    error = await _lost(lock.release())
    equal(error.reason, "The session is expired.")
    await following.release()


async def cut_off_holder(world: World) -> None:
    """A holder who is cut off knows that he has lost the lock before somebody else has it."""
    await _line(world, "/lock")
    client = await world.connect(session_timeout=1000)
    other = await world.connect(direct=True)
    order: list[str] = []
    lock, following = Lock("/lock", client), Lock("/lock", other)
    await lock.acquire()
    lost = lock.lost()
    lost.addCallback(lambda _: order.append("lost"))
    waiting = following.acquire()
    await _standing(world, following, 2)
    await world.cut()
    await waiting
    equal(order, ["lost"])
    await world.mend()
    await following.release()


async def deleted_node(world: World) -> None:
    """A holder whose node somebody deletes is told."""
    await _line(world, "/lock")
    client, other = await world.connect(), await world.connect()
    lock = await Lock("/lock", client).acquire()
    lost = lock.lost()
    await other.sync()
    [name] = await other.get_children("/lock")
    await other.delete(f"/lock/{name}")
    equal(await lost, f"There is no node /lock/{name}.")


async def cut_while_waiting(world: World) -> None:
    """Connections that break again and again cost neither the lock nor a place in the line."""
    await _line(world, "/lock")
    other = await world.connect(direct=True)
    for pause in range(8):
        holder = await Lock("/lock", other).acquire()
        client = await world.connect()
        lock = Lock("/lock", client)
        waiting = lock.acquire()
        for _ in range(4):
            await world.sleep(pause * 0.001)
            world.drop_connections()
        await _standing(world, holder, 2)
        equal(lock.acquired, False)
        await holder.release()
        world.drop_connections()
        await waiting
        equal(len(await other.get_children("/lock")), 1)
        released = lock.release()
        world.drop_connections()
        await released
        await other.sync()
        equal(await other.get_children("/lock"), [])
        await client.close()


async def readers_and_writers(world: World) -> None:
    """Readers share a lock, a writer has it alone, and the order of asking is kept."""
    await _line(world, "/lock")
    client = await world.connect()
    locks: list[Lock] = []
    waiting: list[Deferred[Lock]] = []
    for number, kind in enumerate((ReadLock, ReadLock, WriteLock, ReadLock)):
        locks.append(kind("/lock", client))
        waiting.append(locks[-1].acquire())
        await _standing(world, locks[-1], number + 1)
    await gatherResults(waiting[:2])
    equal([lock.acquired for lock in locks], [True, True, False, False])
    await locks[0].release()
    await client.sync()
    equal(locks[2].acquired, False)
    await locks[1].release()
    await waiting[2]
    equal(locks[3].acquired, False)
    await locks[2].release()
    await waiting[3]
    await locks[3].release()


async def leases(world: World) -> None:
    """A semaphore is held by as many as there are leases."""
    await _line(world, "/semaphore")
    client, holding, most = await world.connect(), 0, 0

    async def work(token: int) -> None:
        nonlocal holding, most
        holding += 1
        most = max(most, holding)
        await world.sleep(0.01)
        holding -= 1

    await gatherResults([Semaphore("/semaphore", client, 3).run(work) for _ in range(9)])
    equal((holding, most), (0, 3))


async def leaders(world: World) -> None:
    """A leader who is cut off is stopped before the next one leads; back again, he stands again."""
    await _line(world, "/election")
    client = world.client(ManagedClient, session_timeout=1000)
    await client.connect()
    other = await world.connect_managed(direct=True)
    notes: list[str] = []
    tokens: list[int] = []
    elections = [Election("/election", client, b"1"), Election("/election", other, b"2")]
    led: Deferred[None] = Deferred()

    async def lead(token: int, name: str) -> None:
        notes.append(f"{name} leads")
        tokens.append(token)
        try:
            if name == "other":
                led.callback(None)
            await Deferred()
        finally:
            notes.append(f"{name} is stopped")

    running = [elections[0].run(lambda token: lead(token, "client"))]
    await _standing(world, elections[0], 1)
    running.append(elections[1].run(lambda token: lead(token, "other")))
    await _standing(world, elections[1], 2)
    await world.cut()
    await led
    equal(notes, ["client leads", "client is stopped", "other leads"])
    await world.mend()
    await _standing(world, elections[1], 2)
    equal(await elections[1].contenders(), [b"2", b"1"])
    equal(await elections[0].leader(), b"2")
    for election, each in zip(elections, running, strict=True):
        await election.resign()
        await _cancelled(each)
    equal(tokens, sorted(set(tokens)))


async def counted(world: World) -> None:
    """Nothing is lost and nothing counted twice when many add over connections that break."""
    clients: list[Any] = [await world.connect(direct=True), await world.connect()]
    clients += [await world.connect_managed(), await world.connect()]
    counters = [Counter("/number", client) for client in clients]
    adding = [counter.add(number) for counter in counters for number in range(1, 11)]
    for _ in range(20):
        await world.sleep(0.004)
        world.drop_connections()
    results = await gatherResults(adding)
    equal(len(set(results)), 40)
    equal(max(results), 220)
    await clients[0].sync()
    equal(await counters[0].value(), 220)
    equal((await clients[0].get("/number"))[0], b"220")
    await gatherResults([client.close() for client in clients[1:]])


async def changed(world: World) -> None:
    """Changes that many make at a time are all made, over connections that break."""
    clients = [await world.connect() for _ in range(4)]

    def change(name: bytes, data: bytes | None, stat: Stat | None) -> bytes:
        return b" ".join(sorted({*(data or b"").split(), name}))

    changing = [
        retry_change(client, "/a/b/set", partial(change, b"%d" % number))
        for number, client in enumerate(clients * 5)
    ]
    for _ in range(10):
        await world.sleep(0.004)
        world.drop_connections()
    await gatherResults(changing)
    await retry(clients[0], clients[0].sync)
    data, _ = await retry(clients[0], clients[0].get, "/a/b/set")
    equal(sorted(map(int, data.split())), list(range(20)))


async def repeated(world: World) -> None:
    """Calls that can be repeated succeed over connections that break."""
    client, other = await world.connect(), await world.connect(direct=True)
    await ensure_path(client, "/a/b")
    repeating = RetryClient(client)
    calls: list[Deferred[Any]] = []
    for number in range(30):
        calls.append(repeating.create(f"/a/e{number}", b"x", flags=EPHEMERAL))
        calls.append(repeating.set("/a/b", b"%d" % number))
        calls.append(repeating.get_children("/a"))
        if number % 3 == 0:
            world.drop_connections()
        await world.sleep(0.002)
    await gatherResults(calls)
    await other.sync()
    equal(len(await other.get_children("/a")), 31)
    result, watch = retry_watch(client, client.get_and_watch, "/a/b")
    world.drop_connections()
    equal((await result)[0], b"29")
    await other.set("/a/b", b"changed")
    equal((await watch).type_name, "changed")


async def conditional(world: World) -> None:
    """A node that remembers its version is not overwritten by who has not seen its data."""
    client, other = await world.connect(), await world.connect()
    mine, theirs = ZNode("/a", client), ZNode("/a", other)
    await mine.create(b"1")
    await other.sync()
    equal(await theirs.get_data(), b"1")
    await mine.set_data(b"2")
    await refused(theirs.set_data(b"3"), BadVersionException, "/a")
    await other.sync()
    equal(await theirs.get_data(), b"2")
    stat: Stat = await theirs.set_data(b"3")
    equal(stat.version, 2)


async def _line(world: World, path: str) -> None:
    """Make a line that stays, which the one who cleans up expects of nodes."""
    await ensure_path(await world.connect(direct=True), path)


async def _standing(world: World, line: Lock | Election, count: int) -> None:
    """Wait until so many stand in line."""
    while len(await line.contenders()) != count:
        await world.sleep(0.005)


async def _cancelled(waiting: Awaitable[Any]) -> None:
    try:
        await waiting
    except CancelledError:
        return
    raise AssertionError("It was not cancelled.")


async def _lost(releasing: Awaitable[Any]) -> LockLost:
    try:
        await releasing
    except LockLost as error:
        return error
    raise AssertionError("The lock was not lost.")
