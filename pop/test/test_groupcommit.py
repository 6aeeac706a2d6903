"""Small transactions travel together, and each is made wholly or not at all."""

from twisted.internet.defer import CancelledError, Deferred

from pop.groupcommit import MOST, GroupCommit
from pop.test.clusters import ClusterTestCase
from txzookeeper.errors import ConnectionLossException, NodeExistsException, ZooKeeperException
from txzookeeper.transaction import Transaction


class GroupCommitTests(ClusterTestCase):
    """A client that makes nodes under the root."""

    def begin(self) -> None:
        super().begin()
        self.network = self.server.network()
        self.writer = self.connect(self.network)
        self.group = GroupCommit(self.writer.client)

    def make(self, *paths: str) -> "Deferred[None]":
        """Make these nodes, with those that travel along."""

        def changes(transaction: Transaction) -> None:
            for path in paths:
                transaction.create(path)

        return self.group.commit(changes)

    def created(self, path: str) -> int:
        """By which transaction a node was made."""
        return self.stat(path).czxid

    def test_alone(self) -> None:
        """What comes alone leaves at once."""
        self.run_(self.make("/a", "/b"))
        self.assertEqual(self.created("/a"), self.created("/b"))

    def test_together(self) -> None:
        """What comes while one is under way is made in the next, in one transaction."""
        first, *others = [self.make(f"/n{number}") for number in range(10)]
        for each in (first, *others):
            self.run_(each)
        zxids = {self.created(f"/n{number}") for number in range(1, 10)}
        self.assertEqual({self.created("/n0") + 1}, zxids)

    def test_bounded(self) -> None:
        """No transaction has more than so many."""
        made = [self.make(f"/n{number}") for number in range(2 * MOST + 1)]
        for each in made:
            self.run_(each)
        zxids = [self.created(f"/n{number}") for number in range(2 * MOST + 1)]
        self.assertEqual(3, len(set(zxids)))
        self.assertTrue(all(zxids.count(zxid) <= MOST for zxid in zxids))

    def test_refused(self) -> None:
        """One that cannot be made fails alone, as it would have by itself."""
        first = self.make("/first")
        good, bad, last = self.make("/good"), self.make("/x", "/first"), self.make("/last")
        self.run_(first)
        self.run_(good)
        self.fails(NodeExistsException, bad)
        self.run_(last)
        self.assertIsNone(self.run_(self.client.exists("/x")))
        self.run_(self.make("/after"))

    def test_mistaken(self) -> None:
        """One that cannot even be put into words fails, and what comes later is made."""
        first = self.make("/first")
        bad = self.make("no path")
        self.run_(first)
        self.fails(ZooKeeperException, bad)
        self.run_(self.make("/after"))

    def test_cancelled(self) -> None:
        """Who does not wait any more is no trouble to the others."""
        first, second, third = self.make("/a"), self.make("/b"), self.make("/c")
        for each in (first, second):
            each.cancel()
            self.failureResultOf(each, CancelledError)
        self.run_(third)

    def test_connection_lost(self) -> None:
        """With the connection all fail that were under way, since nobody knows; then it goes on."""
        made = [self.make("/a"), self.make("/b")]
        self.network.drop_connections()
        self.fails(ConnectionLossException, made[0])
        self.run_(made[1])
        self.run_(self.make("/c"))
