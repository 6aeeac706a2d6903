"""ACLs and identities."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from txzookeeper.constants import (
    AUTH_FAILED_STATE,
    CONNECTED_STATE,
    PERM_ADMIN,
    PERM_ALL,
    PERM_CREATE,
    PERM_DELETE,
    PERM_READ,
    PERM_WRITE,
)
from txzookeeper.errors import (
    AuthFailedException,
    BadVersionException,
    InvalidACLException,
    NoAuthException,
)
from txzookeeper.permissions import ZOO_CREATOR_ALL_ACL, ZOO_OPEN_ACL_UNSAFE
from txzookeeper.records import ACL
from txzookeeper.testing.conformance.expect import OURS, equal, reached, refused
from txzookeeper.testing.world import CREDENTIALS, World


async def open_by_default(world: World) -> None:
    """A node is open to everybody unless something else is said."""
    client = await world.connect()
    await client.create("/a")
    acls, stat = await client.get_acl("/a")
    equal((acls, stat.aversion), (list(ZOO_OPEN_ACL_UNSAFE), 0))


async def each_permission(world: World) -> None:
    """Each permission allows its own operations and no others."""
    us, them = await world.connect(), await world.connect()
    await us.add_auth("digest", CREDENTIALS)
    expected = {
        PERM_READ: {"get", "children", "get_acl"},
        PERM_WRITE: {"set"},
        PERM_CREATE: {"create"},
        PERM_DELETE: {"delete"},
        PERM_ADMIN: {"get_acl", "set_acl"},
    }
    for perm, allowed in expected.items():
        path = f"/p{perm}"
        await us.create(path)
        await us.create(path + "/old")
        await us.set_acl(path, [OURS, ACL(perm, "world", "anyone")])
        calls: dict[str, Awaitable[Any]] = {
            "get": them.get(path),
            "children": them.get_children(path),
            "set": them.set(path, b""),
            "create": them.create(path + "/new"),
            "delete": them.delete(path + "/old"),
            "get_acl": them.get_acl(path),
            "set_acl": them.set_acl(path, [OURS]),
        }
        for name, call in calls.items():
            if name in allowed:
                await call
            else:
                await refused(call, NoAuthException)
        await us.set_acl(path, ZOO_OPEN_ACL_UNSAFE)


async def creator(world: World) -> None:
    """The scheme "auth" stands for the identities that the session has proven."""
    client, stranger = await world.connect(), await world.connect()
    await refused(client.create("/a", acls=ZOO_CREATOR_ALL_ACL), InvalidACLException, "/a")
    await client.add_auth("digest", CREDENTIALS)
    await client.create("/a", b"ours", acls=ZOO_CREATOR_ALL_ACL)
    equal((await client.get_acl("/a"))[0], [OURS])
    await refused(stranger.get("/a"), NoAuthException, "/a")
    await stranger.add_auth("digest", b"us:wrong")
    await refused(stranger.get("/a"), NoAuthException, "/a")
    await stranger.add_auth("digest", CREDENTIALS)
    equal((await stranger.get("/a"))[0], b"ours")


async def set_acl(world: World) -> None:
    """An ACL has a version of its own."""
    client = await world.connect()
    await client.create("/a")
    some = [ACL(PERM_ALL, "world", "anyone"), ACL(PERM_READ, "ip", "127.0.0.1")]
    equal((await client.set_acl("/a", some, 0)).aversion, 1)
    equal((await client.get_acl("/a"))[0], some)
    await refused(client.set_acl("/a", some, 0), BadVersionException, "/a")
    await refused(client.set_acl("/a", []), InvalidACLException, "/a")
    equal((await client.get("/a"))[1].version, 0)


async def hashes_hidden(world: World) -> None:
    """Who may read a node but not administer it sees no hash of a password."""
    us, them = await world.connect(), await world.connect()
    await us.add_auth("digest", CREDENTIALS)
    await us.create("/a", acls=[OURS, ACL(PERM_READ, "world", "anyone")])
    equal((await them.get_acl("/a"))[0][0], OURS._replace(id="us:x"))
    equal((await us.get_acl("/a"))[0][0], OURS)


async def kept_over_connections(world: World) -> None:
    """An identity belongs to the client: it is proven again on its next connection."""
    client = await world.connect()
    await client.add_auth("digest", CREDENTIALS)
    await client.create("/a", acls=[OURS])
    back = reached(client, CONNECTED_STATE)
    world.drop_connections()
    await back
    equal((await client.get("/a"))[0], b"")


async def unknown_scheme(world: World) -> None:
    """Credentials of an unknown scheme end the session."""
    client = await world.connect()
    await refused(client.add_auth("sign", "me"), AuthFailedException)
    equal((client.state, client.unrecoverable), (AUTH_FAILED_STATE, True))
