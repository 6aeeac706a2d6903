"""Have one leader among many, and another one when that one has gone.

Prints::

    one leads
    two leads
"""

import sys
from typing import Any

from twisted.internet.task import react

from txzookeeper import ZookeeperClient
from txzookeeper.election import Election


async def main(reactor: Any, servers: str = "localhost:2181", **options: Any) -> None:
    clients = [ZookeeperClient(servers, reactor=reactor, **options) for _ in range(2)]
    one, two = [Election("/leader", await client.connect()) for client in clients]
    await one.stand()
    print("one leads")
    elected = two.stand()
    await clients[0].close()
    await elected
    print("two leads")
    await two.resign()
    await clients[1].close()


if __name__ == "__main__":
    react(main, sys.argv[1:])
