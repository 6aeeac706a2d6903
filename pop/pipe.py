"""Pipes: how what a process writes is taken from it no faster than somebody wants it."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReadWriteDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

CHUNK = 1 << 15
"""Bytes that are read at a time, and so held at most for one who is slow."""


@implementer(IReadWriteDescriptor)
class Pipe:
    """This end of a pipe or socket whose other end is a process's.

    @param fd: the descriptor, closed by L{close}.
    @ivar take: takes what is read; nothing more is read before that is done.
    """

    def __init__(self, reactor: Any, fd: int, take: Callable[[bytes], Awaitable[None]]) -> None:
        os.set_blocking(fd, False)
        self.take = take
        self._reactor = reactor
        self._fd = fd
        self._over = False
        self._ready: Deferred[None] | None = None
        self._outgoing = b""

    async def flow(self) -> None:
        """Hand on what comes, until there is no more of it."""
        while data := await self._read():
            await self.take(data)

    async def _read(self) -> bytes:
        """Something; nothing once the other end is closed, or nothing more is to be expected."""
        while self._fd >= 0:
            if not self._over:
                self._ready = Deferred()
                self._reactor.addReader(self)
                await self._ready
            try:
                return os.read(self._fd, CHUNK) if self._fd >= 0 else b""
            except BlockingIOError:
                if self._over:
                    break
            except ConnectionResetError:  # it ended without having read all that it was sent
                break
        return b""

    def send(self, data: bytes) -> None:
        """Write something, as fast as it is read at the other end."""
        self._outgoing += data
        self._reactor.addWriter(self)

    def end(self) -> None:
        """Expect no more than what has been written by now."""
        self._over = True
        self._go_on()

    def close(self) -> None:
        """Nothing flows any more."""
        if self._fd >= 0:
            self._reactor.removeReader(self)
            self._reactor.removeWriter(self)
            os.close(self._fd)
            self._fd = -1
            self._go_on()

    def _go_on(self) -> None:
        ready, self._ready = self._ready, None
        if ready is not None and not ready.called:
            ready.callback(None)

    def fileno(self) -> int:
        return self._fd

    def logPrefix(self) -> str:
        return "pipe"

    def doRead(self) -> None:
        self._reactor.removeReader(self)
        self._go_on()

    def doWrite(self) -> None:
        try:
            self._outgoing = self._outgoing[os.write(self._fd, self._outgoing) :]
        except BlockingIOError:
            return
        except OSError:  # there is nobody to read it any more
            self._outgoing = b""
        if not self._outgoing:
            self._reactor.removeWriter(self)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor gives up on all its descriptors when it ends; L{close} is still called."""
