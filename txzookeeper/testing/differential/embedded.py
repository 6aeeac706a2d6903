"""The embedded server as it takes part in a play: in memory, or durable so that it can restart."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from twisted.internet.task import Clock

from txzookeeper.durable import DurableTree
from txzookeeper.journal import Journal
from txzookeeper.nodes import Nodes
from txzookeeper.server import ZooKeeperServer
from txzookeeper.store import Image as StoreImage
from txzookeeper.store import Store
from txzookeeper.testing.differential.caretaker import TICK, Image
from txzookeeper.testing.memory import MemoryServer
from txzookeeper.tree import Tree


def embedded(image: Image) -> MemoryServer:
    """Give a server in memory that is in the state in which the real one is."""
    memory = MemoryServer(_clock(image), tick=TICK)
    memory.server.tree = Tree(*image)
    return memory


class RestartableServer(MemoryServer):
    """Such a server over a file, in a directory that goes away with it."""

    def __init__(self, image: Image) -> None:
        super().__init__(_clock(image), tick=TICK)
        self._directory = Path(tempfile.mkdtemp(prefix="txzookeeper-"))
        nodes, zxid = image
        self._image = StoreImage(b"secret", zxid, 0, Nodes(nodes))
        self._store = Store(self._directory / "store")
        self.server.doStop()
        self._begin()

    def restart(self) -> None:
        """End it, and start another one with the same file."""
        self.server.doStop()
        self.settle()
        self._store.close()
        self._begin()

    def close(self) -> None:
        """End it, and remove the file."""
        super().close()
        self._store.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _begin(self) -> None:
        self._store.open(self._image)
        image = self._store.load()
        tree = DurableTree(image, int(self.clock.seconds() * 1000))
        self.server = ZooKeeperServer(
            self.clock, tree, tick=TICK, secret=image.secret, journal=Journal(tree, self._store)
        )
        self.server.doStart()


def _clock(image: Image) -> Clock:
    """Give a clock that shows a later time than the nodes."""
    clock = Clock()
    clock.rightNow = max(node.mtime for _, node in image[0]) / 1000 + 1
    return clock
