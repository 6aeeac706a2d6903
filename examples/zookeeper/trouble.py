"""Choose what happens while there is no connection: fail at once, wait, or try again.

Prints::

    not now: The connection broke before the answer came (asked about /). There is no connection.
    it waited for the connection, and found the node: True
    tried until it was answered: True
    sent 2 requests on 1 connection
"""

import sys
from typing import Any

from twisted.internet.task import react

from txzookeeper import ConnectionLossException, ZookeeperClient
from txzookeeper.retry import RetryClient


async def main(reactor: Any, servers: str = "localhost:2181", **options: Any) -> None:
    client = ZookeeperClient(servers, reactor=reactor, **options)
    connecting = client.connect()
    try:
        await client.fail_fast.exists("/")
    except ConnectionLossException as error:
        print("not now:", error)
    found = await client.exists("/")
    print("it waited for the connection, and found the node:", found is not None)
    await connecting
    found = await RetryClient(client, limit=5).exists("/")
    print("tried until it was answered:", found is not None)
    counters = client.statistics
    print("sent", counters.requests, "requests on", counters.connections, "connection")
    await client.close()


if __name__ == "__main__":
    react(main, sys.argv[1:])
