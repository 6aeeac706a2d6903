"""The way to agents on other machines, for whoever the cluster's authority vouches for."""

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.endpoints import connectProtocol
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.task import deferLater

from pop.authority import Authority, server_name
from pop.errors import AgentLost, AgentSilent
from pop.protocols.asking import Administrator, Asking
from pop.race import Race
from txzookeeper.dialer import Endpoint
from txzookeeper.errors import ConnectionException
from txzookeeper.tls import tls_endpoint

PATIENCE: Final = 10.0
"""Seconds that an agent has to say who it is."""
HEAD_START: Final = 0.3
"""Seconds that one of its addresses has before the next is tried as well."""

HUNG_UP: Final = 10
"""So often an agent may hang up at once before it is given up."""
Way = Callable[[], Deferred[Administrator]]


class Remote:
    """Reaches agents by TLS.

    @param who: C{user@host}, as they say themselves.
    @param wall: seconds since the epoch.
    """

    def __init__(
        self, reactor: Any, authority: Authority, who: str, wall: Callable[[], float]
    ) -> None:
        self._reactor = reactor
        self._authority = authority
        self._who = who
        self._wall = wall
        self._certificate = authority.administrator(who, wall())

    async def administrator(
        self, machine: str, hosts: Sequence[str], port: int, patience: float = PATIENCE
    ) -> Administrator:
        """Whoever proves to be the machine's agent at one of these hosts, and lets us in.

        @raise AgentSilent: none does; says why, of the host that was tried last.
        """
        ways = [partial(self._begin, machine, host, port) for host in hosts]
        where = f"{' or '.join(hosts) or 'any host'}, port {port}"
        try:
            if not ways:
                raise ConnectError(string="it says none")
            reaching = Deferred.fromCoroutine(self._reach(ways))
            return await reaching.addTimeout(patience, self._reactor)
        except TimeoutError as error:
            reason = f"not within {patience:g} seconds"
            raise AgentSilent(machine=machine, where=where, reason=reason) from error
        except (ConnectError, ConnectionException, DNSLookupError, AgentLost) as error:
            raise AgentSilent(machine=machine, where=where, reason=_reason(error)) from error

    async def _reach(self, ways: Sequence[Way]) -> Administrator:
        """Begin again if an agent hangs up at once: it does so when it is overrun by strangers."""
        for _ in range(HUNG_UP):
            with contextlib.suppress(AgentLost):
                return await Race(self._reactor, HEAD_START, ways).run()
            await deferLater(self._reactor, HEAD_START)
        return await Race(self._reactor, HEAD_START, ways).run()

    def _begin(self, machine: str, host: str, port: int) -> Deferred[Administrator]:
        return Deferred.fromCoroutine(self._try(machine, host, port))

    async def _try(self, machine: str, host: str, port: int) -> Administrator:
        """One of its addresses: whoever is there has to prove who they are."""
        connection = Asking(self._reactor)
        await connectProtocol(self._endpoint(machine)(host, port), connection)
        found = Administrator(connection, machine)
        try:
            await found.greet()
        except BaseException:
            connection.transport.abortConnection()  # type: ignore[union-attr]  # it is connected
            raise
        return found

    def _endpoint(self, machine: str) -> Endpoint:
        if self._wall() >= self._certificate.stale:
            self._certificate = self._authority.administrator(self._who, self._wall())
        return tls_endpoint(
            self._reactor,
            authority=self._authority.pem,
            certificate=self._certificate.pem,
            hostname=server_name(machine),
        )


def _reason(error: Exception) -> str:
    """Why it is not reached, without what the errors of Twisted say of themselves."""
    return str(error).rstrip(".")
