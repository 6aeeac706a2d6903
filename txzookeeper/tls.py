"""The encrypted way to the servers: TLS with verified names, on Twisted's own endpoints.

``tls_endpoint`` makes what a client takes as its ``endpoint``; the servers it names are then those
of ``secureClientPort``. What a server thinks of the client's certificate (``ssl.clientAuth``, the
scheme ``x509``) is known from its answers alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final, TypeVar

from OpenSSL import SSL, crypto
from service_identity import VerificationError
from service_identity.exceptions import CertificateError
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import VerifyError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import connectionDone
from twisted.internet.ssl import (
    Certificate,
    PrivateCertificate,
    optionsForClientTLS,
    platformTrust,
    trustRootFromCertificates,
)
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from txzookeeper.dialer import Endpoint
from txzookeeper.errors import ConnectionException

T = TypeVar("T")

_CERTIFICATE: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL
)


def tls_endpoint(
    reactor: Any,
    *,
    authority: bytes | None = None,
    certificate: bytes | None = None,
    hostname: str | None = None,
) -> Endpoint:
    """Give the way to servers that prove who they are, for a client's ``endpoint``.

    All is PEM: ``authority`` holds the certificates of those who may vouch for a server (None:
    those that this machine trusts), ``certificate`` the client's private key and its certificate
    with those between it and the authority. A server's certificate has to be for the name or
    address it is dialled by, or for ``hostname``. Raises ``ValueError`` for what is no PEM, for a
    key under a passphrase (nobody is there to type it), and for a key of another certificate.
    """
    trust = platformTrust() if authority is None else _trust(authority)
    ours = {} if certificate is None else _identity(certificate)

    @cache
    def options(name: str) -> Any:
        return optionsForClientTLS(name, trust, extraCertificateOptions=dict(ours))

    def endpoint(host: str, port: int) -> IStreamClientEndpoint:
        name = hostname or host
        below = HostnameEndpoint(reactor, host, port)
        return _Encrypted(wrapClientTLS(options(name), below, reactor), name)

    return endpoint


def _certificates(pem: bytes) -> list[Certificate]:
    found: list[Certificate] = [Certificate.loadPEM(each) for each in _CERTIFICATE.findall(pem)]
    if not found:
        raise ValueError("There is no certificate in it; PEM is expected.")
    return found


def _trust(pem: bytes) -> Any:
    return _checked("authority", lambda: trustRootFromCertificates(_certificates(pem)))


def _identity(pem: bytes) -> dict[str, Any]:
    def read() -> dict[str, Any]:
        if b"ENCRYPTED" in pem:
            raise ValueError("The private key is under a passphrase.")
        _, *others = _certificates(pem)
        own = PrivateCertificate.loadPEM(pem)
        return {
            "privateKey": own.privateKey.original,
            "certificate": own.original,
            "extraCertChain": [each.original for each in others],
        }

    return _checked("certificate", read)


def _checked(argument: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except (ValueError, VerifyError, crypto.Error) as error:
        raise ValueError(f"The {argument} cannot be used: {error}") from error


@implementer(IStreamClientEndpoint)
class _Encrypted:
    """An endpoint whose failures are told in words."""

    def __init__(self, endpoint: IStreamClientEndpoint, name: str) -> None:
        self._endpoint = endpoint
        self._name = name

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect; the handshake goes on behind the protocol's back."""
        connecting: Deferred[Any] = self._endpoint.connect(_Factory(protocolFactory, self._name))
        return connecting.addCallback(lambda told: told.wrappedProtocol)


class _Told(ProtocolWrapper):
    """Stands between TLS and a protocol, to say why the connection was lost."""

    factory: _Factory

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(_in_words(reason, self.factory.name))


class _Factory(WrappingFactory[_Told]):
    noisy = False
    protocol = _Told

    def __init__(self, factory: IProtocolFactory, name: str) -> None:
        super().__init__(factory)
        self.name = name


def _in_words(reason: Failure, name: str) -> Failure:
    error = reason.value
    if isinstance(error, VerificationError | CertificateError):
        return _failure(f"the server's certificate is not for {name}.")
    if not isinstance(error, SSL.Error):
        return reason
    said = ", ".join(str(entry[-1]) for entry in error.args[0]) if error.args else "no reason"
    if "certificate verify failed" in said:
        return _failure("no authority that we trust vouches for the server's certificate.")
    if "alert" in said:
        return _failure(f"the server refused TLS with us ({said}).")
    return _failure(f"TLS failed ({said}).")


def _failure(message: str) -> Failure:
    return Failure(ConnectionException(message=message))
