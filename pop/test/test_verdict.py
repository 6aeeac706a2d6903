"""The verdict on a run of all checks cannot be better than the run was."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from pop.test.checkout import MISSING, ROOT
from txzookeeper.testing.real import NOT_INSTALLED, SKIPPED

TESTS = """
from twisted.trial.unittest import SynchronousTestCase
class Tests(SynchronousTestCase):
    def test_a(self): {a}
    def test_b(self): pass
    def test_c(self): pass
    test_c.skip = {c!r}
"""


class VerdictTests(SynchronousTestCase):
    """C{.ci/summary} reads what trial really prints."""

    skip = MISSING

    def setUp(self) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="pop-verdict-"))
        self.addCleanup(shutil.rmtree, self.base)

    def summary(self, log: bytes, status: int) -> "subprocess.CompletedProcess[str]":
        """The verdict on a run that printed this and had this status."""
        (self.base / "log").write_bytes(log)
        return subprocess.run(
            [ROOT / ".ci" / "summary", self.base / "log", str(status)],
            capture_output=True,
            text=True,
            timeout=60,
        )

    def judge(self, log: bytes, status: int) -> tuple[int, str]:
        """The status and the last line of the verdict."""
        done = self.summary(log, status)
        return done.returncode, done.stdout.splitlines()[-1]

    def verdict(self, a: str = "pass", c: str = "no reason") -> tuple[int, str]:
        """What is made of a real run, with two tests that can fail or be skipped."""
        (self.base / "test_it.py").write_text(TESTS.format(a=a, c=c))
        done = subprocess.run(
            [sys.executable, "-m", "twisted.trial", "-j2", "test_it"],
            cwd=self.base,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
        )
        return self.judge(done.stdout, done.returncode)

    def test_passed(self) -> None:
        """A run that passed is counted, and has status 0; some tests may be skipped."""
        self.assertEqual((0, "2 passed, 0 failed"), self.verdict())

    def test_failure(self) -> None:
        """A failure counts as failed."""
        self.assertEqual((1, "1 passed, 1 failed"), self.verdict(a="self.fail()"))

    def test_error(self) -> None:
        """An error counts as failed."""
        self.assertEqual((1, "1 passed, 1 failed"), self.verdict(a="1 / 0"))

    def test_skipped_for_want_of_zookeeper(self) -> None:
        """A test that a ZooKeeper would have made run must not be skipped."""
        for reason in (SKIPPED, NOT_INSTALLED):
            self.assertEqual((1, "2 passed, 0 failed"), self.verdict(c=reason))

    def test_nothing_ran(self) -> None:
        """No test at all is no success."""
        self.assertEqual((1, "0 passed, 0 failed"), self.judge(b"", 0))

    def test_another_check_failed(self) -> None:
        """Tests that pass do not make up for a check that failed."""
        self.assertEqual((2, "3 passed, 0 failed"), self.judge(b"PASSED (successes=3)\n", 2))

    def test_which_check_failed(self) -> None:
        """What failed is said again at the end, with its reason: it stood before all the tests."""
        reason, check = "a.rst:1: WARNING: odd.", "make: *** [Makefile:2: docs] Error 1"
        log = "\n".join([reason, check, *["a test"] * 100, "PASSED (successes=3)", ""])
        said = self.summary(log.encode(), 2).stderr.splitlines()
        self.assertEqual([reason, check, "Not everything is well: status 2."], said)
