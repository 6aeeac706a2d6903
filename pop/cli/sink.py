"""Standard output, as what is written to by a reactor that has others to attend to.

A pipe or a terminal may take nothing for hours (C{pop logs -f web | less}), while connections must
be answered; and it may be a file, which no reactor can wait for. So a thread writes. It is a
daemon: whoever leaves does not wait for a reader who has fallen asleep.
"""

import os
from queue import SimpleQueue
from threading import Thread
from typing import Any

from twisted.internet.defer import Deferred, succeed


class Sink:
    """A file descriptor, written to in a thread.

    @param reactor: is told, in its thread, what was written.
    """

    def __init__(self, reactor: Any, descriptor: int) -> None:
        self._reactor = reactor
        self._descriptor = descriptor
        self._queue: SimpleQueue[tuple[bytes, Deferred[None]] | None] = SimpleQueue()
        self._thread = Thread(target=self._work, daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> "Deferred[None]":
        """Write all of it; fires when that is done, or fails with the C{OSError}."""
        if not data:
            return succeed(None)
        done: Deferred[None] = Deferred()
        self._queue.put((data, done))
        return done

    def close(self) -> None:
        """Have the thread end, after what it was given."""
        self._queue.put(None)

    def _work(self) -> None:
        """In the thread."""
        while (work := self._queue.get()) is not None:
            data, done = work
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except OSError as error:
                self._reactor.callFromThread(done.errback, error)
            else:
                self._reactor.callFromThread(done.callback, None)
