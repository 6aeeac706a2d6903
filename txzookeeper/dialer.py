"""Finding a server that answers: one after the other, with back-off and jitter between rounds."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final, NoReturn, TypeVar

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.interfaces import IAddress, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater

from txzookeeper.errors import ConnectionException, ConnectionTimeoutException
from txzookeeper.hosts import Host
from txzookeeper.protocol import ZookeeperProtocol
from txzookeeper.records import ConnectResponse

Endpoint = Callable[[str, int], IStreamClientEndpoint]
"""(host, port): gives the way there."""


def plain_endpoint(reactor: Any) -> Endpoint:
    """Give the way over plain TCP; a name is looked up, an address is not."""
    # Here, as it takes OpenSSL in where it can: see ``txzookeeper.aside``.
    from twisted.internet.endpoints import (
        HostnameEndpoint,
        TCP4ClientEndpoint,
        TCP6ClientEndpoint,
    )

    def way(host: str, port: int) -> IStreamClientEndpoint:
        if isIPAddress(host):
            return TCP4ClientEndpoint(reactor, host, port)
        if isIPv6Address(host):
            return TCP6ClientEndpoint(reactor, host, port)
        return HostnameEndpoint(reactor, host, port)

    return way


T = TypeVar("T")

Reached = tuple[ZookeeperProtocol, ConnectResponse]

_FIRST_DELAY: Final = 0.05
_MOST_DOUBLINGS: Final = 16


class Only(Factory):
    """Gives the one protocol, without saying so in the log at each attempt."""

    noisy = False

    def __init__(self, protocol: Protocol) -> None:
        self._only = protocol

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """Give it."""
        return self._only


class Dialer:
    """Dials the servers in turn until one says hello.

    The order is shuffled once, so that clients spread over the servers; names are looked up
    anew at each attempt. The first round starts at once; before each further one it waits, twice
    as long each time up to ``longest_delay`` (seconds), less up to half of it by chance, so
    that the clients of a restarted server do not all come at the same moment.
    """

    def __init__(
        self,
        clock: IReactorTime,
        hosts: tuple[Host, ...],
        endpoint: Endpoint,
        chance: Random,
        attempt_timeout: float,
        longest_delay: float,
    ) -> None:
        self.reason: Exception = ConnectionException(message="No server was tried yet.")
        self.host = hosts[0]
        self.endpoint = endpoint
        self.attempt_timeout = attempt_timeout
        self._clock = clock
        self._hosts = list(hosts)
        chance.shuffle(self._hosts)
        self._chance = chance
        self._longest_delay = longest_delay
        self._rounds = 0

    def healthy(self) -> None:
        """Forget the back-off, as the last connection did work."""
        self._rounds = 0

    @property
    def hosts(self) -> tuple[Host, ...]:
        """The servers, in the order in which they are tried."""
        return tuple(self._hosts)

    def prefer(self, host: Host) -> None:
        """Try this server first, and without delay."""
        self._hosts.remove(host)
        self._hosts.insert(0, host)
        self.healthy()

    def dial(
        self, make: Callable[[], ZookeeperProtocol], failed: Callable[[Exception], bool]
    ) -> Deferred[Reached]:
        """Connect to some server; ends only by success or by being cancelled.

        ``make`` gives the protocol of each attempt, ``failed`` is told why one came to nothing,
        and says whether to go on. Once cancelled, the Deferred fires when the socket is gone.
        """
        return Deferred.fromCoroutine(self._dial(make, failed))

    async def _dial(
        self, make: Callable[[], ZookeeperProtocol], failed: Callable[[Exception], bool]
    ) -> Reached:
        while True:
            await self._pause()
            for _ in self._hosts:
                self.host = self._next()
                try:
                    return await self._attempt(self.host, make())
                except Exception as error:
                    if isinstance(error, (CancelledError, ConnectingCancelledError)):
                        raise CancelledError from error
                    self.reason = _named(error, self.host)
                    # A cancelled look-up of a name looks like a failed one: hence the question.
                    if not failed(self.reason):
                        raise CancelledError from error

    async def _pause(self) -> None:
        if self._rounds:
            doublings = min(self._rounds, _MOST_DOUBLINGS)
            delay = min(self._longest_delay, _FIRST_DELAY * 2**doublings)
            await deferLater(self._clock, delay * (1 - self._chance.random() / 2))
        self._rounds += 1

    def _next(self) -> Host:
        host = self._hosts.pop(0)
        self._hosts.append(host)
        return host

    async def _attempt(self, host: Host, protocol: ZookeeperProtocol) -> Reached:
        endpoint = self.endpoint(host.name, host.port)
        await self._within(endpoint.connect(Only(protocol)))
        try:
            return protocol, await self._within(protocol.established)
        except Exception as error:
            protocol.abort(error)
            await protocol.closed
            raise

    def _within(self, waiting: Deferred[T]) -> Deferred[T]:
        return waiting.addTimeout(self.attempt_timeout, self._clock, self._late)

    def _late(self, result: object, seconds: float) -> NoReturn:
        raise ConnectionTimeoutException(message=f"No answer within {seconds:g} s.")


def _named(error: Exception, host: Host) -> ConnectionException:
    said = str(error) or type(error).__name__
    kind = type(error) if isinstance(error, ConnectionException) else ConnectionException
    return kind(message=f"{host}: {said}")
