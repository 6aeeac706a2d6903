"""The admin protocol: AMP between an administrator and an agent. This is the agent's end of it."""

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from pop import __version__
from pop.errors import AgentBusy, AgentErred, PopError
from pop.interfaces import IAdministration
from pop.protocols import requests
from pop.protocols.bounds import BoundedAMP
from pop.protocols.requests import Refused
from pop.protocols.window import Window

AT_ONCE: Final = 100
"""What one connection may have asked for without having been answered yet."""


class Answering(BoundedAMP):
    """Answers what is asked of an agent; whoever goes away wants no answer to anything any more.

    @param machine: the agent's.
    @param left: called when the connection is over.
    """

    _log = Logger()

    def __init__(
        self,
        machine: str,
        administration: IAdministration,
        clock: IReactorTime,
        refused: Callable[[str], None] = lambda _: None,
        left: Callable[[], None] = lambda: None,
        **bounds: Any,
    ) -> None:
        super().__init__(clock, refused, **bounds)
        self._machine = machine
        self._left = left
        self._administration = administration
        self._open: set[Deferred[Any]] = set()
        self._streams: dict[int, Deferred[Any]] = {}

    @requests.Hello.responder
    def hello(self, version: str) -> dict[str, str]:
        """Say who this is."""
        return {"machine": self._machine, "version": __version__}

    @requests.Info.responder
    async def info(self) -> dict[str, Any]:
        """See L{IAdministration.info}."""
        return await self._answer(self._administration.info)

    @requests.Instances.responder
    async def instances(self, service: str) -> dict[str, Any]:
        """See L{IAdministration.instances}."""
        return await self._answer(self._administration.instances, service)

    @requests.Signal.responder
    async def signal(self, service: str, name: str, slot: str) -> dict[str, Any]:
        """See L{IAdministration.signal}."""
        return await self._answer(self._administration.signal, service, name, slot)

    @requests.Restart.responder
    async def restart(self, service: str, slot: str) -> dict[str, Any]:
        """See L{IAdministration.restart}."""
        return await self._answer(self._administration.restart, service, slot)

    @requests.Why.responder
    async def why(self, service: str) -> dict[str, Any]:
        """See L{IAdministration.why}."""
        return await self._answer(self._administration.why, service)

    @requests.Logs.responder
    async def logs(self, stream: int, service: str, lines: int, follow: bool) -> dict[str, Any]:
        """See L{IAdministration.logs}."""
        window = self._window(stream)
        return await self._answer(
            self._administration.logs, service, lines, follow, window, stream=stream, window=window
        )

    @requests.Run.responder
    async def run(
        self, stream: int, service: str, task: str, arguments: list[str]
    ) -> dict[str, Any]:
        """See L{IAdministration.run}."""
        window = self._window(stream)
        return await self._answer(
            self._administration.run,
            *(service, task, arguments, window),
            stream=stream,
            window=window,
        )

    @requests.Cancel.responder
    def cancel(self, stream: int) -> dict[str, Any]:
        """End what a stream is of."""
        if stream in self._streams:
            self._streams[stream].cancel()
        return {}

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Nobody waits for an answer any more."""
        super().connectionLost(reason)
        self._left()
        for asked in list(self._open):
            asked.cancel()

    def _window(self, stream: int) -> Window:
        def send(source: str, data: bytes) -> Deferred[object]:
            piece: Deferred[object] = self.callRemote(
                requests.Piece, stream=stream, source=source, data=data
            )
            return piece

        def broken() -> None:
            self.cancel(stream)

        return Window(send, broken)

    async def _answer(
        self,
        method: Callable[..., Deferred[Any]],
        *arguments: Any,
        stream: int | None = None,
        window: Window | None = None,
    ) -> dict[str, Any]:
        """Ask the agent; what goes wrong becomes a sentence."""
        try:
            if len(self._open) >= AT_ONCE or stream in self._streams:
                raise AgentBusy(machine=self._machine, most=AT_ONCE)
            result = await self._ask(maybeDeferred(method, *arguments), stream)
            if window:
                await window.drained()
        except PopError as error:
            raise Refused.of(error) from error
        except CancelledError as error:
            raise Refused("CancelledError It was cancelled.") from error
        except Exception as error:
            self._log.failure("Cannot answer {method}", method=method.__name__)
            reason = f"{type(error).__name__}: {error}"
            raise Refused.of(AgentErred(machine=self._machine, reason=reason)) from error
        return {"result": result}

    async def _ask(self, asked: Deferred[Any], stream: int | None) -> Any:
        self._open.add(asked)
        if stream is not None:
            self._streams[stream] = asked
        try:
            return await asked
        finally:
            self._open.discard(asked)
            if stream is not None:
                del self._streams[stream]
