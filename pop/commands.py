"""Commands that are run to their end beside an instance, to learn how it is."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, BinaryIO

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from pop.errors import NotSpawned
from pop.health import CommandCheck
from pop.instance import how_it_ended
from pop.interfaces import IProcess
from pop.program import Launch

Start = Callable[[str, Launch, BinaryIO, ProcessProtocol], IProcess]
"""(slot, launch, output, protocol): starts a program, and closes what is its output."""

KEPT = 4096
"""Bytes that are remembered of what a command prints, the last ones."""
LONGEST = 200
"""Characters of it that people are shown."""


class Commands:
    """Runs commands as an instance is run: as its user, in its directory, with its variables.

    @param start: how a process is started.
    """

    def __init__(self, reactor: Any, start: Start) -> None:
        self._reactor = reactor
        self._start = start

    async def run(self, slot: str, launch: Launch, check: CommandCheck) -> str | None:
        """What was wrong with its end; L{None} for nothing.

        Cancelled, it is killed, with all that it started.
        """
        program = replace(launch.program, argv=check.argv, stdin=b"")
        launch = replace(launch, program=program, sockets=())
        output = Output(self._reactor)
        try:
            errand = Errand()
            with os.fdopen(os.dup(output.writable), "wb") as file:
                errand.process = self._start(slot, launch, file, errand)
            fault = await errand.ended
            said = output.last_line()
        except NotSpawned as error:
            return f"cannot be run: {str(error).rstrip('.')}"
        finally:
            output.close()
        return f"{fault}: {said}" if fault and said else fault


class Errand(ProcessProtocol):
    """Waits for the end of a command.

    @ivar ended: fires with what was wrong with it, L{None} for nothing. Cancelled, it kills.
    """

    process: IProcess

    def __init__(self) -> None:
        self.ended: Deferred[str | None] = Deferred(lambda _: self.process.kill())

    def processEnded(self, reason: Failure) -> None:
        """Nothing of it is left."""
        if not self.ended.called:
            self.ended.callback(None if reason.check(ProcessDone) else how_it_ended(reason))


@implementer(IReadDescriptor)
class Output:
    """The end of what a process prints.

    It is read all the while, so that a process that prints a lot does not have to wait.

    @ivar writable: what to give to the process; open here too, so that the pipe has no end.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._readable, self.writable = os.pipe()
        os.set_blocking(self._readable, False)
        self._kept = b""
        reactor.addReader(self)

    def last_line(self) -> str:
        """The last of it that people can read."""
        while self._read():  # some may have come since the reactor looked
            pass
        lines = self._kept.decode("utf-8", "replace").split("\n")
        plain = ["".join(c if c.isprintable() else " " for c in line).strip() for line in lines]
        return next((line[:LONGEST] for line in reversed(plain) if line), "")

    def close(self) -> None:
        """No more of it is wanted."""
        self._reactor.removeReader(self)
        for fd in (self._readable, self.writable):
            os.close(fd)

    def fileno(self) -> int:
        return self._readable

    def logPrefix(self) -> str:
        return "output"

    def doRead(self) -> None:
        self._read()

    def _read(self) -> bool:
        """Whether there was some."""
        try:
            data = os.read(self._readable, 1 << 16)
        except BlockingIOError:
            return False
        self._kept = (self._kept + data)[-KEPT:]
        return True

    def connectionLost(self, reason: Failure) -> None:
        """The reactor gives up on all its readers when it ends; L{close} is still called."""
