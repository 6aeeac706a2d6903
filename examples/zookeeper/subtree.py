"""Hold a whole configuration in memory, always up to date.

Prints::

    /config added
    /config/colour added
    it is b'blue'
    /config/colour changed
    it is b'red'
"""

import sys
from typing import Any

from twisted.internet.task import react

from txzookeeper import ManagedClient
from txzookeeper.cache import Change
from txzookeeper.subtree import Subtree


def tell(change: Change) -> None:
    print(change.path, change.kind.value)


def show(subtree: Subtree) -> None:
    node = subtree.get("/config/colour")
    print("it is", node and node.data)


async def main(reactor: Any, servers: str = "localhost:2181", **options: Any) -> None:
    client = ManagedClient(servers, reactor=reactor, **options)
    await client.connect()
    await client.transaction().create("/config").create("/config/colour", b"blue").commit()
    subtree = await Subtree(client, "/config").start()
    subtree.subscribe(tell)
    show(subtree)
    await client.set("/config/colour", b"red")
    await client.sync()
    show(subtree)
    await subtree.stop()
    await client.transaction().delete("/config/colour").delete("/config").commit()
    await client.close()


if __name__ == "__main__":
    react(main, sys.argv[1:])
