"""Tests for L{pop.trust}: the authority in ZooKeeper, and who follows it."""

from twisted.logger import capturedLogs

from pop.authority import Authority
from pop.errors import BadAuthority, NoAuthority, NoIdentity, Unprotected
from pop.namespace import init
from pop.test.clusters import ClusterTestCase
from pop.trust import LOOK_AGAIN, Trust, authority
from txzookeeper import make_digest_acl
from txzookeeper.errors import NoAuthException

IDENTITY = "us:secret"
PATH = "/ours/authority"


def make() -> Authority:
    """A new one."""
    return Authority.make(1_700_000_000.0)


class TrustTestCase(ClusterTestCase):
    """A namespace that an identity protects."""

    def begin(self) -> None:
        super().begin()
        self.ours = self.connect(identity=IDENTITY, prefix="/ours")
        self.made = make()

    def init(self, identity: str | None = IDENTITY, *, sealed: bool = True) -> None:
        """Make it, or make it anew."""
        data = self.made.seal(identity) if identity and sealed else None
        self.run_(init(self.ours, force=True, identity=identity, authority=data))


class AuthorityTests(TrustTestCase):
    """Reading it."""

    def test_read(self) -> None:
        """C{pop init} makes it; whoever has the identity can use it, and nobody else read it."""
        self.init()
        self.assertEqual(self.made, self.run_(authority(self.ours, IDENTITY)))
        found, _ = self.run_(self.ours.client.get_acl(PATH))
        self.assertEqual([make_digest_acl("us", "secret")], found)
        for other in (self.connect(prefix="/ours"), self.connect(prefix="/ours", identity="us:x")):
            self.fails(NoAuthException, authority(other, IDENTITY))
            self.fails(NoAuthException, other.client.set(PATH, b""))

    def test_nobody(self) -> None:
        """Without an identity there is nothing to prove oneself by."""
        self.init()
        self.assertIn("--admin-identity", str(self.fails(NoIdentity, authority(self.ours, None))))

    def test_open_to_everybody(self) -> None:
        """A namespace without an identity has none, and none is made, whoever asks."""
        self.init(identity=None)
        self.assertIsNone(self.data(PATH))
        error = self.fails(Unprotected, authority(self.ours, IDENTITY, make))
        self.assertIn("pop init --admin-identity", str(error))
        self.assertIsNone(self.data(PATH))

    def test_made_when_needed(self) -> None:
        """A namespace that is older than authorities gets one, by whoever needs it first."""
        self.init(sealed=False)
        self.fails(NoAuthority, authority(self.ours, IDENTITY))
        made = self.run_(authority(self.ours, IDENTITY, make))
        again = self.run_(authority(self.ours, IDENTITY, make))
        self.assertEqual(made.certificate, again.certificate)
        found, _ = self.run_(self.ours.client.get_acl(PATH))
        self.assertEqual([make_digest_acl("us", "secret")], found)

    def test_planted(self) -> None:
        """Where anybody may make nodes, one that others have put there is not believed."""
        self.init(sealed=False)
        self.put(PATH, make().seal("them:guess"))
        self.fails(BadAuthority, authority(self.ours, IDENTITY, make))
        self.init()
        self.assertEqual(self.made, self.run_(authority(self.ours, IDENTITY)))

    def test_reset(self) -> None:
        """With another identity there is another authority; with none, none."""
        self.init()
        self.made = make()
        self.init("us:changed")
        changed = self.connect(identity="us:changed", prefix="/ours")
        self.assertEqual(self.made, self.run_(authority(changed, "us:changed")))
        self.ours = changed
        self.init(None)
        self.assertIsNone(self.data(PATH))


class FollowTests(TrustTestCase):
    """Following it."""

    def begin(self) -> None:
        super().begin()
        self.learned: list[Authority | None] = []
        self.network = self.server.network()
        agent = self.connect(self.network, identity=IDENTITY, prefix="/ours")
        self.trust = Trust(agent, IDENTITY, make, self.learned.append)

    def end(self) -> None:
        self.trust.stop()
        super().end()

    def follow(self) -> None:
        """Begin."""
        self.trust.follow()
        self.server.settle()

    def last(self) -> bytes | None:
        """By which certificate the one is known that was learned last."""
        found = self.learned[-1]
        return found.pem if found else None

    def test_followed(self) -> None:
        """It is learned at once, and again when the namespace is made anew."""
        self.init()
        self.follow()
        self.assertEqual([self.made.pem], [found and found.pem for found in self.learned])
        self.made = make()
        self.init()
        self.server.settle()
        self.assertEqual(self.made.pem, self.last())

    def test_lost(self) -> None:
        """If the node is lost it is made again, so that administrators can get in."""
        self.init()
        self.follow()
        self.run_(self.ours.client.delete(PATH))
        self.server.settle()
        self.assertEqual(self.last(), self.run_(authority(self.ours, IDENTITY)).pem)

    def test_away(self) -> None:
        """A change while ZooKeeper is away is learned when it is back."""
        self.init()
        self.follow()
        self.network.refuse_connections()
        self.network.drop_connections()
        self.made = make()
        self.init()
        self.network.accept_connections()
        self.server.advance(10)
        self.assertEqual(self.made.pem, self.last())

    def test_not_believed(self) -> None:
        """While there is none to be believed nobody is trusted, which is said once."""
        self.init(identity=None)
        with capturedLogs() as logged:
            self.follow()
            self.server.advance(5 * LOOK_AGAIN)
        self.assertEqual({None}, set(self.learned))
        [said] = [event["error"] for event in logged if "Nobody is let in" in event["log_format"]]
        self.assertIn("open to everybody", said)
        self.init()
        self.server.advance(2 * LOOK_AGAIN)
        self.assertEqual(self.made.pem, self.last())
