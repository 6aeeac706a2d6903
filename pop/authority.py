"""The cluster's certificate authority: who vouches for its agents and its administrators.

Whoever knows the admin identity can use it, and nobody else: its key lies in ZooKeeper under that
identity's ACL, and is encrypted by it besides. So whoever gets hold of a backup has no key yet, and
whoever can put another node in its place has nothing there that would be believed.

Certificates are short-lived, since nothing revokes them; an authority lives as long as its
namespace.
"""

import hashlib
from dataclasses import field
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pop.errors import BadAuthority
from pop.frozen import frozen

AGENT: Final = ExtendedKeyUsageOID.SERVER_AUTH
"""The purpose of an agent's certificate."""
ADMINISTRATOR: Final = ExtendedKeyUsageOID.CLIENT_AUTH
"""The purpose of an administrator's."""
AGENT_LIFE: Final = 86400.0
"""Seconds that an agent's certificate is good for; it gets another one in good time."""
ADMINISTRATOR_LIFE: Final = 3600.0
"""Seconds that an administrator's is: long enough for a command to reach every machine."""
SKEW: Final = timedelta(hours=1)
"""How much two clocks may differ."""
_NEVER: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)  # RFC 5280, 4.1.2.5
_LONGEST_NAME: Final = 64  # X.520, ub-common-name
_CURVE: Final = ec.SECP256R1


def server_name(machine: str) -> str:
    """What a machine's agent is called in its certificate.

    A machine's id may be what no name of a server can be: long, in any script, with spaces.
    """
    return f"{hashlib.sha256(machine.encode()).hexdigest()[:40]}.machine.pop"


@frozen
class Certificate:
    """Somebody's proof of who they are.

    @ivar pem: the private key, which is in no file, and the certificate.
    @ivar stale: when to get another one, in seconds since the epoch; it is good for a while then.
    """

    pem: bytes = field(repr=False)
    stale: float


@frozen
class Authority:
    """A key, and the certificate by which others know it."""

    key: ec.EllipticCurvePrivateKey = field(repr=False, compare=False)
    certificate: x509.Certificate

    @classmethod
    def make(cls, now: float) -> "Authority":
        """A new one.

        @param now: seconds since the epoch.
        """
        key = ec.generate_private_key(_CURVE())
        name = _name("authority of this cluster")
        certificate = (
            _builder(name, name, key, now)
            .not_valid_after(_NEVER)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(vouches=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate)

    @property
    def pem(self) -> bytes:
        """What everybody may know of it: its certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def seal(self, identity: str) -> bytes:
        """All of it, for whoever knows the identity."""
        return self.pem + self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(_passphrase(identity)),
        )

    @classmethod
    def open(cls, path: str, sealed: bytes, identity: str) -> "Authority":
        """What was sealed.

        @param path: where it was found, for the message.
        @raise BadAuthority: it is none, or was sealed by another identity.
        """
        try:
            key = serialization.load_pem_private_key(sealed, _passphrase(identity))
            certificate = x509.load_pem_x509_certificate(sealed)
        # TypeError, if it is not sealed at all: then anybody may have put it there
        except (ValueError, TypeError) as error:
            reason = "it is not sealed by this admin identity"
            raise BadAuthority(path=path, reason=reason) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise BadAuthority(path=path, reason="its key is of another kind than pop makes")
        if certificate.public_key() != key.public_key():
            raise BadAuthority(path=path, reason="its key is not that of its certificate")
        return cls(key, certificate)

    def agent(self, machine: str, now: float, life: float = AGENT_LIFE) -> Certificate:
        """A certificate for the agent of a machine."""
        names = x509.SubjectAlternativeName([x509.DNSName(server_name(machine))])
        return self._issue(machine, AGENT, now, life, names)

    def administrator(self, who: str, now: float, life: float = ADMINISTRATOR_LIFE) -> Certificate:
        """A certificate for whoever wants to ask something of agents.

        @param who: C{user@host}, as they say themselves.
        """
        return self._issue(who, ADMINISTRATOR, now, life)

    def _issue(
        self,
        who: str,
        purpose: x509.ObjectIdentifier,
        now: float,
        life: float,
        *extensions: x509.ExtensionType,
    ) -> Certificate:
        key = ec.generate_private_key(_CURVE())
        ours = self.key.public_key()
        builder = (
            _builder(_name(who), self.certificate.subject, key, now)
            .not_valid_after(_time(now + life))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(vouches=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ours), False)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        pem = private + certificate.public_bytes(serialization.Encoding.PEM)
        return Certificate(pem, now + life / 2)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: float
) -> x509.CertificateBuilder:
    """What all certificates have in common."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_time(now) - SKEW)
    )


def _usage(*, vouches: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not vouches,
        key_cert_sign=vouches,
        crl_sign=vouches,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _passphrase(identity: str) -> bytes:
    """Of a length that OpenSSL takes, whatever the identity's."""
    return hashlib.sha256(f"authority of pop {identity}".encode()).hexdigest().encode()


def _name(who: str) -> x509.Name:
    """A name for people; what is believed is the signature."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "pop"),
            x509.NameAttribute(NameOID.COMMON_NAME, who[:_LONGEST_NAME] or "nobody"),
        ]
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
