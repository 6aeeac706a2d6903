"""The memory server keeps what a real ZooKeeper keeps: one suite, run on both."""

from __future__ import annotations

from txzookeeper.testing import SKIPPED, MemoryWorld, RealWorld, client_tests, real_servers


def real_world() -> RealWorld:
    """Give a world on the server that the environment names."""
    from twisted.internet import reactor

    return RealWorld(reactor, real_servers() or "")


class MemoryTests(client_tests(MemoryWorld)):  # type: ignore[misc]
    """The memory server, in virtual time."""


class RealTests(client_tests(real_world)):  # type: ignore[misc]
    """A real ZooKeeper, in real time."""

    skip = None if real_servers() else SKIPPED
