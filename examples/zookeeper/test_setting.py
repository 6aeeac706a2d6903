"""A test of one's own program, without a server and without waiting.

Run it by ``trial examples/zookeeper/test_setting.py``.
"""

from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import ConnectionLossException, ZookeeperClient
from txzookeeper.testing import MemoryServer


class SettingTests(SynchronousTestCase):
    """A server in memory, and a day in a moment."""

    def setUp(self) -> None:
        self.server = MemoryServer()
        self.client = ZookeeperClient(
            "memory:2181", reactor=self.server.clock, endpoint=self.server.endpoint
        )
        self.server.run(self.client.connect())

    def test_outage(self) -> None:
        """A network that is down for a second costs a call in flight, and nothing else."""
        self.server.run(self.client.create("/setting", b"1"))
        reading = self.client.get("/setting")
        self.server.drop_connections()
        self.failureResultOf(reading, ConnectionLossException)
        self.server.advance(1)
        data, _ = self.server.run(self.client.get("/setting"))
        self.assertEqual(data, b"1")

    def tearDown(self) -> None:
        self.server.run(self.client.close())
