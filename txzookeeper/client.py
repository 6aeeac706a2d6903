"""The client: a session with an ensemble, and ZooKeeper's operations on it."""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger

from txzookeeper.call import Call, Observe
from txzookeeper.lifetime import Lifetime
from txzookeeper.multi import Part
from txzookeeper.reads import Reads
from txzookeeper.watching import Watching
from txzookeeper.writes import Writes


class Operations(Reads, Watching, Writes):
    """All operations of a session.

    They never raise: one that cannot be carried out fails its Deferred. Cancelling a Deferred is
    safe at any time: what has not been sent is not sent, and the answer to what has is swallowed.
    """


class FailFast(Operations):
    """The operations of a client's session, for those who will not wait for a connection."""

    def __init__(self, client: ZookeeperClient) -> None:
        self._client = client
        self._channel = client._channel
        self._chroot = client._chroot
        self._max_packet = client._max_packet

    def _submit(self, call: Call[Any]) -> None:
        self._channel.submit_at_once(call)

    def _observer(self, parts: list[Part]) -> Observe | None:
        return self._client._observer(parts)


class ZookeeperClient(Lifetime, Operations):
    """A session with an ensemble of ZooKeeper servers.

    All times are in ms. ``connect_timeout`` is how long one server may take to let us in,
    ``endpoint`` gives the way to a host and port (default: plain TCP on ``reactor``),
    ``random`` decides the order of the servers and the jitter of the back-off, and with
    ``read_only`` a server that has lost its ensemble will do until another one is found (as long
    as there is no session yet: such servers let none go on).

    Calls made while the connection is away wait for it, except for those of ``fail_fast``; those
    in flight when it breaks fail with ``ConnectionLossException``. Raises ``ValueError`` for a
    server list that makes no sense.
    """

    log = Logger()

    @property
    def fail_fast(self) -> FailFast:
        """The same operations on the same session, which fail at once instead of waiting.

        While there is no connection they fail with ``ConnectionLossException``.
        """
        return FailFast(self)

    def _submit(self, call: Call[Any]) -> None:
        self._channel.submit(call)

    def _observer(self, parts: list[Part]) -> Observe | None:
        """Give who is to be told of the answer to these changes."""
        return None
