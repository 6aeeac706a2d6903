"""Tests for L{pop.authority}: who vouches for agents and administrators."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.trial.unittest import SynchronousTestCase

from pop.authority import ADMINISTRATOR, Authority, server_name
from pop.errors import BadAuthority

NOW = 1_700_000_000.0
BEGIN = datetime.fromtimestamp(NOW, UTC)
IDENTITY = "us:secret"


def clear(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A key as anybody can read it."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


class SealTests(SynchronousTestCase):
    """The authority in ZooKeeper is that of whoever knows the identity."""

    def setUp(self) -> None:
        self.authority = Authority.make(NOW)
        self.sealed = self.authority.seal(IDENTITY)

    def refused(self, sealed: bytes, identity: str = IDENTITY) -> str:
        """Why it is not believed."""
        error = self.assertRaises(BadAuthority, Authority.open, "/authority", sealed, identity)
        return str(error)

    def test_opened(self) -> None:
        """Whoever knows the identity has it back whole, be the identity ever so strange."""
        for identity in (IDENTITY, "ü:" + "long" * 1000, "a:b:c "):
            opened = Authority.open("/authority", self.authority.seal(identity), identity)
            self.assertEqual(self.authority.certificate, opened.certificate)
            self.assertEqual(clear(self.authority.key), clear(opened.key))

    def test_another_identity(self) -> None:
        """Nobody else has its key."""
        self.assertIn("not sealed by this", self.refused(self.sealed, "us:another"))

    def test_no_secret_in_clear(self) -> None:
        """What lies there shows neither the key nor the identity."""
        self.assertIn(b"BEGIN ENCRYPTED PRIVATE KEY", self.sealed)
        self.assertNotIn(b"secret", self.sealed)
        self.assertNotIn(clear(self.authority.key).splitlines()[1], self.sealed)

    def test_planted(self) -> None:
        """One that was put there by somebody who does not know the identity is not believed."""
        planted = Authority.make(NOW)
        self.assertIn("not sealed", self.refused(planted.pem + clear(planted.key)))
        self.assertIn("not sealed", self.refused(planted.seal("them:guess")))
        self.assertIn(
            "certificate", self.refused(self.sealed.replace(self.authority.pem, planted.pem))
        )

    def test_garbage(self) -> None:
        """What is no authority at all is named as such."""
        for garbage in (b"", b"{}", self.sealed[:300], self.authority.pem, b"\xff" * 100):
            self.assertIn("/authority", self.refused(garbage))


class CertificateTests(SynchronousTestCase):
    """What it vouches for."""

    def setUp(self) -> None:
        self.authority = Authority.make(NOW)

    def test_agent(self) -> None:
        """An agent's certificate is for its machine's name, as a server, and for a day."""
        pem = self.authority.agent("m1", NOW).pem
        found = x509.load_pem_x509_certificate(pem)
        found.verify_directly_issued_by(self.authority.certificate)
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual([server_name("m1")], names.get_values_for_type(x509.DNSName))
        self.assertEqual(
            datetime.fromtimestamp(NOW, UTC) + timedelta(days=1), found.not_valid_after_utc
        )

    def test_administrator(self) -> None:
        """An administrator's says who they are, is no server's, and good for an hour."""
        found = x509.load_pem_x509_certificate(self.authority.administrator("me@here", NOW).pem)
        self.assertIn("CN=me@here", found.subject.rfc4514_string())
        usage = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        self.assertEqual([ADMINISTRATOR], list(usage))
        self.assertEqual(
            datetime.fromtimestamp(NOW, UTC) + timedelta(hours=1), found.not_valid_after_utc
        )

    def test_clocks_differ(self) -> None:
        """It is good a while before it was made: another machine's clock may be behind."""
        found = x509.load_pem_x509_certificate(self.authority.agent("m1", NOW).pem)
        self.assertEqual(BEGIN - timedelta(hours=1), found.not_valid_before_utc)

    def test_vouches_for_nobody(self) -> None:
        """Whoever has a certificate can make no others by it."""
        for issued in (self.authority.agent("m1", NOW), self.authority.administrator("me", NOW)):
            found = x509.load_pem_x509_certificate(issued.pem)
            basic = found.extensions.get_extension_for_class(x509.BasicConstraints).value
            usage = found.extensions.get_extension_for_class(x509.KeyUsage).value
            self.assertEqual((False, False), (basic.ca, usage.key_cert_sign))

    def test_stale(self) -> None:
        """It is to be replaced when half of its time is over."""
        self.assertEqual(NOW + 43200, self.authority.agent("m1", NOW).stale)

    def test_any_machine(self) -> None:
        """A machine's id may be long and in any script; each has another name."""
        ids = ("m1", "m 2", "Maschine für alles", "x" * 200, "机器", "*", "m1.machine.pop")
        self.assertEqual(len(ids), len({server_name(machine) for machine in ids}))
        for machine in ids:
            pem = self.authority.agent(machine, NOW).pem
            self.assertTrue(x509.load_pem_x509_certificate(pem))

    def test_lasts(self) -> None:
        """The authority is good for as long as its namespace."""
        self.assertEqual(9999, self.authority.certificate.not_valid_after_utc.year)
