"""Small deeds that many programs need: change a node's data, make a path, wait."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from txzookeeper import constants as c
from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import BadVersionException, NodeExistsException, NoNodeException
from txzookeeper.patience import before_next, is_retryable
from txzookeeper.records import ACL, Stat
from txzookeeper.retry import retry

Change = Callable[[bytes | None, Stat | None], bytes | Awaitable[bytes]]
"""(data, stat), both None where there is no node: gives the new data, or a Deferred of them."""


def sleep(clock: IReactorTime | ZookeeperClient, delay: float) -> Deferred[None]:
    """Fire after so many seconds on a reactor's clock, or on that of a client."""
    reactor = clock.reactor if isinstance(clock, ZookeeperClient) else clock
    return deferLater(reactor, delay)


def ensure_path(
    client: ZookeeperClient,
    path: str,
    acls: Iterable[ACL] | None = None,
    *,
    container: bool = False,
) -> Deferred[None]:
    """Make a node and those above it, as far as they are missing: persistent, without data.

    With ``container`` the node itself is one that the server deletes when its last child has
    gone. With a chroot, the node at its end can be made, but none above it
    (``NoNodeException``).
    """
    flags = c.CONTAINER if container else c.PERSISTENT
    every = None if acls is None else tuple(acls)
    return Deferred.fromCoroutine(_ensure(client, path, every, flags))


async def _ensure(
    client: ZookeeperClient, path: str, acls: tuple[ACL, ...] | None, flags: int
) -> None:
    if await retry(client, client.exists, path) is not None:
        return
    while True:
        try:
            await retry(client, client.create, path, b"", acls, flags)
            return
        except NodeExistsException:
            return
        except NoNodeException:
            if path == "/":
                raise
            await _ensure(client, parent(path), acls, c.PERSISTENT)


def parent(path: str) -> str:
    """Give the path of the node above."""
    return path.rpartition("/")[0] or "/"


def retry_change(client: ZookeeperClient, path: str, change_function: Change) -> Deferred[bytes]:
    """Change a node's data by a function of them, and give the new data.

    ``change_function(data, stat)`` gets None and None if there is no node: it is made then, and
    what is missing above it. If it gives the data that it got, nothing is written. If somebody
    else was faster, or the connection broke, all begins again with what is there now. So the
    function must find nothing left to do in data that it has changed already: it sets a value or
    adds a name to a set, but it does not count (`txzookeeper.counter` does).
    """
    return Deferred.fromCoroutine(_changed(client, path, change_function))


async def _changed(client: ZookeeperClient, path: str, change: Change) -> bytes:
    tries = 0
    while True:
        data, stat = await _read(client, path)
        changed = change(data, stat)
        new = changed if isinstance(changed, bytes) else await changed
        try:
            if new != data:
                await _write(client, path, new, stat)
            return new
        except (BadVersionException, NodeExistsException, NoNodeException):
            continue
        except Exception as error:
            if not is_retryable(error):
                raise
            await before_next(client, tries, error)
            tries += 1


async def _read(client: ZookeeperClient, path: str) -> tuple[bytes | None, Stat | None]:
    try:
        return await retry(client, client.get, path)
    except NoNodeException:
        return None, None


async def _write(client: ZookeeperClient, path: str, data: bytes, stat: Stat | None) -> None:
    if stat is not None:
        await client.set(path, data, stat.version)
        return
    try:
        await client.create(path, data)
    except NoNodeException:
        await ensure_path(client, parent(path))
        raise
