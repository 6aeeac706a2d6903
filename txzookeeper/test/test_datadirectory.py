"""A data directory has one server at most, and nobody else looks into it."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from txzookeeper.datadirectory import DataDirectory
from txzookeeper.trouble import BadDirectory, DirectoryInUse, NotOurs

HOLD = """
import sys
from txzookeeper.datadirectory import DataDirectory
directory = DataDirectory(sys.argv[1])
directory.hold()
print("held", flush=True)
sys.stdin.read()
"""


class DataDirectoryTests(SynchronousTestCase):
    """Directories, some of them held by other processes."""

    def setUp(self) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="txzookeeper-"))
        self.addCleanup(shutil.rmtree, self.base)

    def test_made(self) -> None:
        """It is made with all that is above it, for its owner only."""
        path = self.base / "a" / "b"
        DataDirectory(path).hold()
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o700)

    def test_held(self) -> None:
        """As long as one holds it no other can, and is told who does."""
        first, second = DataDirectory(self.base), DataDirectory(self.base)
        first.hold()
        error = self.assertRaises(DirectoryInUse, second.hold)
        self.assertIn(f"another server (process {os.getpid()}).", str(error))
        first.release()
        second.hold()

    def test_ends_with_its_process(self) -> None:
        """A process that is killed holds nothing any more."""
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, self.base],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with process:
            assert process.stdout is not None
            self.assertEqual(process.stdout.readline(), b"held\n")
            directory = DataDirectory(self.base)
            error = self.assertRaises(DirectoryInUse, directory.hold)
            self.assertIn(f"process {process.pid}", str(error))
            process.kill()
            process.wait()
            directory.hold()

    def test_unusable(self) -> None:
        """Where no directory can be, the reason is told."""
        (self.base / "file").touch()
        for name, reason in [("file", "Not a directory"), ("file/x", "Not a directory")]:
            error = self.assertRaises(BadDirectory, DataDirectory(self.base / name).hold)
            self.assertIn(reason, str(error))

    def test_of_an_apache_zookeeper(self) -> None:
        """The data of an Apache ZooKeeper are not taken for an empty directory."""
        (self.base / "version-2").mkdir()
        self.assertRaises(NotOurs, DataDirectory(self.base).hold)
