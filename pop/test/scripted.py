"""An agent that answers what a test has it answer, and a reader of what it writes."""

from typing import Any, Final

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from pop.interfaces import IAdministration, IOutput


@implementer(IOutput)
class Reader:
    """Takes what is written, at once or when it is told to."""

    def __init__(self, *, slow: bool = False) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.waiting: list[Deferred[None]] = []
        self.fault: Exception | None = None
        self._slow = slow

    def write(self, source: str, data: bytes) -> Deferred[None]:
        """See L{IOutput.write}."""
        self.taken.append((source, data))
        if self.fault:
            raise self.fault
        if not self._slow:
            return succeed(None)
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def text(self, source: str) -> bytes:
        """All of one source."""
        return b"".join(data for name, data in self.taken if name == source)


@implementer(IAdministration)
class Scripted:
    """An agent that answers as a test says.

    @ivar asked: what it was asked, in order.
    @ivar answer: what it answers; a Deferred, an error or a value, or what makes one.
    @ivar output: the last one it was given.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.answer: Any = None
        self.output: IOutput | None = None

    def _answered(self, *asked: Any) -> Deferred[Any]:
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        answer = self.answer() if callable(self.answer) else self.answer
        return answer if isinstance(answer, Deferred) else succeed(answer)

    def info(self) -> Deferred[dict[str, Any]]:
        return self._answered("info")

    def instances(self, service: str = "") -> Deferred[list[dict[str, Any]]]:
        return self._answered("instances", service)

    def signal(self, service: str, name: str, slot: str = "") -> Deferred[int]:
        return self._answered("signal", service, name, slot)

    def restart(self, service: str, slot: str = "") -> Deferred[int]:
        return self._answered("restart", service, slot)

    def why(self, service: str) -> Deferred[list[dict[str, Any]]]:
        return self._answered("why", service)

    def logs(self, service: str, lines: int, follow: bool, output: IOutput) -> Deferred[None]:
        self.output = output
        return self._answered("logs", service, lines, follow)

    def run(
        self, service: str, task: str, arguments: list[str], output: IOutput
    ) -> Deferred[dict[str, Any]]:
        self.output = output
        return self._answered("run", service, task, arguments)


EXCHANGES: Final[tuple[tuple[tuple[str, ...], Any], ...]] = (
    (("info",), {"machine": "m1", "pid": 12, "memory": 1 << 40, "cpu": 0.25, "zookeeper": True}),
    (("instances", "web"), [{"slot": "web/2", "pid": None, "why": "Größe"}] * 2000),
    (("signal", "web", "HUP", "web/2"), 1),
    (("restart", "web", ""), 3),
    (("why", "web"), [{"slot": "web"}]),
)
"""What may be asked, by the method's name and its arguments, and the answer to it."""
