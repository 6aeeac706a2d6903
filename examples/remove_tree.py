"""Remove a node of ZooKeeper and all that lies below it.

python examples/remove_tree.py HOST:PORT /path
"""

import sys
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from txzookeeper import ZookeeperClient
from txzookeeper.errors import NoNodeException


async def remove_tree(client: ZookeeperClient, path: str) -> None:
    """Remove the node's children, then the node; what is gone meanwhile is as good as removed."""
    with suppress(NoNodeException):
        for child in await client.get_children(path):
            await remove_tree(client, f"{path}/{child}")
        await client.delete(path)


async def main(reactor: Any, servers: str, path: str) -> None:
    """Connect, remove, disconnect."""
    client = ZookeeperClient(servers, reactor=reactor)
    await client.connect()
    try:
        await remove_tree(client, path)
    finally:
        await client.close()


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(main(reactor, *sys.argv[1:3])))
