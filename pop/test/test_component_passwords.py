"""Who knows names and passwords."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from pop.components.passwords import NoSuchGuard, guard


class GuardTests(SynchronousTestCase):
    """Descriptions of such."""

    def test_guard(self) -> None:
        """They are named as Twisted names them; those that know none are refused."""
        path = Path(self.mktemp())
        path.write_text("me:secret\n")
        self.assertTrue(guard(f"file:{path}"))
        for none in ("", "nobody", "file:", f"file:{path}x", "anonymous"):
            self.assertRaises(NoSuchGuard, guard, none)
