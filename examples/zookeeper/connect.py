"""Connect, make a node, read it, change it.

Prints::

    /greeting holds b'hello' at version 0
    somebody who read an older version is refused
    now it holds b'good-bye'
"""

import sys
from typing import Any

from twisted.internet.task import react

from txzookeeper import BadVersionException, ZookeeperClient


async def main(reactor: Any, servers: str = "localhost:2181", **options: Any) -> None:
    client = ZookeeperClient(servers, reactor=reactor, **options)
    await client.connect(timeout=10_000)
    try:
        path = await client.create("/greeting", b"hello")
        data, stat = await client.get(path)
        print(path, "holds", data, "at version", stat.version)
        await client.set(path, b"good-bye", stat.version)
        try:
            await client.set(path, b"hi", stat.version)
        except BadVersionException:
            print("somebody who read an older version is refused")
        data, stat = await client.get(path)
        print("now it holds", data)
        await client.delete(path, stat.version)
    finally:
        await client.close()


if __name__ == "__main__":
    react(main, sys.argv[1:])
