"""What waits until the other end of a connection has read what came before."""

from collections import deque
from collections.abc import Callable
from typing import Final

__all__ = ["Outbox"]

PIECE: Final = 1 << 16
"""Bytes that are given to the transport at a time; it keeps about as many."""


class Outbox:
    """Gives a transport as much as it has room for, and keeps the rest.

    A transport keeps whatever it is given and does not tell how much that is, and that it has room
    only when all of it is gone: whoever would count themselves, could not tell somebody who never
    reads from somebody who reads all the time, but slowly.

    @param write: the transport's.
    @ivar crowded: whether there is no room.
    @ivar size: bytes that wait.
    """

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self.crowded = False
        self.size = 0
        self._write = write
        self._left: deque[bytes] = deque()

    def put(self, data: bytes) -> None:
        """Send something, after all that waits."""
        self.size += len(data)
        self._left.extend(data[at : at + PIECE] for at in range(0, len(data), PIECE))
        self._send()

    def pause(self) -> None:
        """There is no more room."""
        self.crowded = True

    def resume(self) -> None:
        """There is room again, perhaps not for all that waits; or, if the transport has no producer
        any more since it is to be closed, for whatever it is."""
        self.crowded = False
        self._send()

    def drop(self) -> None:
        """Keep nothing: nobody will read it."""
        self._left.clear()
        self.size = 0

    def _send(self) -> None:
        while self._left and not self.crowded:
            self.size -= len(self._left[0])
            self._write(self._left.popleft())
