"""A process with all that it started, and how all of it is ended.

Note [Sessions]: every child leads a session of its own, and whatever it starts stays in there
unless it leaves on purpose. The child is not reaped before its session is empty: as long as its
zombie is there, its number cannot be given to another process, so a signal never hits a stranger.
"""

import signal as signals
import subprocess
from collections.abc import Callable
from typing import Any

from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from pop.interfaces import IProcess
from pop.leftovers import send, session
from pop.pidwatch import watch_pid

POLL = 0.01
"""Seconds between two looks at a session that is ending, whose members are not our children."""


@implementer(IProcess)
class Tree:
    """A child leading a session, and all that it started there.

    @ivar pid: the child's.
    """

    def __init__(
        self,
        reactor: Any,
        popen: "subprocess.Popen[bytes]",
        protocol: ProcessProtocol,
        ended: Callable[[], None],
    ) -> None:
        self.pid = popen.pid
        self._clock: IReactorTime = reactor
        self._popen = popen
        self._protocol = protocol
        self._ended = ended
        self._asked = False
        self._killed = False
        watch_pid(reactor, self.pid, self._leader_died)

    def stop(self, signal: str) -> None:
        """Send a signal to all of it."""
        self._asked = True
        send(signals.Signals[f"SIG{signal}"], session(self.pid))

    def kill(self) -> None:
        """End all of it now, and whatever is born meanwhile."""
        self._killed = True
        send(signals.SIGKILL, session(self.pid))

    def _leader_died(self) -> None:
        """Wait for the rest, unless nobody asked for this end: then the rest must make way."""
        self._killed = self._killed or not self._asked
        self._reap_when_alone()

    def _reap_when_alone(self, alone: int = 0) -> None:
        """Reap once nobody was seen twice: one look may miss what is just being forked."""
        rest = session(self.pid)
        if self._killed:
            send(signals.SIGKILL, rest)
        alone = 0 if rest else alone + 1
        if alone < 2:
            self._clock.callLater(0 if alone else POLL, self._reap_when_alone, alone)
            return
        status = self._popen.wait()
        self._ended()
        self._protocol.processEnded(Failure(_end(status)))


def _end(status: int) -> ProcessDone | ProcessTerminated:
    """The end of a process as Twisted says it, from C{Popen.returncode}."""
    if status == 0:
        return ProcessDone(0)
    if status < 0:
        return ProcessTerminated(signal=-status, status=-status)
    return ProcessTerminated(exitCode=status, status=status << 8)
