"""Tests for L{pop.daemon}: what the agent's process does without."""

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

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
