"""Where locks are tested: a stage, and one path."""

from __future__ import annotations

from txzookeeper.client import ZookeeperClient
from txzookeeper.lock import Lock
from txzookeeper.test.stage import StageTestCase
from txzookeeper.waiting_line import tickets


class LockTestCase(StageTestCase):
    """A stage, and locks on it."""

    def lock(self, client: ZookeeperClient | None = None, identifier: bytes = b"") -> Lock:
        """Give a lock of the one path."""
        return Lock("/locks/one", client or self.client, identifier)

    def held(self, client: ZookeeperClient | None = None) -> Lock:
        """Give a lock that is held."""
        return self.run_work(self.lock(client).acquire())

    def nodes(self) -> list[str]:
        """Give the nodes in line, in its order."""
        self.stage.server.settle()
        return [each.name for each in self.run_work(tickets(self.client, "/locks/one"))]

    def assert_free(self) -> None:
        """Require that the lock can be had, by somebody who leaves nothing."""
        lock = self.held()
        self.run_work(lock.release())
        self.assertEqual(self.nodes(), [])
