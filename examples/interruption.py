"""Ctrl-C where it is welcome, so that nothing that was started is lost track of."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Stopped(BaseException):
    """Somebody asked us to stop."""


class Interruption:
    """Keeps Ctrl-C, and other requests to end, until the program is ready for them.

    A signal between starting a process and noting it would leave that process behind; so one is
    raised, as L{Stopped}, only inside of L{welcome}: around what may take long.
    """

    def __init__(self) -> None:
        self._asked = False
        self._welcome = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._heard)

    def _heard(self, number: int, frame: object) -> None:
        first, self._asked = not self._asked, True
        if first and self._welcome:
            raise Stopped

    @contextmanager
    def welcome(self) -> Iterator[None]:
        """Where one may be interrupted, even by what was asked before."""
        self._welcome = True
        try:
            if self._asked:
                raise Stopped
            yield
        finally:
            self._welcome = False
