"""ZooKeeper for tests: one in memory and virtual time, a real one, and a suite that holds for both.

`MemoryServer` is the embedded server behind the real client, over memory transports and a given
clock. `RealServer` is Apache ZooKeeper as a child process, and `RealEnsemble` three of them;
``python -m txzookeeper.testing COMMAND`` runs a command with one beside it. `Network`, `Lines` and
`Proxy` make trouble on the way to them. `client_tests` makes the tests that all of them pass;
``txzookeeper.testing.faults`` lets clients do random things amid random trouble.
"""

from txzookeeper.testing.conformance import client_tests
from txzookeeper.testing.ensemble import RealEnsemble
from txzookeeper.testing.line import Lines
from txzookeeper.testing.memory import MemoryServer, Network, NeverFired
from txzookeeper.testing.proxy import Proxy
from txzookeeper.testing.real import (
    HOW_TO_GET_ONE,
    NOT_INSTALLED,
    SKIPPED,
    VARIABLE,
    DidNotStart,
    RealServer,
    available,
    real_servers,
)
from txzookeeper.testing.world import MemoryWorld, RealWorld, World

__all__ = [
    "HOW_TO_GET_ONE",
    "NOT_INSTALLED",
    "SKIPPED",
    "VARIABLE",
    "DidNotStart",
    "Lines",
    "MemoryServer",
    "MemoryWorld",
    "Network",
    "NeverFired",
    "Proxy",
    "RealEnsemble",
    "RealServer",
    "RealWorld",
    "World",
    "available",
    "client_tests",
    "real_servers",
]
