"""Real commands beside an instance, for tests."""

from typing import BinaryIO

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from pop.commands import Commands
from pop.interfaces import IProcess
from pop.program import Launch
from pop.test.processes import Nursery


class Errands:
    """Commands that a real spawner starts; a test waits at its end until all of them are gone.

    @ivar started: their processes, in order.
    """

    def __init__(self, case: TestCase, nursery: Nursery | None = None) -> None:
        from twisted.internet import reactor

        self.nursery = nursery or Nursery(case)
        self.started: list[IProcess] = []
        self._gone: list[Deferred[None]] = []
        self.commands = Commands(reactor, self.start)
        case.addCleanup(self.gone)

    def start(
        self, slot: str, launch: Launch, output: BinaryIO, protocol: ProcessProtocol
    ) -> IProcess:
        witness = Witness(protocol)
        process = self.nursery.spawner.errand(slot, launch, output, witness)
        self.started.append(process)
        self._gone.append(witness.gone)
        return process

    async def gone(self) -> None:
        """Wait until nothing of any of them is left."""
        for gone in self._gone:
            await gone


class Witness(ProcessProtocol):
    """Passes on what it hears.

    @ivar gone: fires with the end.
    """

    def __init__(self, other: ProcessProtocol) -> None:
        self._other = other
        self.gone: Deferred[None] = Deferred()

    def processEnded(self, reason: Failure) -> None:
        """It has ended."""
        self._other.processEnded(reason)
        self.gone.callback(None)
