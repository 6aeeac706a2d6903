"""The client and a real ensemble of three servers, in health and in trouble."""

from __future__ import annotations

import atexit
from functools import cache
from typing import Final

from txzookeeper.testing import RealWorld, client_tests
from txzookeeper.testing.ensemble import RealEnsemble
from txzookeeper.testing.process import available

SKIPPED: Final = None if available() else "no ZooKeeper is installed: there can be no ensemble"


@cache
def ensemble() -> RealEnsemble:
    """Give the ensemble of all tests here; each leaves it with three servers that run."""
    started = RealEnsemble().start()
    atexit.register(started.close)
    return started


def ensemble_world() -> RealWorld:
    """Give a world on the ensemble."""
    from twisted.internet import reactor

    return RealWorld(reactor, ensemble().servers)


class ConformanceTests(client_tests(ensemble_world)):  # type: ignore[misc]
    """What a single server keeps, an ensemble keeps too."""

    skip = SKIPPED
