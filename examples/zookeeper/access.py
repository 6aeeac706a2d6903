"""Talk to servers that prove who they are, and make nodes that only we may read.

Prints::

    alice reads b'secret'
    somebody else is denied
"""

import sys
from pathlib import Path
from typing import Any

from twisted.internet.task import react

from txzookeeper import NoAuthException, ZookeeperClient, make_digest_acl
from txzookeeper.tls import tls_endpoint


async def main(
    reactor: Any, servers: str = "localhost:2181", authority: str = "", **options: Any
) -> None:
    if authority:
        pem = Path(authority).read_bytes()
        options["endpoint"] = tls_endpoint(reactor, authority=pem)
    alice = await ZookeeperClient(servers, reactor=reactor, **options).connect()
    other = await ZookeeperClient(servers, reactor=reactor, **options).connect()
    await alice.add_auth("digest", "alice:password")
    await alice.create("/private", b"secret", [make_digest_acl("alice", "password")])
    data, _ = await alice.get("/private")
    print("alice reads", data)
    try:
        await other.get("/private")
    except NoAuthException:
        print("somebody else is denied")
    await alice.delete("/private")
    await alice.close()
    await other.close()


if __name__ == "__main__":
    react(main, sys.argv[1:])
