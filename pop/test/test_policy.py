"""The small notations of the common settings."""

import resource
from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pop.policy import RLIMITS, UNLIMITED, megabytes, rlimits, seconds_away, umask


class NotationTests(SynchronousTestCase):
    """Texts that are numbers of some kind."""

    def refusal(self, read: Callable[[Any], object], text: object) -> str:
        """The sentence by which a text is refused."""
        return str(self.assertRaises(ValueError, read, text))

    def test_megabytes(self) -> None:
        """Sizes have binary units, or none for bytes; zero and rubbish are refused."""
        self.assertEqual([512, 1 << 19, 16 << 20], [megabytes(t) for t in ("512", "512K", "16M")])
        for text in ("0", "", "16 M", "16MB", "-1", "1.5G"):
            self.assertIn("like 512K", self.refusal(megabytes, text))

    def test_umask(self) -> None:
        """A umask is octal, as everywhere."""
        self.assertEqual([0o22, 0o77, 0], [umask(text) for text in ("022", "0077", "0")])
        self.assertIn("octal", self.refusal(umask, "888"))

    def test_rlimits(self) -> None:
        """A limit is one number for soft and hard, or both; the soft one is not above."""
        self.assertEqual(
            (("core", 0, 0), ("nofile", 1024, 4096), ("stack", 1 << 20, UNLIMITED)),
            rlimits({"nofile": "1024:4096", "core": "0", "stack": "1M:unlimited"}),
        )
        self.assertIn("above the hard one", self.refusal(rlimits, {"nofile": "unlimited:5"}))
        self.assertIn("SOFT:HARD", self.refusal(rlimits, {"nofile": "many"}))

    def test_rlimit_names(self) -> None:
        """Every name is one that this system knows, and unlimited is what it calls infinity."""
        for name in RLIMITS:
            self.assertTrue(hasattr(resource, f"RLIMIT_{name.upper()}"), name)
        self.assertEqual(resource.RLIM_INFINITY, UNLIMITED)

    def test_seconds_away(self) -> None:
        """Without ZooKeeper a service goes on, or stops after some seconds."""
        self.assertEqual([None, 5.5], [seconds_away(t) for t in ("continue", "stop-after=5.5")])
        self.assertIn("stop-after=SECONDS", self.refusal(seconds_away, "stop"))
