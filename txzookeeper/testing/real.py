"""A real ZooKeeper for tests: one Java process on a free port, over a directory that goes away.

Everything here blocks and takes no reactor, so that it can run before there is one; inside a
trial test, ``await deferToThread(server.restart)`` keeps the reactor turning meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from txzookeeper.testing.apache import ApacheProcess, available
from txzookeeper.testing.own_server import OwnServer
from txzookeeper.testing.process import DidNotStart

HOW_TO_GET_ONE = "No ZooKeeper is installed here: apt-get install zookeeper brings one."
VARIABLE = "ZOOKEEPER_TEST_SERVERS"
SKIPPED = f"needs a real ZooKeeper: run it under `python -m txzookeeper.testing` or set {VARIABLE}"
"""Why a test is skipped that uses the server of the environment."""

NOT_INSTALLED = f"needs a real ZooKeeper. {HOW_TO_GET_ONE}"
"""Why one is skipped that starts a server of its own. These words are what `.ci/summary` finds."""

__all__ = [
    "HOW_TO_GET_ONE",
    "NOT_INSTALLED",
    "SKIPPED",
    "VARIABLE",
    "DidNotStart",
    "RealServer",
    "available",
    "real_servers",
]


def real_servers() -> str | None:
    """The servers that the environment offers for tests, as a client's ``servers`` argument."""
    return os.environ.get(VARIABLE) or None


class RealServer(OwnServer):
    """A standalone Apache ZooKeeper, which ends with this process however this process ends.

    ``settings`` go into its ``zoo.cfg``, over those of `txzookeeper.testing.apache.SETTINGS`;
    ``libraries`` onto its class path, ``options`` to Java. Its sessions last 2 to 20 ticks: 1 to 10
    seconds. It is a context manager: started on entry, gone on exit.
    """

    process: ApacheProcess

    def __init__(
        self,
        settings: Mapping[str, str] | None = None,
        libraries: Sequence[str] = (),
        options: Sequence[str] = ("-Xmx256m",),
    ) -> None:
        super().__init__()
        self.process = ApacheProcess(self.directory, self.port, settings or {}, options, libraries)
