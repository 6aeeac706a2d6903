"""The process of a task beside an instance: what it writes goes to whoever asked, as it comes."""

import contextlib
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from pop.interfaces import IOutput, IProcess
from pop.model import Json, dump
from pop.pipe import Pipe
from pop.program import Launch
from pop.protocols.control import Lines, Request
from pop.together import together

Start = Callable[[str, Launch, tuple[Any, Any, Any], ProcessProtocol], IProcess]
"""(slot, launch, streams, protocol): starts a program between its input, output and error."""


class TaskProcesses:
    """Starts the processes of tasks, each as an instance is run: its user, directory, variables.

    @param start: how a process is started.
    """

    def __init__(self, reactor: Any, start: Start) -> None:
        self._reactor = reactor
        self._start = start

    async def run(
        self, slot: str, launch: Launch, request: Request, output: IOutput
    ) -> dict[str, Json]:
        """See L{pop.interfaces.IAdministration.run}.

        Cancelled, or if the output takes no more, the task and all that it started are asked to
        end, and killed if they do not within the grace period; this ends when they have.

        @raise pop.errors.NotSpawned: it cannot be started.
        """
        argv = (sys.executable, "-P", "-m", "pop.protocols.task")
        program = replace(launch.program, argv=argv, stdin=b"")
        launch = replace(launch, program=program, sockets=())
        process = _Process(self._reactor, launch.grace_period)
        flows = _Flows(self._reactor, output)
        try:
            with contextlib.ExitStack() as given:
                streams = flows.open(given)
                process.tree = self._start(slot, launch, streams, process)
            return await self._finish(process, flows, request)
        finally:
            flows.close()

    async def _finish(
        self, process: "_Process", flows: "_Flows", request: Request
    ) -> dict[str, Json]:
        try:
            flows.begin(request.encode(), process.fail)
            status = await process.ended
            await flows.rest()
        except Exception:
            flows.discard()
            await process.end()
            raise
        return {"status": status, "settings": flows.settings}


class _Process(ProcessProtocol):
    """Waits for the end of a task.

    @ivar ended: fires with its status, or fails if it is of no use to anybody any more.
    """

    tree: IProcess

    def __init__(self, clock: IReactorTime, grace: float) -> None:
        self.ended: Deferred[int] = Deferred()
        self._clock = clock
        self._grace = grace
        self._over = False
        self._waiting: Deferred[None] = Deferred()

    def processEnded(self, reason: Failure) -> None:
        """Nothing of it is left."""
        self._over = True
        if not self.ended.called:
            self.ended.callback(_status(reason.value))
        if not self._waiting.called:
            self._waiting.callback(None)

    def fail(self, why: Failure) -> None:
        """What it writes finds no taker: that ends it, unless it has ended."""
        if self.ended.called:
            why.raiseException()
        self.ended.errback(why)

    async def end(self) -> None:
        """Have it end, and wait until it has, however often somebody gives up on that."""
        if self._over:
            return
        self.tree.stop("TERM")
        kill = self._clock.callLater(self._grace, self.tree.kill)
        while not await self._look():
            pass
        if kill.active():
            kill.cancel()

    async def _look(self) -> bool:
        """Whether it is over, once that may be so."""
        self._waiting = Deferred()
        with contextlib.suppress(CancelledError):
            await self._waiting
        return self._over


def _status(error: BaseException | None) -> int:
    """As a shell has it."""
    if isinstance(error, ProcessDone):
        return 0
    if isinstance(error, ProcessTerminated) and error.signal is not None:
        return 128 + int(error.signal)
    return int(getattr(error, "exitCode", None) or 1)


class _Flows:
    """All that flows between a task and whoever asked for it.

    @ivar settings: those that are to be recorded; L{None} for none.
    """

    def __init__(self, reactor: Any, output: IOutput) -> None:
        self.settings: dict[str, Json] | None = None
        self._reactor = reactor
        self._output = output
        self._lines = Lines()
        self._pipes: list[Pipe] = []
        self._flows: list[Deferred[None]] = []

    def open(self, theirs: contextlib.ExitStack) -> tuple[int, int, int]:
        """The task's ends of its input, output and error.

        @param theirs: closes them, once they are the task's.
        """
        here, there = socket.socketpair()
        out, err = os.pipe(), os.pipe()
        for fd, take in (
            (here.detach(), self._control),
            (out[0], self._writer("stdout")),
            (err[0], self._writer("stderr")),
        ):
            self._pipes.append(Pipe(self._reactor, fd, take))
        streams = there.detach(), out[1], err[1]
        for fd in streams:
            theirs.callback(os.close, fd)
        return streams

    def _writer(self, source: str) -> Callable[[bytes], Awaitable[None]]:
        return lambda data: self._output.write(source, data)

    def begin(self, request: bytes, failed: Callable[[Failure], None]) -> None:
        """Hand everything on as it comes.

        @param failed: told, if somebody does not take it.
        """
        self._pipes[0].send(request)
        for pipe in self._pipes:
            self._flows.append(Deferred.fromCoroutine(pipe.flow()).addErrback(failed))

    async def rest(self) -> None:
        """Hand on what is left of a task that has ended."""
        for pipe in self._pipes:
            pipe.end()
        await together(self._flows)

    def discard(self) -> None:
        """Nobody wants it any more; but nobody should wait either for it to be read."""
        for flow in self._flows:
            flow.addErrback(lambda _: None)
            flow.cancel()
        for pipe in self._pipes:
            pipe.take = _leave
            Deferred.fromCoroutine(pipe.flow())

    def close(self) -> None:
        """Nothing flows any more."""
        for pipe in self._pipes:
            pipe.close()

    async def _control(self, data: bytes) -> None:
        for found in self._lines.feed(data):
            if isinstance(settings := found.get("record"), dict):
                self.settings = {**(self.settings or {}), **settings}
            if isinstance(progress := found.get("progress"), dict):
                await self._output.write("progress", dump(progress) + b"\n")


async def _leave(data: bytes) -> None:
    """Nobody reads it."""
