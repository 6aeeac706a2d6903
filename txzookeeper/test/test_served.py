"""What every ZooKeeper keeps, the embedded server keeps as a process, on a disk and on sockets."""

from __future__ import annotations

from functools import cache

from txzookeeper.testing import RealWorld, client_tests
from txzookeeper.testing.embedded import EmbeddedProcess


@cache
def shared_server() -> EmbeddedProcess:
    """Give the server that the tests share; it ends with this process."""
    return EmbeddedProcess().start()


def served_world() -> RealWorld:
    """Give a world on that server."""
    from twisted.internet import reactor

    return RealWorld(reactor, shared_server().servers)


class ServedTests(client_tests(served_world)):  # type: ignore[misc]
    """The conformance suite on a durable server, in real time."""
