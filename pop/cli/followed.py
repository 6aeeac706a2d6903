"""A machine whose logs are followed, through all breaks of the connection to its agent."""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from pop.cli.reach import Agents
from pop.cli.seam import AGAIN, Joined
from pop.errors import AgentLost, AgentSilent, NoLog, NotConnected
from pop.interfaces import IOutput

SOON = 0.5
"""Seconds until a connection that broke is made again; after that, twice as many each time."""
LONGEST = 10.0


class Followed:
    """One machine.

    @param name: what it is called.
    @param note: told a sentence when its agent has gone.
    """

    def __init__(
        self,
        machine: str,
        name: str,
        agents: Agents,
        clock: IReactorTime,
        note: Callable[[str], None],
    ) -> None:
        self._machine = machine
        self._name = name
        self._agents = agents
        self._clock = clock
        self._note = note

    async def follow(self, service: str, lines: int, output: IOutput) -> None:
        """Write its logs, without end.

        @raise PopError: what the agent has against it.
        """
        joined = Joined(output, self._clock)
        pause = SOON
        try:
            while True:
                try:
                    agent = await self._agents.of(self._machine)
                    pause = SOON
                    await agent.logs(service, AGAIN if joined.heard else lines, True, joined)
                except AgentLost:
                    self._note(
                        f"The connection to the agent of {self._name} broke. It is followed again"
                        " as soon as it answers."
                    )
                except (AgentSilent, NotConnected, NoLog):
                    pass
                joined.cut()
                await deferLater(self._clock, pause)
                pause = min(2 * pause, LONGEST)
        finally:
            joined.close()
