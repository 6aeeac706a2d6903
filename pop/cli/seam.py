"""Seams: texts that were cut off while they were followed, joined again without a gap.

Who follows a log over a connection that breaks is told, after the next connection, some of the last
lines once more. The end of what was heard before is looked for in them, and all up to there is left
out.
"""

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

from pop.interfaces import IOutput

KEPT = 4096
"""Bytes of the end of what was heard: so much is hardly ever said twice."""
AGAIN = 10_000
"""Lines that are to be told once more."""
MOST = 8 << 20
"""Bytes among which the end is looked for; if it is not there, all of them are new."""
PATIENCE = 2.0
"""Seconds that it is looked for."""


class Seam:
    """One text.

    @ivar looking: whether it was cut, and not joined yet.
    """

    def __init__(self) -> None:
        self.looking = False
        self._end = b""
        self._told = b""

    def cut(self) -> None:
        """What comes next may have been heard; what was told since the last cut is told again."""
        self._told = b""
        self.looking = bool(self._end)

    def take(self, data: bytes) -> bytes:
        """What is new of it; nothing yet, while that is not known."""
        if not self.looking:
            return self._heard(data)
        self._told += data
        at = self._told.find(self._end)
        if at >= 0:
            self.looking = False
            new, self._told = self._told[at + len(self._end) :], b""
            return self._heard(new)
        return self.give_up() if len(self._told) > MOST else b""

    def give_up(self) -> bytes:
        """What was told is new then, all of it."""
        self.looking = False
        told, self._told = self._told, b""
        return self._heard(told)

    def _heard(self, data: bytes) -> bytes:
        self._end = (self._end + data[-KEPT:])[-KEPT:]
        return data


@implementer(IOutput)
class Joined:
    """An output for one machine's logs, whatever becomes of the connections that they come by."""

    def __init__(self, output: IOutput, clock: IReactorTime) -> None:
        self._output = output
        self._clock = clock
        self._seams: dict[str, Seam] = {}
        self._timer: IDelayedCall | None = None

    @property
    def heard(self) -> bool:
        """Whether anything was written at all."""
        return bool(self._seams)

    def cut(self) -> None:
        """The connection broke: until a new one is there, time does not count."""
        self.close()
        for seam in self._seams.values():
            seam.cut()

    def close(self) -> None:
        """Wait for nothing any more."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def write(self, source: str, data: bytes) -> "Deferred[None]":
        """See L{IOutput.write}."""
        seam = self._seams.setdefault(source, Seam())
        new = seam.take(data)
        if seam.looking and self._timer is None:
            self._timer = self._clock.callLater(PATIENCE, self._give_up)
        return self._output.write(source, new) if new else succeed(None)

    def _give_up(self) -> None:
        self._timer = None
        for source, seam in self._seams.items():
            if seam.looking and (new := seam.give_up()):
                self._output.write(source, new)
