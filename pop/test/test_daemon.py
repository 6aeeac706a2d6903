"""Tests for L{pop.daemon}: what the agent's process does without."""

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from pop.daemon import aside

LOADS = """
import sys
import pop.daemon
assert "OpenSSL" not in sys.modules
from twisted.internet import reactor
assert "OpenSSL" not in sys.modules
import OpenSSL.SSL
"""


class DaemonTests(SynchronousTestCase):
    """OpenSSL is heavy, and the agent has no use for it."""

    def test_without(self) -> None:
        """The agent's process does not take OpenSSL in; who wants it later can have it."""
        subprocess.run([sys.executable, "-c", LOADS], check=True)

    def test_only_where_there_is_no_reactor(self) -> None:
        """In a process that is not the agent's own, nothing is hidden."""
        from twisted.internet import reactor  # noqa: F401

        with aside("no_such_package"):
            self.assertNotIn("no_such_package", sys.modules)
