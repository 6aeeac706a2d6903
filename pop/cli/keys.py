"""Keys, as they are pressed at a terminal."""

import contextlib
import os
import termios
from collections.abc import Callable
from types import TracebackType
from typing import Any

from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer


@implementer(IReadDescriptor)
class Keys:
    """A terminal that gives each key at once, and does not show it; entered and left by C{with}.

    It is read only when there is something, and never made non-blocking: what writes to the same
    terminal would be, too. Ctrl-C remains the signal that it is, and Ctrl-Z does nothing.

    @param pressed: told each key; the empty string when the terminal is gone.
    """

    def __init__(self, reactor: Any, descriptor: int, pressed: Callable[[str], None]) -> None:
        self._reactor = reactor
        self._descriptor = descriptor
        self._pressed = pressed

    def __enter__(self) -> "Keys":
        self._before = termios.tcgetattr(self._descriptor)
        quiet = termios.tcgetattr(self._descriptor)
        quiet[3] &= ~(termios.ICANON | termios.ECHO)
        quiet[6][termios.VSUSP] = b"\0"  # who came back would find a terminal that was set anew
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, quiet)
        self._reactor.addReader(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._reactor.removeReader(self)
        with contextlib.suppress(termios.error):  # it may be gone
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)

    def fileno(self) -> int:
        """For the reactor."""
        return self._descriptor

    def doRead(self) -> None:
        """There is something: a key, or several."""
        try:
            data = os.read(self._descriptor, 100)
        except OSError:
            data = b""
        if not data:
            self._reactor.removeReader(self)
            self._pressed("")
        for key in data.decode("utf-8", "replace"):
            self._pressed(key)

    def connectionLost(self, reason: Failure) -> None:
        """It is gone."""
        self._pressed("")

    def logPrefix(self) -> str:
        """For the reactor."""
        return "keys"
