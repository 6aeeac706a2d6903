"""Where calls may be answered, and to where they may be made."""

from twisted.trial.unittest import SynchronousTestCase

from pop.components.remote.errors import BadAddress, OpenAddress, OpenWay
from pop.components.remote.places import place, way
from pop.test.networks import Network


class PlaceTests(SynchronousTestCase):
    """Where calls may be answered."""

    def test_private(self) -> None:
        """Where only those come who may: by the rights of a file, or by a secret that nobody can
        read along."""
        reactor = Network()
        for address, secret in (
            ("unix:/x", False),
            ("unix:/x:mode=660", False),
            ("unix:/x:mode=666", True),
            ("tcp:9000:interface=127.0.0.1", True),
            ("tcp6:9000:interface=\\:\\:1", True),
        ):
            self.assertTrue(place(reactor, address, secret), address)
        for address, secret in (
            ("unix:/x:mode=666", False),
            ("tcp:9000", True),
            ("tcp:9000:interface=0.0.0.0", True),
            ("tcp:9000:interface=127.0.0.1", False),
            ("tcp:9000:interface=127.0.0.1:interface=0.0.0.0", True),
            ("unix:/x:mode=0o666", False),
            ("unix:/x:mode=0_666", False),
            ("unix:/x:mo\\de=666", False),
            ("unix:/x:mode=600:mode=666", False),
            ("unix:\0x", False),
        ):
            self.assertRaises(OpenAddress, place, reactor, address, secret)

    def test_bad(self) -> None:
        """What is no address is refused with a reason."""
        reactor = Network()
        for address in ("", "nonsense:1", "unix", "tcp:port", "ssl:1:privateKey=/nowhere"):
            self.assertRaises(BadAddress, place, reactor, address, True)
        for address in ("", "nonsense:1", "unix", "tcp:localhost"):
            self.assertRaises(BadAddress, way, reactor, address)

    def test_overheard(self) -> None:
        """Nor are calls made where others could read along."""
        reactor = Network()
        for address in ("tcp:example.org:9000", "tcp:10.0.0.1:9000", "tcp:127.0.0.1.org:9000"):
            self.assertRaises(OpenWay, way, reactor, address)
        for address in (
            "TCP:192.0.2.1:9000",
            "t\\cp:192.0.2.1:9000",
            "tcp:9000:host=127.0.0.1:host=192.0.2.1",
            "tcp:192.0.2.1:9000:host=127.0.0.1",
            "unix:\0x",
            "unix:/x:/y:path=\0z",
            "ssl:example.org:9000",
            "SSL:example.org:9000:hostname=example.org",
        ):
            self.assertRaises(OpenWay, way, reactor, address)
        for address in ("tcp:127.0.0.1:9000", "tcp:localhost:port=9000", "tcp:\\:\\:1:9000"):
            self.assertTrue(way(reactor, address))
        verified = f"ssl:example.org:9000:hostname=example.org:caCertsDir={self.mktemp()}"
        self.assertRaises(BadAddress, way, reactor, verified)
        for address in (
            "UNIX:/x",
            "unix:path=/x",
            "tls:example.org:9000",
            "tcp:9000:host=127.0.0.1",
        ):
            self.assertTrue(way(reactor, address))
