"""Queues: what is put in is taken out once, in order, by workers who may come and go."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred, gatherResults

from txzookeeper.queue import Queue, ReliableQueue, SerializedQueue
from txzookeeper.testing.conformance.expect import equal
from txzookeeper.testing.world import World


async def order(world: World) -> None:
    """Items come out in the order in which they were put in, and are gone then."""
    client, other = await world.connect(), await world.connect()
    await client.create("/q")
    producer, consumer = Queue("/q", other, persistent=True), Queue("/q", client)
    getters = [consumer.get() for _ in range(3)]
    items = [b"%02d" % number for number in range(20)]
    for item in items:
        await producer.put(item)
    equal(await producer.qsize() <= 20, True)
    getters += [consumer.get() for _ in range(17)]
    equal(await gatherResults(getters), items)
    equal(await client.get_children("/q"), [])


async def contention(world: World) -> None:
    """Several workers share the items, each of which one of them gets."""
    producer = await world.connect()
    await producer.create("/q")
    workers = [Queue("/q", await world.connect()) for _ in range(4)]
    getters: list[Deferred[bytes]] = [queue.get() for _ in range(5) for queue in workers]
    items = [b"%02d" % number for number in range(20)]
    puts: list[Deferred[str]] = [Queue("/q", producer).put(item) for item in items]
    await gatherResults(puts)
    equal(sorted(await gatherResults(getters)), items)


async def worker_dies(world: World) -> None:
    """An item whose worker's session ends goes to the next worker, and no sooner."""
    client, worker = await world.connect(direct=True), await world.connect()
    await client.create("/q")
    queue = ReliableQueue("/q", client, persistent=True)
    await queue.put(b"1")
    lost = await ReliableQueue("/q", worker).get()
    waiting = queue.get()
    await client.sync()
    equal(waiting.called, False)
    await worker.close()
    item = await waiting
    equal((item.path, item.data, item.tries), (lost.path, b"1", 1))
    await item.delete()
    equal(await client.get_children("/q"), [])


async def serialized(world: World) -> None:
    """The next item is given when the one before it is done."""
    one, two = await world.connect(), await world.connect()
    await one.create("/q")
    queues = [SerializedQueue("/q", client) for client in (one, two)]
    await gatherResults([queues[0].put(b"1"), queues[0].put(b"2")])
    first = await queues[0].get()
    waiting = queues[1].get()
    await two.sync()
    equal((first.data, waiting.called), (b"1", False))
    await first.delete()
    equal((await waiting).data, b"2")


async def cancelled(world: World) -> None:
    """A getter that was cancelled takes nothing, at whatever moment that was."""
    client = await world.connect()
    await client.create("/q")
    queue = Queue("/q", client, persistent=True)
    await queue.put(b"1")
    for moment in range(6):
        getter = queue.get()
        for _ in range(moment):
            await client.sync()
        got = getter.called
        getter.cancel()
        try:
            await getter
        except CancelledError:
            equal(got, False)
        else:
            await queue.put(b"1")
    equal(await queue.get(), b"1")


async def cut(world: World) -> None:
    """Broken connections neither lose items nor give them twice."""
    client, producer = await world.connect(), await world.connect(direct=True)
    await producer.create("/q")
    queue = Queue("/q", producer)
    items = [b"%02d" % number for number in range(10)]
    puts: list[Deferred[str]] = [queue.put(item) for item in items]
    await gatherResults(puts)
    worker = Queue("/q", client)
    got = []
    for number in range(10):
        getter = worker.get()
        for _ in range(number % 4):
            await producer.sync()
        world.drop_connections()
        got.append(await getter)
    equal(got, items)
