"""Sessions: opened, resumed, closed and expired."""

from __future__ import annotations

from txzookeeper.client import ZookeeperClient
from txzookeeper.constants import (
    CONNECTED_STATE,
    CONNECTING_STATE,
    EPHEMERAL,
    EXPIRED_SESSION_STATE,
)
from txzookeeper.errors import SessionExpiredException
from txzookeeper.testing.conformance.expect import equal, reached, refused
from txzookeeper.testing.world import World


async def negotiated(world: World) -> None:
    """The server grants a time-out between its limits, and no two sessions are the same."""
    clients = [await world.connect(session_timeout=asked) for asked in (1, 4000, 999_999)]
    equal([client.session_timeout for client in clients], [1000, 4000, 10_000])
    equal(len({client.client_id for client in clients}), 3)
    equal([(client.connected, client.state) for client in clients], [(True, CONNECTED_STATE)] * 3)


async def closed(world: World) -> None:
    """Closing a session deletes its ephemeral nodes and no others, before it is answered."""
    client, other = await world.connect(), await world.connect()
    await client.create("/e", flags=EPHEMERAL)
    await client.create("/p")
    await client.close()
    equal(client.connected, False)
    await other.sync()
    equal(await other.get_children("/"), ["p"])


async def resumed(world: World) -> None:
    """A cut connection costs neither the session nor its ephemeral nodes."""
    client, other = await world.connect(), await world.connect(direct=True)
    await client.create("/e", flags=EPHEMERAL)
    before = client.client_id
    back = reached(client, CONNECTED_STATE)
    await world.cut()
    equal(await other.get_children("/"), ["e"])
    await world.mend()
    await back
    equal((client.client_id, client.connected), (before, True))
    await client.set("/e", b"still mine")


async def disconnection_is_told(world: World) -> None:
    """The program is told when the connection is gone, and its calls wait for the next one."""
    client = await world.connect()
    gone = reached(client, CONNECTING_STATE)
    await world.cut()
    await gone
    equal(client.connected, False)
    made = client.create("/a")
    await world.mend()
    equal(await made, "/a")


async def taken_over(world: World) -> None:
    """Id and password resume a session in another client, with its ephemeral nodes."""
    client = await world.connect()
    await client.create("/e", flags=EPHEMERAL)
    await world.cut()
    heir = world.client(ZookeeperClient, direct=True)
    await heir.connect(client_id=client.client_id)
    equal(heir.client_id, client.client_id)
    stat = await heir.exists("/e")
    assert stat is not None
    equal(stat.ephemeral_owner, heir.client_id[0])


async def wrong_password(world: World) -> None:
    """Nobody resumes a session whose password he does not know.

    A real server drops the owner's connection before it looks at the password; ours does not.
    """
    client, other = await world.connect(), await world.connect()
    await client.create("/e", flags=EPHEMERAL)
    thief = world.client(ZookeeperClient, direct=True)
    attempt = thief.connect(client_id=(client.client_id[0], bytes(16)))
    await refused(attempt, SessionExpiredException)
    equal(await other.get_children("/"), ["e"])


async def expired(world: World) -> None:
    """An expired session is told: by its callback, its watches, and the calls made on it."""
    client, other = await world.connect(), await world.connect(direct=True)
    await client.create("/e", flags=EPHEMERAL)
    got, watch = client.get_and_watch("/e")
    await got
    over = reached(client, EXPIRED_SESSION_STATE)
    await world.expire(client)
    event = await over
    equal((event.type_name, event.connection_state), ("session", EXPIRED_SESSION_STATE))
    event = await watch
    equal((event.type_name, event.connection_state), ("session", EXPIRED_SESSION_STATE))
    equal((client.unrecoverable, client.connected), (True, False))
    await refused(client.get("/e"), SessionExpiredException)
    equal(await other.exists("/e"), None)


async def silent(world: World) -> None:
    """Who is away for longer than the time-out finds his session expired, and his nodes gone."""
    client = await world.connect(session_timeout=1000)
    other = await world.connect(direct=True)
    await client.create("/e", flags=EPHEMERAL)
    _, gone = other.exists_and_watch("/e")
    over = reached(client, EXPIRED_SESSION_STATE)
    await world.cut()
    equal((await gone).type_name, "deleted")
    await world.mend()
    await over
    equal(client.unrecoverable, True)


async def kept_alive(world: World) -> None:
    """A client that has nothing to say keeps its session all the same."""
    client = await world.connect(session_timeout=1000)
    await client.create("/e", flags=EPHEMERAL)
    before = client.client_id
    await world.sleep(2.5)
    await client.set("/e", b"")
    equal(client.client_id, before)
