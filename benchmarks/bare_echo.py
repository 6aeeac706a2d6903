"""An echo by Twisted alone over a UNIX socket: what a round trip costs without a protocol.

This file is also the program at the other end: ``python benchmarks/bare_echo.py PATH``.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import UNIXServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import react

_CALL: Final = 60
"""Bytes that a Hello of the admin protocol and its answer have, each."""


class Echo(Protocol):
    """Sends back what comes."""

    def dataReceived(self, data: bytes) -> None:
        """Send it."""
        self.transport.write(data)  # type: ignore[union-attr]  # it is connected


class Caller(Protocol):
    """Sends as many bytes as a call has, and waits for them to come back."""

    def __init__(self) -> None:
        self._waiting: list[Deferred[None]] = []
        self._missing = 0

    def ask(self) -> Deferred[None]:
        """One call."""
        self._waiting.append(Deferred())
        self.transport.write(bytes(_CALL))  # type: ignore[union-attr]  # it is connected
        return self._waiting[-1]

    def dataReceived(self, data: bytes) -> None:
        """Some have come back."""
        self._missing += len(data)
        while self._missing >= _CALL:
            self._missing -= _CALL
            self._waiting.pop(0).callback(None)


def main() -> None:
    """Be the other end, at a path."""
    [path] = sys.argv[1:]

    async def listen(reactor: Any) -> None:
        await UNIXServerEndpoint(reactor, path).listen(Factory.forProtocol(Echo))
        await Deferred()

    react(lambda reactor: Deferred.fromCoroutine(listen(reactor)))


if __name__ == "__main__":
    main()
