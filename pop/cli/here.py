"""This machine's logs, which are read as files: that needs no agent."""

from pathlib import Path

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from pop.errors import NoLog
from pop.interfaces import IOutput
from pop.logs import log_files
from pop.tail import Tail

LOOK_AGAIN = 0.1
"""Seconds between two looks at logs that are followed."""


class Here:
    """The logs of a state directory, told as its agent tells them.

    See L{pop.interfaces.IAdministration.logs}.
    """

    def __init__(self, directory: Path, clock: IReactorTime) -> None:
        self._directory = directory
        self._clock = clock

    def slots(self, service: str) -> list[str]:
        """The processes of a service that have logs here which may be read."""
        try:
            return [slot for slot, _ in log_files(self._directory, service)]
        except OSError:
            return []

    async def logs(self, service: str, lines: int, follow: bool, output: IOutput) -> None:
        """Write what they have written, and go on with it."""
        tail = Tail(self._directory, service, None if lines < 0 else lines)
        try:
            if not tail.begin():
                raise NoLog(service=service, directory=self._directory)
            while (pieces := tail.more(follow)) or follow:
                for slot, data in pieces:
                    await output.write(slot, data)
                if not pieces:
                    await deferLater(self._clock, LOOK_AGAIN)
        finally:
            tail.close()
