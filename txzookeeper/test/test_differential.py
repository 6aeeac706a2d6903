"""The embedded server answers as a real ZooKeeper does, whatever it is asked."""

from __future__ import annotations

from functools import partial

from hypothesis import HealthCheck, given, settings
from hypothesis.errors import FlakyFailure
from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import constants as c
from txzookeeper.datanode import born
from txzookeeper.permissions import ZOO_OPEN_ACL_UNSAFE
from txzookeeper.records import CreateRequest, ExistsRequest
from txzookeeper.testing import NOT_INSTALLED, available
from txzookeeper.testing.differential.choices import plays
from txzookeeper.testing.differential.embedded import embedded
from txzookeeper.testing.differential.play import Difference, Theatre, compare
from txzookeeper.testing.differential.stage import Stage
from txzookeeper.testing.differential.steps import Ask, Burst, Step
from txzookeeper.testing.differential.wires import MemoryWire


class DifferentialTests(SynchronousTestCase):
    """Random plays on both servers."""

    skip = None if available() else NOT_INSTALLED

    def setUp(self) -> None:
        """Start a real server."""
        self.theatre = Theatre()
        self.addCleanup(self.theatre.close)
        self.theatre.open()

    def play(self, number: int, restarts: int) -> None:
        """Take part in so many random plays, always the same ones."""

        @settings(
            max_examples=number,
            derandomize=True,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(plays(60, restarts))
        def run(play: list[Step]) -> None:
            self.theatre.play(play, durable=restarts > 0)

        try:
            run()
        except FlakyFailure as error:
            self.fail(f"At times: {error.exceptions[0]}")

    def test_no_difference(self) -> None:
        """Thousands of random steps are answered by both with the same replies and events."""
        self.play(60, 0)
        self.assertGreater(self.theatre.steps, 2000)

    def test_restarts(self) -> None:
        """Killed and started again in the middle of it, both go on from where they were."""
        self.play(3, 1)
        self.assertGreater(self.theatre.steps, 50)


class CompareTests(SynchronousTestCase):
    """What a comparison finds, and how it tells of it."""

    def stage(self, zxid: int = 0) -> Stage:
        """Give a stage on a server in memory."""
        memory = embedded((list(born()), zxid))
        self.addCleanup(memory.close)
        return Stage(partial(MemoryWire, memory), zxid)

    def test_same(self) -> None:
        """Servers that differ in their sessions' and transactions' numbers alone are the same."""
        create = Ask(0, c.CREATE_OP, CreateRequest("/a", b"", ZOO_OPEN_ACL_UNSAFE, c.EPHEMERAL))
        exists = Ask(1, c.EXISTS_OP, ExistsRequest("/a", True))
        steps: list[Step] = [create, Burst((exists, exists))]
        self.assertEqual(compare(steps, self.stage(), self.stage(1000)), 2)

    def test_difference(self) -> None:
        """A difference is told in words: the steps that led to it, and what each server said."""
        ours, exists = self.stage(), Ask(0, c.EXISTS_OP, ExistsRequest("/a", True))
        ours.perform(Ask(1, c.CREATE_OP, CreateRequest("/a", b"1", (), 0)))
        ours.perform(Ask(1, c.CREATE_OP, CreateRequest("/a", b"1", ZOO_OPEN_ACL_UNSAFE, 0)))
        error = self.assertRaises(Difference, compare, [exists], self.stage(), ours)
        self.assertIn("  client 0 asks exists (path='/a' watch=True)\n", str(error))
        self.assertIn("  real: reply 1 to exists at 1: error -101\n", str(error))
        self.assertIn("  embedded: reply 1 to exists at 4: done, (stat=(czxid=3", str(error))
