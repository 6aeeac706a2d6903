"""All trouble that is to be expected is said as an operator understands it."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from pop.errors import (
    ConnectionBroke,
    Forbidden,
    NoSuchService,
    PopError,
    Refused,
    TooLarge,
    Unreachable,
)
from pop.model import Service
from pop.test.clusters import ClusterTestCase
from pop.trouble import said
from txzookeeper import ManagedClient, errors, make_digest_acl


class SaidTests(SynchronousTestCase):
    """By kind."""

    def test_kinds(self) -> None:
        """Each kind has its sentence."""
        for error, kind in (
            (errors.NoAuthException("/x"), Forbidden),
            (errors.AuthFailedException(), Forbidden),
            (errors.ConnectionLossException("/x"), ConnectionBroke),
            (errors.SessionExpiredException(), ConnectionBroke),
            (errors.ConnectionTimeoutException(), Unreachable),
            (errors.ConnectionException(), Unreachable),
            (errors.NotConnectedException(), Unreachable),
            (errors.NonsensePacketError(), Unreachable),
            (errors.OversizedPacketError(), TooLarge),
            (errors.QuotaExceededException("/x"), Refused),
            (errors.NotReadOnlyException("/x"), Refused),
        ):
            found = said(error, "zk:1")
            self.assertIsInstance(found, kind, repr(error))
            self.assertNotIn("..", str(found))
            self.assertNotIn("\n", str(found))

    def test_every_error(self) -> None:
        """There is a sentence for every error that the client can raise."""
        for kind in errors.ERROR_CLASSES.values():
            self.assertIsInstance(said(kind("/x"), "zk:1"), PopError, kind)

    def test_ours(self) -> None:
        """What is an operator's sentence already stays what it is."""
        error = NoSuchService(service="x")
        self.assertIs(error, said(error, "zk:1"))

    def test_defects(self) -> None:
        """A defect of ours is no trouble of the operator's."""
        for error in (ValueError("x"), AssertionError(), KeyboardInterrupt()):
            self.assertEqual(None, said(error, "zk:1"))

    def test_where(self) -> None:
        """Forbidden names the node, and all others where ZooKeeper was looked for."""
        self.assertIn("/x", str(said(errors.NoAuthException("/x"), "zk:1")))
        self.assertIn("zk:1", str(said(errors.ConnectionLossException("/x"), "zk:1")))
        self.assertIn("zk:1", str(said(errors.ConnectionException(), "zk:1")))


class MetTests(ClusterTestCase):
    """As the client really meets it."""

    def met(self, work: Deferred[Any]) -> str:
        """What is said of an error."""
        found = said(self.fails(Exception, work), "zk:1")
        assert found is not None
        return str(found)

    def test_not_there(self) -> None:
        """That nothing listens is said in the operator's words."""
        self.server.refuse_connections()
        client = ManagedClient("memory:1", reactor=self.clock, endpoint=self.server.endpoint)
        found = self.met(client.connect(timeout=3000))
        self.assertRegex(found, r"^No ZooKeeper answers at zk:1 \(Connection [^()]*refused[^()]*\)")

    def test_no_answer(self) -> None:
        """That nothing answers is said too."""
        self.server.hold()
        client = ManagedClient("memory:1", reactor=self.clock, endpoint=self.server.endpoint)
        found = self.met(client.connect(timeout=3000))
        self.assertRegex(found, r"No ZooKeeper answers at zk:1 \([^()]+\)\. ")
        self.server.release()

    def test_refused_credentials(self) -> None:
        """Nodes that are somebody else's are named, with what to do."""
        self.run_(self.client.create("/secret", b"", [make_digest_acl("a", "b")]))
        found = self.met(self.client.get("/secret"))
        self.assertIn("/secret", found)
        self.assertIn("--admin-identity", found)

    def test_too_large(self) -> None:
        """More than ZooKeeper takes is said to be so."""
        for size in (2**20, 2**20 + 1, 2**22):
            big = Service("web", "command", {"argv": "x" * size})
            found = self.met(Deferred.fromCoroutine(self.cluster.add(big)))
            self.assertIn("1 MB", found, size)
        self.assertEqual(None, self.data("/services/web"))
