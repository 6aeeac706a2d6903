"""The administrator's end of the admin protocol: an agent elsewhere as if it were here."""

import contextlib
from itertools import count
from typing import Any, Final, TypeVar

from twisted.internet.defer import (
    CancelledError,
    Deferred,
    DeferredLock,
    TimeoutError,
    fail,
    maybeDeferred,
)
from twisted.internet.error import ConnectionClosed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.protocols.amp import Command, RemoteAmpError, UnhandledCommand, UnknownRemoteError
from twisted.python.failure import Failure
from zope.interface import implementer

from pop import __version__
from pop.errors import AgentDiffers, AgentErred, AgentLost
from pop.interfaces import IAdministration, IOutput
from pop.protocols import requests
from pop.protocols.bounds import BoundedAMP
from pop.protocols.requests import Refused

T = TypeVar("T")

LEAVING: Final = 15.0
"""Seconds that a task may take to end which nobody wants any more: so others do not begin before
that."""
LARGEST: Final = 1 << 26
"""Bytes of an answer that an administrator takes."""


class _Stream:
    """Where the pieces of one stream go, one after the other."""

    def __init__(self, output: IOutput) -> None:
        self.failure: Failure | None = None
        self._output = output
        self._order: DeferredLock = DeferredLock()

    def write(self, source: str, data: bytes) -> Deferred[Any]:
        return self._order.run(self._write, source, data)

    def _write(self, source: str, data: bytes) -> Deferred[Any]:
        if self.failure is not None:
            return fail(self.failure)
        return maybeDeferred(self._output.write, source, data).addErrback(self._failed)

    def _failed(self, failure: Failure) -> Failure:
        self.failure = failure
        return failure


class Asking(BoundedAMP):
    """A connection to an agent.

    @ivar clock: by which it waits.
    @ivar lost: fires when it is over.
    """

    def __init__(self, clock: IReactorTime) -> None:
        super().__init__(clock, lambda _: None, largest=LARGEST, patience=None)
        self.clock = clock
        self.lost: Deferred[None] = Deferred()
        self._streams: dict[int, _Stream] = {}
        self._numbers = count(1)

    @requests.Piece.responder
    async def piece(self, stream: int, source: str, data: bytes) -> dict[str, Any]:
        """Take a piece; what nobody wants any more is refused, so that it ends."""
        try:
            await self._streams[stream].write(source, data)
        except Exception as error:
            raise Refused(f"{type(error).__name__} It is not wanted.") from error
        return {}

    def begin(self, output: IOutput) -> int:
        """Expect a stream; gives its number."""
        number = next(self._numbers)
        self._streams[number] = _Stream(output)
        return number

    def forget(self, number: int) -> Failure | None:
        """Expect no more of it; why the output did not take all, if so."""
        return self._streams.pop(number).failure

    def _register(self) -> None:
        """Read always: if each end waited for the other to read, nothing would go on."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is over."""
        super().connectionLost(reason)
        self.lost.callback(None)


@implementer(IAdministration)
class Administrator:
    """An agent, asked over a connection.

    @ivar machine, version: of the agent, once L{greet} is done.
    @ivar lost: fires when the connection is over.
    """

    def __init__(self, connection: Asking, machine: str = "another machine") -> None:
        self.machine = machine
        self.version = ""
        self.lost = connection.lost
        self._connection = connection

    async def greet(self) -> None:
        """Have the agent say who it is."""
        said = await self._call(requests.Hello, version=__version__)
        self.machine, self.version = said["machine"], said["version"]

    def close(self) -> Deferred[None]:
        """End the connection; fires when it is over."""
        self._connection.close()
        return self.lost

    def info(self) -> Deferred[dict[str, Any]]:
        """See L{IAdministration.info}."""
        return self._result(requests.Info)

    def instances(self, service: str = "") -> Deferred[list[dict[str, Any]]]:
        """See L{IAdministration.instances}."""
        return self._result(requests.Instances, service=service)

    def signal(self, service: str, name: str, slot: str = "") -> Deferred[int]:
        """See L{IAdministration.signal}."""
        return self._result(requests.Signal, service=service, name=name, slot=slot)

    def restart(self, service: str, slot: str = "") -> Deferred[int]:
        """See L{IAdministration.restart}."""
        return self._result(requests.Restart, service=service, slot=slot)

    def why(self, service: str) -> Deferred[list[dict[str, Any]]]:
        """See L{IAdministration.why}."""
        return self._result(requests.Why, service=service)

    def logs(self, service: str, lines: int, follow: bool, output: IOutput) -> Deferred[None]:
        """See L{IAdministration.logs}."""
        return Deferred.fromCoroutine(
            self._stream(output, requests.Logs, service=service, lines=lines, follow=follow)
        )

    def run(
        self, service: str, task: str, arguments: list[str], output: IOutput
    ) -> Deferred[dict[str, Any]]:
        """See L{IAdministration.run}."""
        return Deferred.fromCoroutine(
            self._stream(
                output,
                requests.Run,
                wait=LEAVING,
                service=service,
                task=task,
                arguments=arguments,
            )
        )

    def _result(self, command: type[Command], **arguments: Any) -> Deferred[Any]:
        async def ask() -> Any:
            return (await self._call(command, **arguments))["result"]

        return Deferred.fromCoroutine(ask())

    async def _stream(
        self, output: IOutput, command: type[Command], *, wait: float = 0.0, **arguments: Any
    ) -> Any:
        """Ask for something with pieces; whoever cancels it has it end there too.

        @param wait: how long that is waited for, in seconds.
        """
        number = self._connection.begin(output)
        asked = Deferred.fromCoroutine(self._call(command, stream=number, **arguments))
        try:
            return (await _heeded(asked))["result"]
        except CancelledError:
            self._connection.callRemote(requests.Cancel, stream=number).addErrback(_ignore)
            if wait:
                with contextlib.suppress(CancelledError, TimeoutError):
                    await asked.addTimeout(wait, self._connection.clock)
            raise
        finally:
            refused = self._connection.forget(number)
            if refused is not None:
                refused.raiseException()

    async def _call(self, command: type[Command], **arguments: Any) -> dict[str, Any]:
        """Ask; what the agent says of an error is what this raises."""
        try:
            result: dict[str, Any] = await self._connection.callRemote(command, **arguments)
        except Refused as error:
            raise error.error() from None
        except ConnectionClosed as error:
            raise AgentLost(machine=self.machine) from error
        except UnhandledCommand as error:
            raise AgentDiffers(machine=self.machine) from error
        except (RemoteAmpError, UnknownRemoteError) as error:
            raise AgentErred(machine=self.machine, reason=str(error)) from error
        return result


def _heeded(asked: Deferred[T]) -> Deferred[T]:
    """The same as another one, that goes on if this is cancelled."""
    heeded: Deferred[T] = Deferred()

    def pass_on(result: T | Failure) -> None:
        if not heeded.called:
            heeded.callback(result)

    asked.addBoth(pass_on)
    return heeded


def _ignore(_: Failure) -> None:
    """It has ended by itself meanwhile, or with the connection."""
