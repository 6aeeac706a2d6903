"""The managed client: what it does when its session has expired."""

from __future__ import annotations

from txzookeeper.constants import EPHEMERAL, SEQUENCE
from txzookeeper.permissions import ZOO_CREATOR_ALL_ACL
from txzookeeper.testing.conformance.expect import equal
from txzookeeper.testing.world import CREDENTIALS, World


async def ephemerals(world: World) -> None:
    """Ephemeral nodes are there again on the new session, with their last data."""
    client, other = await world.connect_managed(), await world.connect(direct=True)
    await client.create("/e", b"old", flags=EPHEMERAL)
    await client.create("/gone", flags=EPHEMERAL)
    await client.create("/n-", flags=EPHEMERAL | SEQUENCE)
    await client.create("/p")
    await client.set("/e", b"new")
    await client.delete("/gone")
    before, renewed = client.client_id, client.subscribe_new_session()
    await world.expire(client)
    await renewed
    data, stat = await other.get("/e")
    equal((data, stat.ephemeral_owner), (b"new", client.client_id[0]))
    equal(client.client_id == before, False)
    equal(sorted(await other.get_children("/")), ["e", "p"])


async def watches(world: World) -> None:
    """Watches of the old session fire with a session event: look again."""
    client = await world.connect_managed()
    await client.create("/a")
    got, one = client.get_and_watch("/a")
    names, two = client.get_children_and_watch("/a")
    await got
    await names
    await world.expire(client)
    equal([(await watch).type_name for watch in (one, two)], ["session", "session"])
    equal((await client.get("/a"))[0], b"")


async def transactions(world: World) -> None:
    """Ephemeral nodes made and changed in transactions come back too."""
    client, other = await world.connect_managed(), await world.connect(direct=True)
    await client.transaction().create("/e", b"1", flags=EPHEMERAL).set("/e", b"2").commit()
    renewed = client.subscribe_new_session()
    await world.expire(client)
    await renewed
    equal((await other.get("/e"))[0], b"2")


async def again_and_again(world: World) -> None:
    """A second expiry is survived as the first one was."""
    client, other = await world.connect_managed(), await world.connect(direct=True)
    await client.create("/e", flags=EPHEMERAL)
    for _ in range(3):
        renewed = client.subscribe_new_session()
        await world.expire(client)
        await renewed
    stat = await other.exists("/e")
    assert stat is not None
    equal(stat.ephemeral_owner, client.client_id[0])


async def identities(world: World) -> None:
    """The new session has the identities of the old one."""
    client = await world.connect_managed()
    await client.add_auth("digest", CREDENTIALS)
    renewed = client.subscribe_new_session()
    await world.expire(client)
    await renewed
    await client.create("/a", acls=ZOO_CREATOR_ALL_ACL)
    equal((await client.get_acl("/a"))[0][0].scheme, "digest")
