"""Chaos on real processes: see L{pop.test.chaos}. This is the slow part of the tests."""

import sys

from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import TestCase

from txzookeeper.testing import SKIPPED, available, real_servers

SECONDS = 60


class ChaosTestCase(TestCase):
    """Runs the program with a seed."""

    skip = None if available() and real_servers() else SKIPPED
    timeout = 300

    async def chaos(self, seed: int) -> None:
        """Have chaos, and expect that all is well afterwards."""
        words = ["-m", "pop.test.chaos", "--seed", f"{seed}", "--seconds", f"{SECONDS}"]
        out, err, status = await getProcessOutputAndValue(sys.executable, words)
        self.assertEqual(0, status, f"{out.decode()}\n{err.decode()}")


class FirstChaosTests(ChaosTestCase):
    """One seed."""

    async def test_survived(self) -> None:
        """Whatever happens, nothing runs twice or for too long, and nothing is lost."""
        await self.chaos(1)


class SecondChaosTests(ChaosTestCase):
    """Another seed, which may be tried at the same time."""

    async def test_survived(self) -> None:
        """Whatever happens, nothing runs twice or for too long, and nothing is lost."""
        await self.chaos(2)
