"""The admin protocol's way between machines: TLS, with both sides proving who they are.

Here OpenSSL is loaded, so an agent imports this only when it is told to listen so.
"""

from collections.abc import Callable
from typing import Any, Final

from OpenSSL import SSL
from twisted.internet.interfaces import (
    IAddress,
    IHandshakeListener,
    IOpenSSLServerConnectionCreator,
    IProtocolFactory,
    IReactorTime,
)
from twisted.internet.protocol import connectionDone
from twisted.internet.ssl import (
    Certificate,
    CertificateOptions,
    PrivateCertificate,
    TLSVersion,
    trustRootFromCertificates,
)
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from pop.authority import Authority
from pop.reception import Complaints, Visitors

_STRICTER: Final = (
    SSL.OP_NO_TICKET  # who comes back proves anew who they are, when they may no longer be it
    | SSL.OP_NO_RENEGOTIATION  # which costs us more than them
    | SSL.OP_NO_COMPRESSION
)
STRANGERS: Final = 50
"""Connections at a time of those who have yet to prove who they are."""


@implementer(IOpenSSLServerConnectionCreator)
class Porter:
    """Lets in whom the cluster's authority vouches for; an agent has one.

    Its own certificate is made anew for the first who comes when half of its time is over.

    @param wall: seconds since the epoch.
    """

    def __init__(self, machine: str, wall: Callable[[], float]) -> None:
        self._machine = machine
        self._wall = wall
        self._authority: Authority | None = None
        self._context: SSL.Context | None = None
        self._stale = 0.0

    @property
    def open(self) -> bool:
        """Whether there is anybody who could vouch for those who come."""
        return self._authority is not None

    def trust(self, authority: Authority | None) -> None:
        """Believe this authority from now on, and no other."""
        if authority != self._authority:
            self._authority = authority
            self._context = None

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """See L{IOpenSSLServerConnectionCreator}."""
        now = self._wall()
        if self._context is None or now >= self._stale:
            assert self._authority is not None, "see Entrance"
            certificate = self._authority.agent(self._machine, now)
            self._context = _context(self._authority.pem, certificate.pem)
            self._stale = certificate.stale
        return SSL.Connection(self._context, None)


def _context(authority: bytes, certificate: bytes) -> SSL.Context:
    own = PrivateCertificate.loadPEM(certificate)
    context: SSL.Context = CertificateOptions(
        privateKey=own.privateKey.original,
        certificate=own.original,
        trustRoot=trustRootFromCertificates([Certificate.loadPEM(authority)]),
        raiseMinimumTo=TLSVersion.TLSv1_2,
    ).getContext()
    context.set_options(_STRICTER)
    return context


class Entrance(TLSMemoryBIOFactory):
    """A factory of protocols behind TLS; while nobody can be trusted, nobody gets one.

    @param most: strangers at a time: when another comes, the one who came first has to go; so
        whoever can prove who they are, which takes no time, gets in among any number who cannot.
    """

    noisy = False

    def __init__(
        self,
        porter: Porter,
        visitors: Visitors,
        complaints: Complaints,
        clock: IReactorTime,
        most: int = STRANGERS,
    ) -> None:
        self._strangers = Strangers(visitors, complaints, most)
        self._porter = porter
        self._visitors = visitors
        super().__init__(porter, False, self._strangers, clock)

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """See L{IProtocolFactory.buildProtocol}."""
        if not self._porter.open:
            return None
        self._strangers.make_room()
        return None if self._visitors.full() else super().buildProtocol(addr)


@implementer(IHandshakeListener)
class Stranger(ProtocolWrapper):
    """Somebody who is connected, until TLS has it that they are who they say."""

    factory: "Strangers"

    def handshakeCompleted(self) -> None:
        """See L{IHandshakeListener}: the certificate was verified before."""
        self.factory.proven(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """They are gone; it is said why, if TLS did not let them in."""
        self.factory.gone(self, reason)
        super().connectionLost(reason)


class Strangers(WrappingFactory[Stranger]):
    """Those who have yet to prove who they are."""

    noisy = False
    protocol = Stranger

    def __init__(self, factory: IProtocolFactory, complaints: Complaints, most: int) -> None:
        super().__init__(factory)
        self._complaints = complaints
        self._most = most
        self._waiting: dict[Stranger, None] = {}  # in the order in which they came

    def registerProtocol(self, p: Stranger) -> None:
        """Somebody has come."""
        super().registerProtocol(p)
        self._waiting[p] = None

    def make_room(self) -> None:
        """For one more; who has been here for longest without proving anything has to go."""
        if len(self._waiting) >= self._most:
            self._complaints.add(f"there are {self._most} already who prove nothing")
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            oldest.abortConnection()

    def proven(self, who: Stranger) -> None:
        """No stranger any more."""
        self._waiting.pop(who, None)

    def gone(self, who: Stranger, reason: Failure) -> None:
        """Somebody has left, or was not let in."""
        if self._waiting.pop(who, who) is None and isinstance(reason.value, SSL.Error):
            self._complaints.add(f"TLS failed ({_words(reason.value)})")


def _words(error: SSL.Error) -> str:
    """What OpenSSL says."""
    return str(error.args[0][-1][-1]) if error.args and error.args[0] else "no reason given"
