"""Tests for L{pop.address}: where an agent can be administered from other machines."""

from twisted.trial.unittest import SynchronousTestCase

from pop.address import Address, address
from pop.errors import BadAdmin

ADDRESSES = ("10.0.0.1", "fd00::1")


class AddressTests(SynchronousTestCase):
    """C{--admin}."""

    def test_read(self) -> None:
        """A port is enough; where to listen, and how others get there, may be said too."""
        for text, expected in (
            ("tls:80", Address("tcp:80", 80, "0.0.0.0")),
            ("tls:80:interface=::1", Address("tcp:80:interface=::1", 80, "::1")),
            ("tls:80:interface=10.0.0.1:host=a.example", None),
            ("tls:80:host=[fd00::1]", Address("tcp:80", 80, "0.0.0.0", "fd00::1")),
        ):
            found = address(text)
            self.assertEqual(expected or found, found)

    def test_refused(self) -> None:
        """What makes no sense is refused with what would."""
        for text in ("", "80", "tcp:80", "tls:", "tls:0", "tls:65536", "tls:80:interface=eth0"):
            self.assertIn("tls:PORT", str(self.assertRaises(BadAdmin, address, text)))

    def test_hosts(self) -> None:
        """Others look for it where they are told to, else where it listens, else everywhere."""
        for text, expected in (
            ("tls:80:interface=10.0.0.9:host=a.example", ["a.example"]),
            ("tls:80:interface=10.0.0.9", ["10.0.0.9"]),
            ("tls:80", ["name", "10.0.0.1"]),
            ("tls:80:interface=::", ["name", "fd00::1"]),
        ):
            self.assertEqual(expected, address(text).hosts("name", ADDRESSES), text)
