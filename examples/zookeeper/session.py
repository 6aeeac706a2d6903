"""Outlive an expired session, with the nodes that say that we live.

Prints::

    the session has expired
    another one follows, and /worker is there again: True
"""

import sys
from typing import Any

from twisted.internet.task import react

from txzookeeper import (
    EPHEMERAL,
    EXPIRED_SESSION_STATE,
    ClientEvent,
    ManagedClient,
    ZookeeperClient,
)


def tell(event: ClientEvent) -> None:
    if event.connection_state == EXPIRED_SESSION_STATE:
        print("the session has expired")


async def end(session: ZookeeperClient, thief: ZookeeperClient) -> None:
    """End a session as its expiry would: somebody else resumes it, and closes it."""
    await thief.connect(client_id=session.client_id)
    await thief.close()


async def main(reactor: Any, servers: str = "localhost:2181", **options: Any) -> None:
    client = ManagedClient(servers, reactor=reactor, **options)
    client.subscribe_session(tell)
    await client.connect()
    await client.create("/worker", b"ready", flags=EPHEMERAL)
    renewed = client.subscribe_new_session()
    await end(client, ZookeeperClient(servers, reactor=reactor, **options))
    await renewed
    there = await client.exists("/worker") is not None
    print("another one follows, and /worker is there again:", there)
    await client.close()


if __name__ == "__main__":
    react(main, sys.argv[1:])
