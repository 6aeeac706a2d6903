"""Learning in the reactor that a process has died, whoever its parent is, without reaping it."""

import os
from collections.abc import Callable
from typing import Any

import psutil
from twisted.internet.interfaces import IReadDescriptor
from zope.interface import implementer

POLL = 0.1
"""Seconds between two looks where the system has no pidfd."""


@implementer(IReadDescriptor)
class PidFd:
    """A process as a file descriptor, readable once it died (L{os.pidfd_open}, Linux 5.3)."""

    def __init__(self, reactor: Any, pid: int, died: Callable[[], None]) -> None:
        self._fd = os.pidfd_open(pid)
        self._reactor = reactor
        self._died = died
        reactor.addReader(self)

    def fileno(self) -> int:
        return self._fd

    def logPrefix(self) -> str:
        return "pidfd"

    def doRead(self) -> None:
        self._reactor.removeReader(self)
        os.close(self._fd)
        self._fd = -1
        self._died()

    def connectionLost(self, reason: Any) -> None:
        """The reactor gives up on all its readers when it ends."""
        if self._fd != -1:
            os.close(self._fd)
            self._fd = -1


def watch_pid(reactor: Any, pid: int, died: Callable[[], None]) -> None:
    """Call back once, after a process has died.

    @param reactor: needs C{IReactorFDSet} where there are pidfds, else C{IReactorTime}.
    """
    if hasattr(os, "pidfd_open"):
        try:
            PidFd(reactor, pid, died)
            return
        except OSError:  # it is gone, or an old kernel, or a sandbox that does not let it through
            pass
    reactor.callLater(0, _poll, reactor, pid, died)  # never before the caller is ready for it


def _poll(reactor: Any, pid: int, died: Callable[[], None]) -> None:
    try:
        alive = psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        alive = False
    if alive:
        reactor.callLater(POLL, _poll, reactor, pid, died)
    else:
        died()
