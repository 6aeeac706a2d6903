"""Machines whose logs are followed, through all breaks of the connections to their agents."""

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from pop.cli.chorus import Chorus
from pop.cli.seam import AGAIN, Joined
from pop.errors import AgentLost, AgentSilent, NoLog, NotConnected, PopError
from pop.interfaces import IOutput

SOON = 0.5
"""Seconds until a connection that broke is made again; after that, twice as many each time."""
LONGEST = 10.0
LATER = "It is followed as soon as it answers."

Source = Callable[[str], Coroutine[Any, Any, Any]]
"""Gives who tells a machine's logs: L{pop.interfaces.IAdministration.logs}."""


class Followed:
    """One machine.

    @param name: what it is called.
    @param note: told a sentence when its agent has gone, or is not there.
    """

    def __init__(
        self,
        machine: str,
        name: str,
        source: Source,
        clock: IReactorTime,
        note: Callable[[str], None],
    ) -> None:
        self._machine = machine
        self._name = name
        self._source = source
        self._clock = clock
        self._note = note
        self._gone = False

    async def follow(self, service: str, lines: int, output: IOutput) -> None:
        """Write its logs, without end.

        @raise PopError: what the agent has against it.
        """
        joined = Joined(output, self._clock)
        pause = SOON
        try:
            while True:
                if await self._listen(service, AGAIN if joined.heard else lines, joined):
                    pause = SOON
                joined.cut()
                await deferLater(self._clock, pause)
                pause = min(2 * pause, LONGEST)
        finally:
            joined.close()

    async def _listen(self, service: str, lines: int, output: IOutput) -> bool:
        """Write them, as long as the connection holds; whether there was one."""
        there = False
        try:
            agent = await self._source(self._machine)
            there, self._gone = True, False
            await agent.logs(service, lines, True, output)
        except NoLog:
            pass  # it has not begun there
        except AgentLost:
            self._tell(f"The connection to the agent of {self._name} broke.")
        except (AgentSilent, NotConnected) as error:
            self._tell(str(error))
        return there

    def _tell(self, trouble: str) -> None:
        """Once, until it is over."""
        if not self._gone:
            self._note(f"{trouble} {LATER}")
        self._gone = True


class Followers:
    """All machines that are followed, until one of them fails for a reason of our own."""

    def __init__(
        self,
        chorus: Chorus,
        source: Source,
        clock: IReactorTime,
        note: Callable[[str], None],
        service: str,
        lines: int,
    ) -> None:
        self._chorus = chorus
        self._source = source
        self._clock = clock
        self._note = note
        self._wish = (service, lines)
        self._going: dict[str, Deferred[None]] = {}
        self._over: Deferred[None] = Deferred()
        self._waiting = False

    def add(self, machine: str, name: str) -> None:
        """Follow one more, unless it is followed already."""
        if machine not in self._going:
            followed = Followed(machine, name, self._source, self._clock, self._note)
            self._begin(machine, followed.follow(*self._wish, self._chorus.voice(name)), name)

    def watch(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside, which may add others; its failure ends all."""
        self._begin("", work, name)

    def _begin(self, key: str, work: Coroutine[Any, Any, None], name: str) -> None:
        self._going[key] = going = Deferred.fromCoroutine(work)
        going.addErrback(self._failed, name)

    async def wait(self) -> None:
        """Wait until nobody is followed any more; or what we write can be written no more."""
        self._waiting = True
        self._check()
        try:
            await self._over
        finally:
            for going in self._going.values():
                going.cancel()

    def _failed(self, failure: Failure, name: str) -> None:
        if failure.check(CancelledError) or self._over.called:
            return
        if not failure.check(PopError):
            self._over.errback(failure)
            return
        self._note(f"{name}: {failure.value}")
        self._check()

    def _check(self) -> None:
        """Whether anybody is left."""
        ended = all(going.called for going in self._going.values())
        if ended and self._waiting and not self._over.called:
            self._over.callback(None)
