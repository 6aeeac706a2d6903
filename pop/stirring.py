"""Being told that somebody writes to a file, without looking again and again.

See inotify(7). Twisted's own has to look for the C library first, with a child process; all that is
needed of it here is one word, that something has happened.
"""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFDSet, IReactorTime, IReadDescriptor
from zope.interface import implementer

_MODIFY: Final = 0x2
_CREATE: Final = 0x100
_ONESHOT: Final = 0x80000000

Stirred = Callable[[], None]
Forget = Callable[[], None]
Watch = Callable[[Path, Stirred], Forget | None]
"""Has a function called once, when a file in a directory is made or written to next.

Gives what ends the waiting; L{None} if nobody can tell: then one has to look."""


def unwatched(directory: Path, stirred: Stirred) -> None:
    """Nobody can tell."""


def by_inotify(reactor: IReactorFDSet) -> Watch:
    """The kernel tells, where it can."""

    def watch(directory: Path, stirred: Stirred) -> Forget | None:
        try:
            return _Notifier(reactor, _watched(directory), stirred).close
        except (OSError, AttributeError):  # too many of them, or another system
            return None

    return watch


class Stir:
    """The next time that something is written in a directory, which may be before it is waited for.

    @param otherwise: seconds to wait where nobody can tell.
    """

    def __init__(
        self, watch: Watch, directory: Path, clock: IReactorTime, otherwise: float
    ) -> None:
        self._come: Deferred[None] = Deferred()
        self._forget = watch(directory, self._stirred)
        if self._forget is None:
            self._forget = clock.callLater(otherwise, self._stirred).cancel

    async def wait(self) -> None:
        """Wait for it."""
        try:
            await self._come
        finally:
            self.close()

    def close(self) -> None:
        """Wait for it no more."""
        forget, self._forget = self._forget, None
        if forget is not None:
            forget()

    def _stirred(self) -> None:
        self._forget = None
        if not self._come.called:
            self._come.callback(None)


@implementer(IReadDescriptor)
class _Notifier:
    """Readable once something has happened."""

    def __init__(self, reactor: IReactorFDSet, descriptor: int, stirred: Stirred) -> None:
        self._reactor = reactor
        self._descriptor = descriptor
        self._stirred = stirred
        reactor.addReader(self)

    def fileno(self) -> int:
        return self._descriptor

    def logPrefix(self) -> str:
        return "inotify"

    def doRead(self) -> None:
        self.close()
        self._stirred()

    def close(self) -> None:
        """Wait no more."""
        if self._descriptor != -1:
            self._reactor.removeReader(self)
            self.connectionLost(None)

    def connectionLost(self, reason: Any) -> None:
        """The reactor gives up on all its readers when it ends."""
        if self._descriptor != -1:
            os.close(self._descriptor)
            self._descriptor = -1


def _watched(directory: Path) -> int:
    """A descriptor that tells of a directory, once.

    @raise AttributeError: there is no inotify on this system.
    """
    library = ctypes.CDLL(None, use_errno=True)
    descriptor = _checked(library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
    try:
        events = ctypes.c_uint32(_MODIFY | _CREATE | _ONESHOT)
        _checked(library.inotify_add_watch(descriptor, os.fsencode(directory), events))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
