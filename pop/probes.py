"""Carrying health checks out: by TCP, by HTTP, by a command."""

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import (
    ConnectError,
    ConnectionRefusedError,
    DNSLookupError,
    TimeoutError,
)
from twisted.internet.interfaces import IAddress, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from pop.alarm import Alarm
from pop.errors import CheckFailed
from pop.health import Check, CommandCheck, HttpCheck, read_check
from pop.program import Launch
from pop.protocols.http import Answer, request

Way = Callable[[str, int], IStreamClientEndpoint]
"""(host, port): how to get there."""
Run = Callable[[str, Launch, CommandCheck], Awaitable[str | None]]
"""(slot, launch, check): run a command as that instance is run, and say what was wrong."""

LONGEST = 80
"""Characters of a description that are shown."""


class Probes:
    """Carries checks out on this machine.

    @param way: by which connections are made.
    @param run: by which commands are run.
    """

    def __init__(self, clock: IReactorTime, way: Way, run: Run) -> None:
        self._clock = clock
        self._way = way
        self._run = run

    async def probe(self, slot: str, launch: Launch, description: str, timeout: float) -> None:
        """Carry out one check of an instance; see L{pop.series.Probe}.

        @raise CheckFailed: it begins with the description, since an instance may have two.
        """
        check = read_check(description)
        asked = Deferred.fromCoroutine(self._ask(slot, launch, check))
        late = "did not end" if isinstance(check, CommandCheck) else "did not answer"
        if fault := await within(self._clock, timeout, asked, late):
            name = description if len(description) <= LONGEST else description[:LONGEST] + "..."
            raise CheckFailed(reason=f"{name} {fault}")

    async def _ask(self, slot: str, launch: Launch, check: Check) -> str | None:
        """What is wrong, to follow the description; L{None} if it passes."""
        if isinstance(check, CommandCheck):
            return await self._run(slot, launch, check)
        caller = Caller(request(check) if isinstance(check, HttpCheck) else None)
        try:
            await self._way(check.host, check.port).connect(Only(caller))
        except ConnectionRefusedError:
            return "refuses connections"
        except DNSLookupError:
            return f"cannot be reached: there is no host {check.host}"
        except (ConnectError, TimeoutError) as error:
            return f"cannot be reached: {str(error).rstrip('.')}"
        return await caller.fault


def within(
    clock: IReactorTime, seconds: float, asked: "Deferred[str | None]", late: str
) -> "Deferred[str | None]":
    """Cancel what takes longer.

    @param late: what is wrong with it then, if it says nothing else.
    """
    is_late = False

    def too_late() -> None:
        nonlocal is_late
        is_late = True
        asked.cancel()

    def settle(result: "str | Failure | None") -> "str | Failure | None":
        alarm.stop()
        return f"{late} within {seconds:g} s" if is_late and isinstance(result, Failure) else result

    alarm = Alarm(clock, seconds, too_late)
    return asked.addBoth(settle)


class Only(Factory):
    """Gives the one protocol, without a line in the log."""

    noisy = False

    def __init__(self, protocol: Protocol) -> None:
        self._only = protocol

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """Give it."""
        return self._only


class Caller(Protocol):
    """Goes to a server, and asks it something or leaves at once.

    @ivar fault: fires with what is wrong, L{None} if it is as it should be. Cancelled, it says what
        is known so far: a server that never ends its answer has answered.
    """

    transport: Any

    def __init__(self, question: bytes | None) -> None:
        self._question = question
        self._answer = Answer()
        self.fault: Deferred[str | None] = Deferred(self._hung_up)

    def connectionMade(self) -> None:
        """It is there, which may be all that was asked."""
        if self._question is None:
            self._leave(None)
        else:
            self.transport.write(self._question)

    def dataReceived(self, data: bytes) -> None:
        """It answers."""
        self._answer.received(data)
        if self._answer.is_enough:
            self._leave(self._answer.fault())

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It has no more to say."""
        self._leave(self._answer.fault())

    def _leave(self, fault: str | None) -> None:
        if not self.fault.called:
            self.transport.loseConnection()
            self.fault.callback(fault)

    def _hung_up(self, fault: "Deferred[str | None]") -> None:
        self.transport.abortConnection()
        if self._answer.status is not None:
            fault.callback(self._answer.fault())
