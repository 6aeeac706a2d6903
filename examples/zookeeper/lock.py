"""Do something that nobody else does at the same time, and be able to prove it.

Prints::

    one works
    two works
    the second token is the higher one: True
"""

import sys
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import react

from txzookeeper import ZookeeperClient
from txzookeeper.lock import Lock


async def main(reactor: Any, servers: str = "localhost:2181", **options: Any) -> None:
    client = await ZookeeperClient(servers, reactor=reactor, **options).connect()
    tokens: list[int] = []

    async def work(name: str) -> None:
        async with Lock("/lock", client, name.encode()) as lock:
            # Whatever is written elsewhere carries the token, so that a holder who was
            # stopped, and does not know yet that he holds it no more, can be refused.
            tokens.append(lock.token)
            print(name, "works")

    await gatherResults([Deferred.fromCoroutine(work(name)) for name in ("one", "two")])
    print("the second token is the higher one:", tokens[0] < tokens[1])
    await client.close()


if __name__ == "__main__":
    react(main, sys.argv[1:])
