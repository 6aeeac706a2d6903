"""The search for a server that can write, for a client that has found only one that can read.

Source: ``SendThread.pingRwServer`` of ``ClientCnxn.java`` and the four-letter word ``isro`` of
ZooKeeper 3.8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from txzookeeper.dialer import Endpoint, Only
from txzookeeper.hosts import Host

_FIRST_DELAY: Final = 0.1
_LONGEST_DELAY: Final = 10.0


class _Question(Protocol):
    """Asks one server whether it is read-only."""

    def __init__(self) -> None:
        self.answer = b""
        self.answered: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        """Ask."""
        assert self.transport is not None
        self.transport.write(b"isro")

    def dataReceived(self, data: bytes) -> None:
        """Take two letters: ``ro`` or ``rw``."""
        self.answer += data
        if len(self.answer) >= 2:
            self.hang_up()

    def hang_up(self) -> None:
        """Close the connection, if there is one."""
        if self.transport is not None:
            cast(ITCPTransport, self.transport).abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell that no more will come."""
        if not self.answered.called:
            self.answered.callback(None)


class WritableSearch:
    """Asks all servers, again and again, and calls ``found`` with the first that can write.

    Each has ``timeout`` seconds to answer; before each round it waits, twice as long each time up
    to ten seconds.
    """

    def __init__(
        self,
        clock: IReactorTime,
        hosts: Sequence[Host],
        endpoint: Endpoint,
        timeout: float,
        found: Callable[[Host], None],
    ) -> None:
        self._clock = clock
        self._hosts = hosts
        self._endpoint = endpoint
        self._timeout = timeout
        self._found = found
        self._stopped = False
        self._search = Deferred.fromCoroutine(self._run())
        self._search.addErrback(lambda failure: failure.trap(CancelledError))

    def stop(self) -> None:
        """End the search."""
        self._stopped = True
        self._search.cancel()

    async def _run(self) -> None:
        delay = _FIRST_DELAY
        while not self._stopped:
            await deferLater(self._clock, delay)
            for host in self._hosts:
                if await self._can_write(host) and not self._stopped:
                    self._stopped = True
                    self._found(host)
                    return
            delay = min(2 * delay, _LONGEST_DELAY)

    async def _can_write(self, host: Host) -> bool:
        question = _Question()
        connecting = self._endpoint(host.name, host.port).connect(Only(question))
        try:
            await connecting.addTimeout(self._timeout, self._clock)
            await question.answered.addTimeout(self._timeout, self._clock)
        # Whatever a server does instead of answering, and being cancelled too: see ``_stopped``.
        except Exception:
            question.hang_up()
            return False
        return question.answer.startswith(b"rw")
