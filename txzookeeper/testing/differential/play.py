"""The same steps on a real server and on the embedded one, compared as they go."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from twisted.internet.task import Clock

from txzookeeper.testing.differential.caretaker import SETTINGS, TICK, Caretaker, Image
from txzookeeper.testing.differential.stage import Seen, Stage
from txzookeeper.testing.differential.steps import Step
from txzookeeper.testing.differential.wires import MemoryWire, SocketWire
from txzookeeper.testing.memory import MemoryServer
from txzookeeper.testing.real import RealServer
from txzookeeper.tree import Tree


class Difference(AssertionError):
    """The two servers answered differently; the message tells after which steps, in words."""


class Theatre:
    """A real server that belongs to the plays alone, so that nobody else moves its numbers."""

    def __init__(self) -> None:
        self._server = RealServer(SETTINGS)
        self.steps = 0

    def open(self) -> None:
        """Start it."""
        self._server.start()
        self._caretaker = Caretaker(self._dial())

    def close(self) -> None:
        """End it."""
        self._server.close()

    def play(self, steps: Iterable[Step]) -> None:
        """Take the steps on both, from the same beginning; raises `Difference`."""
        image = self._caretaker.prepare()
        memory = _embedded(image)
        real = Stage(self._dial, image[1])
        ours = Stage(partial(MemoryWire, memory), image[1])
        taken: list[str] = []
        try:
            for step in steps:
                taken.append(str(step))
                _compare(taken, real.perform(step), ours.perform(step))
                memory.advance(0.001)
                self.steps += 1
        finally:
            real.close()
            memory.close()

    def _dial(self) -> SocketWire:
        return SocketWire("127.0.0.1", self._server.port)


def _embedded(image: Image) -> MemoryServer:
    """Give a server in memory that is in the state in which the real one is."""
    nodes, zxid = image
    clock = Clock()
    clock.rightNow = max(node.mtime for _, node in nodes) / 1000 + 1
    memory = MemoryServer(clock, tick=TICK)
    memory.server.tree = Tree(nodes, zxid)
    return memory


def _compare(taken: list[str], real: Seen, ours: Seen) -> None:
    if real == ours:
        return
    lines = ["After these steps the servers differ:", *(f"  {step}" for step in taken)]
    for name in sorted({*real, *ours}):
        lines.append(f"{name} hears")
        for server, seen in (("real", real), ("embedded", ours)):
            views = [str(view) for view in seen.get(name, [])]
            lines += [f"  {server}: {view}" for view in views or ["nothing"]]
    raise Difference("\n".join(lines))
