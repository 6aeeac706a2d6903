"""Change several nodes at once, or none of them.

Prints::

    moved: b'0' and b'5'
    refused, as 1 is at another version: /from
    still: b'0' and b'5'
"""

import sys
from typing import Any

from twisted.internet.task import react

from txzookeeper import BadVersionException, ZookeeperClient


async def show(client: ZookeeperClient, word: str) -> None:
    (giver, _), (taker, _) = await client.get("/from"), await client.get("/to")
    print(word, giver, "and", taker)


async def main(reactor: Any, servers: str = "localhost:2181", **options: Any) -> None:
    client = await ZookeeperClient(servers, reactor=reactor, **options).connect()
    await client.transaction().create("/from", b"5").create("/to", b"0").commit()
    await client.transaction().set("/from", b"0", 0).set("/to", b"5", 0).commit()
    await show(client, "moved:")
    try:
        await client.transaction().set("/to", b"9").check("/from", 0).commit()
    except BadVersionException as error:
        print("refused, as", error.index, "is at another version:", error.path)
    await show(client, "still:")
    await client.transaction().delete("/from").delete("/to").commit()
    await client.close()


if __name__ == "__main__":
    react(main, sys.argv[1:])
