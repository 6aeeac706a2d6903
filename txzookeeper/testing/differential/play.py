"""The same steps on a real server and on the embedded one, compared as they go."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

from txzookeeper.testing.differential.caretaker import OPTIONS, SETTINGS, Caretaker, Image
from txzookeeper.testing.differential.embedded import RestartableServer, embedded
from txzookeeper.testing.differential.stage import Seen, Stage
from txzookeeper.testing.differential.steps import Step
from txzookeeper.testing.differential.wires import MemoryWire, SocketWire, Stuck
from txzookeeper.testing.real import RealServer


class Difference(AssertionError):
    """The two servers answered differently; the message tells after which steps, in words."""


class Theatre:
    """A real server that belongs to the plays alone, so that nobody else moves its numbers.

    ``steps`` counts what was compared.
    """

    def __init__(self) -> None:
        self.steps = 0
        self._server = RealServer(SETTINGS, options=OPTIONS)
        self._caretaker = Caretaker(self._dial)

    def open(self) -> None:
        """Start it."""
        self._server.start()

    def close(self) -> None:
        """End it."""
        self._server.close()

    def play(self, steps: Iterable[Step], durable: bool = False) -> None:
        """Take the steps on both, from the same beginning; raises `Difference`.

        Only a ``durable`` embedded server can restart; it is slower.
        """
        image = self._image()
        memory = RestartableServer(image) if durable else embedded(image)
        restart = getattr(memory, "restart", None)
        real = Stage(self._dial, image[1], self._restart)
        ours = Stage(partial(MemoryWire, memory), image[1], restart)
        try:
            self.steps += compare(steps, real, ours, partial(memory.advance, 0.001))
        finally:
            with suppress(Stuck, OSError):
                real.close()
            memory.close()

    def _image(self) -> Image:
        """Prepare the server; if the last play has brought it down, then another one."""
        try:
            return self._caretaker.prepare()
        except (Stuck, OSError):
            self._restart()
            return self._caretaker.prepare()

    def _restart(self) -> None:
        """Restart it; meanwhile another process may have taken its port, and answers there."""
        self._server.restart()
        if str(self._server.directory) not in self._server.process.ask("conf"):
            raise RuntimeError(f"port {self._server.port} was taken by somebody else")

    def _dial(self) -> SocketWire:
        return SocketWire("127.0.0.1", self._server.port)


def compare(
    steps: Iterable[Step], real: Stage, ours: Stage, pause: Callable[[], object] = lambda: None
) -> int:
    """Take the steps on both stages, pause after each, and count them; raises `Difference`."""
    taken: list[str] = []
    for step in steps:
        taken.append(str(step))
        try:
            seen = real.perform(step), ours.perform(step)
        except (Stuck, OSError) as error:
            raise Difference(_story(taken, f"a server does not go on: {error}")) from error
        if seen[0] != seen[1]:
            raise Difference(_story(taken, *_contrast(*seen)))
        pause()
    return len(taken)


def _story(taken: list[str], *ends: str) -> str:
    return "\n".join(["After these steps", *(f"  {step}" for step in taken), *ends])


def _contrast(real: Seen, ours: Seen) -> list[str]:
    lines: list[str] = []
    for name in sorted({*real, *ours}):
        if real.get(name) != ours.get(name):
            lines.append(f"{name} hears")
            for server, seen in (("real", real), ("embedded", ours)):
                views = [str(view) for view in seen.get(name, [])]
                lines += [f"  {server}: {view}" for view in views or ["nothing"]]
    return lines
