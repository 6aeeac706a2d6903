"""Learning in the reactor that a process has died, whoever its parent is, without reaping it."""

import os
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReadDescriptor
from zope.interface import implementer

from pop.descriptors import lifted
from pop.exitstatus import status_of_dead
from pop.kin import Kin, alive

POLL = 0.1
"""Seconds between two looks where the system has no pidfd."""

Died = Callable[[int | None], None]
"""Told the status as C{Popen.returncode} has it, if that could be learned without reaping."""


@implementer(IReadDescriptor)
class PidFd:
    """A process as a file descriptor, readable once it died (L{os.pidfd_open}, Linux 5.3)."""

    def __init__(self, reactor: Any, kin: Kin, died: Died) -> None:
        self._fd = lifted(os.pidfd_open(kin.leader))
        self._pid = kin.leader
        self._reactor = reactor
        self._died = died
        if not kin.leads():  # asked after it was opened, so that it is no stranger's
            os.close(self._fd)
            raise ProcessLookupError
        reactor.addReader(self)

    def fileno(self) -> int:
        return self._fd

    def logPrefix(self) -> str:
        return "pidfd"

    def doRead(self) -> None:
        self._reactor.removeReader(self)
        status = status_of_dead(self._fd, self._pid)
        os.close(self._fd)
        self._fd = -1
        self._died(status)

    def connectionLost(self, reason: Any) -> None:
        """The reactor gives up on all its readers when it ends."""
        if self._fd != -1:
            os.close(self._fd)
            self._fd = -1


def watch(reactor: Any, kin: Kin, died: Died) -> None:
    """Call back once, after the leader of some kin has died.

    @param reactor: needs C{IReactorFDSet} where there are pidfds, else C{IReactorTime}.
    """
    if hasattr(os, "pidfd_open"):
        try:
            PidFd(reactor, kin, died)
            return
        except OSError:  # it is gone, or an old kernel, or a sandbox that does not let it through
            pass
    reactor.callLater(0, _poll, reactor, kin, died)  # never before the caller is ready for it


def _poll(reactor: Any, kin: Kin, died: Died) -> None:
    if kin.leads() and alive(kin.leader):
        reactor.callLater(POLL, _poll, reactor, kin, died)
    else:
        died(None)
