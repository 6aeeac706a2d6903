"""The embedded server keeps its word through kills, and its witness would notice if it did not."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase, TestCase

from txzookeeper.testing.crashes import crash
from txzookeeper.testing.witness import Counter, Sequence, WordBroken


class CrashTests(TestCase):
    """A real process, which is killed."""

    timeout = 120

    async def test_killed(self) -> None:
        """Killed fifteen times in the middle of writing, it loses nothing that it acknowledged."""
        from twisted.internet import reactor

        said: list[Any] = []
        await crash(reactor, 15, 2, said.append)
        self.assertEqual(len(said), 2)


class WitnessTests(SynchronousTestCase):
    """What a server that breaks its word is told."""

    def setUp(self) -> None:
        self.sequence = Sequence()
        for number in range(3):
            self.sequence.begin(f"d{number}")
            self.sequence.made(f"n-000000000{number}", f"d{number}")

    def broken(self, found: dict[str, str]) -> str:
        """Give what is said of what was found."""
        return str(self.assertRaises(WordBroken, self.sequence.compare, found))

    def test_kept(self) -> None:
        """What was acknowledged is there; what is in doubt is there or not."""
        self.sequence.going("n-0000000001")
        self.sequence.begin("d3")
        self.sequence.begin("d4")
        self.sequence.compare({"n-0000000000": "d0", "n-0000000002": "d2", "n-0000000004": "d4"})

    def test_lost(self) -> None:
        """A node that was acknowledged is missing, or has other data."""
        whole = {"n-0000000000": "d0", "n-0000000001": "d1", "n-0000000002": "d2"}
        self.assertIn("missing or changed", self.broken({**whole, "n-0000000001": "d2"}))
        del whole["n-0000000001"]
        self.assertIn("missing or changed", self.broken(whole))

    def test_unasked(self) -> None:
        """A node is there that nobody made, that is deleted, or that was made twice."""
        whole = {"n-0000000000": "d0", "n-0000000001": "d1", "n-0000000002": "d2"}
        self.assertIn("should not be there", self.broken({**whole, "n-0000000003": "?"}))
        self.sequence.begin("d3")
        twice = {"n-0000000003": "d3", "n-0000000004": "d3"}
        self.assertIn("should not be there", self.broken({**whole, **twice}))
        self.sequence.going("n-0000000000")
        self.sequence.gone("n-0000000000")
        self.assertIn("should not be there", self.broken(whole))

    def test_numbers(self) -> None:
        """A number is given a second time."""
        self.assertRaises(WordBroken, self.sequence.made, "n-0000000002", "x")
        self.sequence.going("n-0000000002")
        self.sequence.gone("n-0000000002")
        self.sequence.compare({"n-0000000000": "d0", "n-0000000001": "d1"})
        self.assertRaises(WordBroken, self.sequence.made, "n-0000000002", "x")

    def test_counter(self) -> None:
        """A number goes back, comes from nowhere, or is another one elsewhere."""
        counter = Counter()
        counter.saw(counter.next())
        counter.next()
        for found in [(0, 0), (3, 3), (1, 2)]:
            self.assertRaises(WordBroken, counter.compare, *found)
        counter.compare(2, 2)
        self.assertEqual(counter.next(), 3)
