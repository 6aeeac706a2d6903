"""Copy a tree from one ZooKeeper to another: paths, data and ACLs.

python examples/copy_tree.py FROM TO [USER:PASSWORD]

FROM and TO are HOST:PORT[,HOST:PORT...][/node], and that node must exist. Stop what writes to FROM
first. What TO has already is kept, unless FROM has the same node. Ephemeral nodes are not copied.
"""

import sys
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from txzookeeper import ZookeeperClient
from txzookeeper.errors import NodeExistsException, ZooKeeperException

OWN = "/zookeeper"  # what every ZooKeeper keeps of itself


async def copy_node(source: ZookeeperClient, target: ZookeeperClient, path: str) -> int:
    """Copy a node and all below it, and give how many nodes that were."""
    data, stat = await source.get(path)
    if stat.ephemeral_owner or path == OWN:
        return 0
    if path != "/":
        with suppress(NodeExistsException):
            await target.create(path)
    await target.set(path, data)
    count = 1
    for name in await source.get_children(path):
        count += await copy_node(source, target, f"{path.rstrip('/')}/{name}")
    # The last step, as it may forbid all others.
    acls, _ = await source.get_acl(path)
    await target.set_acl(path, acls)
    return count


async def main(reactor: Any, origin: str, destination: str, identity: str = "") -> None:
    """Connect to both, and copy everything."""
    source, target = (
        ZookeeperClient(servers, reactor=reactor) for servers in (origin, destination)
    )
    try:
        for client in (source, target):
            await client.connect(timeout=10_000)
            if identity:
                await client.add_auth("digest", identity)
        print(f"{await copy_node(source, target, '/')} nodes are at {destination}.")
    finally:
        for client in (source, target):
            await client.close()


async def told(reactor: Any, *arguments: str) -> None:
    """Do it, or say in a sentence why that cannot be."""
    try:
        await main(reactor, *arguments)
    except (ZooKeeperException, ValueError) as error:
        raise SystemExit(f"copy_tree: {error}") from error


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        raise SystemExit(__doc__)
    react(lambda reactor: Deferred.fromCoroutine(told(reactor, *sys.argv[1:])))
