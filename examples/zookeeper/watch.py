"""Be told of changes: once, or of each last state.

Prints::

    /setting was created
    it is b'1' now
    it is b'2' now
"""

import sys
from typing import Any

from twisted.internet.task import react

from txzookeeper import Stat, ZookeeperClient
from txzookeeper.watchers import NodeWatcher


def tell(data: bytes | None, stat: Stat | None) -> None:
    print("it is", data, "now")


async def main(reactor: Any, servers: str = "localhost:2181", **options: Any) -> None:
    client = await ZookeeperClient(servers, reactor=reactor, **options).connect()
    known, changed = client.exists_and_watch("/setting")
    await known
    await client.create("/setting", b"1")
    event = await changed
    print(event.path, "was", event.type_name)
    watcher = await NodeWatcher(client, "/setting", tell).start()
    await client.set("/setting", b"2")
    await client.sync()
    watcher.stop()
    await client.delete("/setting")
    await client.close()


if __name__ == "__main__":
    react(main, sys.argv[1:])
