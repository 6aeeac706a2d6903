"""Share work: each item is worked on by one, and again if he dies over it.

Prints::

    a worker took b'1' and died
    another one took b'1' and finished it
    another one took b'2' and finished it
"""

import sys
from typing import Any

from twisted.internet.task import react

from txzookeeper import ZookeeperClient
from txzookeeper.queue import ReliableQueue


async def main(reactor: Any, servers: str = "localhost:2181", **options: Any) -> None:
    clients = [ZookeeperClient(servers, reactor=reactor, **options) for _ in range(2)]
    queues = [ReliableQueue("/work", await client.connect(), persistent=True) for client in clients]
    await clients[0].create("/work")
    for data in (b"1", b"2"):
        await queues[0].put(data)
    item = await queues[0].get()
    print("a worker took", item.data, "and died")
    await clients[0].close()
    for _ in range(2):
        item = await queues[1].get()
        await item.delete()
        print("another one took", item.data, "and finished it")
    await clients[1].delete("/work")
    await clients[1].close()


if __name__ == "__main__":
    react(main, sys.argv[1:])
