"""Who vouches for agents and administrators: the authority that a namespace has in ZooKeeper."""

import contextlib
from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from pop.authority import Authority
from pop.cluster import Cluster
from pop.errors import NoAuthority, NoIdentity, PopError, Unprotected
from pop.together import forget
from pop.trouble import said
from txzookeeper.errors import (
    ClosingException,
    ConnectionLossException,
    NodeExistsException,
    NotConnectedException,
    ZooKeeperException,
)

LOOK_AGAIN = 5.0
"""Seconds until an authority that could not be read is looked for again."""


async def authority(
    cluster: Cluster, identity: str | None, make: Callable[[], Authority] | None = None
) -> Authority:
    """The namespace's authority.

    A namespace that somebody can read without an identity has none, whatever lies there: anybody
    could have put it there.

    @param make: makes one if there is none: the namespace may be older than authorities are.
    @raise NoIdentity, Unprotected, NoAuthority, BadAuthority: there is none to be believed.
    """
    if not identity:
        raise NoIdentity()
    path = cluster.paths.authority
    while True:
        acl = await cluster.acl()
        node = await cluster.node(path)
        if any(entry.scheme == "world" for entry in acl):
            raise Unprotected(path=cluster.paths.root)
        if node:
            return Authority.open(path, node[0], identity)
        if make is None:
            raise NoAuthority(path=path)
        with contextlib.suppress(NodeExistsException):
            await cluster.client.create(path, make().seal(identity), acl)


class Trust:
    """Follows a namespace's authority, for an agent that lasts longer than it may.

    @param learned: told who it is, and L{None} when there is none any more to be believed.
    """

    _log = Logger()

    def __init__(
        self,
        cluster: Cluster,
        identity: str,
        make: Callable[[], Authority],
        learned: Callable[[Authority | None], None],
    ) -> None:
        self._cluster = cluster
        self._identity = identity
        self._make = make
        self._learned = learned
        self._complaint = ""
        self._following: Deferred[None] | None = None

    def follow(self) -> None:
        """Begin to."""
        self._following = Deferred.fromCoroutine(self._follow())

    def stop(self) -> None:
        """Follow it no longer."""
        if self._following:
            self._following.cancel()

    async def _follow(self) -> None:
        with contextlib.suppress(CancelledError, ClosingException, NotConnectedException):
            while True:
                try:
                    await self._look()
                except ConnectionLossException:
                    continue
                except (ZooKeeperException, PopError) as error:
                    self._complain(error)
                    await deferLater(self._cluster.clock, LOOK_AGAIN)

    async def _look(self) -> None:
        """Learn who it is, and wait until that may have changed."""
        exists, watch = self._cluster.client.exists_and_watch(self._cluster.paths.authority)
        try:
            await exists
            found = await authority(self._cluster, self._identity, self._make)
            self._complaint = ""
            self._learned(found)
            await watch
        finally:
            forget([watch])

    def _complain(self, error: Exception) -> None:
        """Say once what is wrong, and that nobody is trusted meanwhile."""
        self._learned(None)
        sentence = str(said(error, self._cluster.client.servers) or error)
        if sentence != self._complaint:
            self._complaint = sentence
            self._log.error("Nobody is let in by TLS: {error}", error=sentence)
