"""One Apache ZooKeeper in a Java of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from txzookeeper.testing.process import Process

CLASS_PATH: Final = ("/etc/zookeeper/conf", "/usr/share/java/zookeeper.jar")
LOGGER: Final = "/usr/share/java/slf4j-simple.jar"
"""What prints ZooKeeper's warnings; where it is missing the log stays nearly empty."""

MAIN: Final = "org.apache.zookeeper.server.quorum.QuorumPeerMain"

#: Quick to start and to write. ``forceSync=no`` loses writes in a power cut, not in a ``kill -9``.
SETTINGS: Final[Mapping[str, str]] = {
    "tickTime": "500",
    "maxClientCnxns": "0",
    "admin.enableServer": "false",
    "4lw.commands.whitelist": "*",
    "extendedTypesEnabled": "true",
    "forceSync": "no",
    "preAllocSize": "1024",
}

JVM: Final = (
    "-Xshare:auto",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Dznode.container.checkIntervalMs=500",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)


class ApacheProcess(Process):
    """A ZooKeeper's process; ``settings`` go into its ``zoo.cfg``, ``options`` to Java.

    ``settings`` may be changed until it is started first: afterwards its configuration is its own
    affair.
    """

    def __init__(
        self,
        directory: Path,
        port: int,
        settings: Mapping[str, str],
        options: Sequence[str] = (),
        libraries: Sequence[str] = (),
    ) -> None:
        super().__init__(directory, port)
        self.settings = {**SETTINGS, **settings}
        path = ":".join([*CLASS_PATH, LOGGER, *libraries])
        self._java = ["java", *JVM, *options, "-cp", path, MAIN]

    def command(self) -> Sequence[str]:
        """Give the command, with a configuration to read."""
        return [*self._java, self._config()]

    def _config(self) -> str:
        lines = {
            **self.settings,
            "dataDir": str(self.directory / "data"),
            "clientPort": str(self.port),
            "clientPortAddress": "127.0.0.1",
        }
        path = self.directory / "zoo.cfg"
        if not path.exists():
            path.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        return str(path)


def available() -> bool:
    """Whether a ZooKeeper and a Java to run it are installed on this machine."""
    return shutil.which("java") is not None and all(os.path.exists(path) for path in CLASS_PATH)
