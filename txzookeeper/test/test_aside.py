"""What nobody has asked for is not loaded."""

from __future__ import annotations

import subprocess
import sys
import tempfile

from twisted.trial.unittest import SynchronousTestCase

from txzookeeper.aside import aside

SERVER = """
import sys
from txzookeeper.tap import Options, makeService
assert "OpenSSL" not in sys.modules
options = Options()
options.parseOptions(["--data-dir", sys.argv[1], "--listen", sys.argv[2]])
makeService(options)
print("OpenSSL" in sys.modules)
"""


class AsideTests(SynchronousTestCase):
    """Packages that Twisted would take in."""

    def needs_openssl(self, endpoint: str) -> bool:
        """Say whether a server loads OpenSSL, in a process of its own."""
        with tempfile.TemporaryDirectory() as directory:
            command = [sys.executable, "-c", SERVER, f"{directory}/data", endpoint]
            return subprocess.check_output(command, text=True) == "True\n"

    def test_server(self) -> None:
        """A server takes OpenSSL in only if it is to speak TLS, or to who knows what."""
        self.assertFalse(self.needs_openssl("tcp:0"))
        self.assertTrue(self.needs_openssl("haproxy:tcp:0"))

    def test_comes_back(self) -> None:
        """Afterwards, and where there is a reactor, nothing is hidden."""
        with aside("no_such_package"):
            pass
        from twisted.internet import reactor  # noqa: F401

        with aside("no_such_package"):
            self.assertNotIn("no_such_package", sys.modules)
