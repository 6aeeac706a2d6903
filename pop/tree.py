"""A process with all that it started, and how all of it is ended.

Note [Ends]: a child is not reaped before nothing of its kin is left: as long as its zombie is
there, its number cannot be given to another process, so a signal never hits a stranger. What came
from a predecessor of this agent is somebody else's to reap; its kin is known by its mark alone
then.
"""

import signal as signals
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from pop.census import Census
from pop.interfaces import IProcess
from pop.kin import Kin, send
from pop.pidwatch import watch

SOON = 0.001
SELDOM = 0.1
"""Seconds between two looks at kin that is ending, whose members are not our children."""


@implementer(IProcess)
class Tree:
    """A process leading a session, and all that it started.

    @ivar pid: the leader's.
    @param reap: gives the leader's status as C{Popen.returncode} has it, L{None} if that is not
        ours to learn.
    @param note: remembers what it said of itself.
    @param ended: called once nothing is left, before the protocol is told.
    """

    def __init__(
        self,
        reactor: Any,
        kin: Kin,
        census: Census,
        protocol: ProcessProtocol,
        reap: Callable[[], int | None],
        note: Callable[[bool, Mapping[str, Any] | None], None],
        ended: Callable[[], None],
    ) -> None:
        self.pid = kin.leader
        self._clock: IReactorTime = reactor
        self._kin = kin
        self._census = census
        self._protocol = protocol
        self._reap = reap
        self._note = note
        self._ended = ended
        self._asked = False
        self._killed = False
        self._over = False
        self._status: int | None = None
        watch(reactor, kin, self._leader_died)

    def stop(self, signal: str) -> None:
        """Send a signal to all of it, and have it go on if it stands still: it could not end."""
        self._asked = True
        self._send(signals.Signals[f"SIG{signal}"], signals.SIGCONT)

    def kill(self) -> None:
        """End all of it now, and whatever is born meanwhile."""
        self._killed = True
        self._send(signals.SIGKILL)

    def signal(self, name: str) -> None:
        """See L{IProcess.signal}."""
        number = signals.Signals[f"SIG{name}"]
        if not self._over:
            self._census.ask(self._kin, lambda living: self._send_leader(number, living))

    def members(self) -> Deferred[list[int]]:
        """See L{IProcess.members}."""
        found: Deferred[list[int]] = Deferred()
        self._census.ask(self._kin, found.callback)
        return found

    def note(self, ready: bool, state: Mapping[str, Any] | None) -> None:
        """See L{IProcess.note}."""
        if not self._over:
            self._note(ready, state)

    def _send(self, *numbers: int) -> None:
        if not self._over:
            self._census.ask(self._kin, partial(self._send_to, numbers))

    def _send_to(self, numbers: tuple[int, ...], living: list[int]) -> None:
        for number in () if self._over else numbers:
            send(number, living)

    def _send_leader(self, number: int, living: list[int]) -> None:
        send(number, [pid for pid in living if pid == self.pid and not self._over])

    def _leader_died(self, status: int | None) -> None:
        """Wait for the rest, unless nobody asked for this end: then the rest must make way."""
        self._status = status
        self._killed = self._killed or not self._asked
        self._look(SOON)

    def _look(self, pause: float) -> None:
        self._census.ask(self._kin, partial(self._end_if_alone, pause))

    def _end_if_alone(self, pause: float, rest: list[int]) -> None:
        if rest:
            if self._killed:
                send(signals.SIGKILL, rest)
            self._clock.callLater(pause, self._look, min(2 * pause, SELDOM))
            return
        self._over = True
        status = self._reap()
        self._ended()
        self._protocol.processEnded(Failure(_end(self._status if status is None else status)))


def _end(status: int | None) -> ProcessDone | ProcessTerminated:
    """The end of a process as Twisted says it, from C{Popen.returncode}."""
    if status is None:
        return ProcessTerminated()
    if status == 0:
        return ProcessDone(0)
    if status < 0:
        return ProcessTerminated(signal=-status, status=-status)
    return ProcessTerminated(exitCode=status, status=status << 8)
