"""Seeing what has just begun."""

import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from pop.marks import NONE, Marks, marked, marks_of
from pop.pursuit import REACH, sighted


class SightedTests(SynchronousTestCase):
    """The youngest processes."""

    def begin(self) -> int:
        """A child with this test's mark; its number."""
        with marked(self.mark) as mark:
            child = subprocess.Popen(["sleep", "600"])
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        if mark == NONE:
            raise SkipTest("there are no marks here")
        return child.pid

    def setUp(self) -> None:
        path = Path(self.mktemp())
        path.mkdir()
        self.mark = Marks(path).new()

    def seen(self) -> set[int]:
        """Which of this test's are seen."""
        found = list(sighted(lambda mark: mark == self.mark))
        self.assertEqual(len(found), len(dict(found)))
        return {pid for pid, mark in found if mark == self.mark}

    def test_each_once(self) -> None:
        """What has just begun is seen, once, unless others begin too much at the same time."""
        while (begun := self.begin()) not in self.seen():
            pass
        self.assertEqual(self.mark, dict(marks_of([begun]))[begun])

    def test_old(self) -> None:
        """What is not among the youngest is not looked for here."""
        self.begin()
        for _ in range(REACH):
            os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
        self.assertEqual(set(), self.seen())

    def test_itself(self) -> None:
        """This process is never one of them, even if something else has given it such a mark."""
        program = (
            "import os; from pop.pursuit import sighted;"
            f" print(os.getpid() in dict(sighted(lambda mark: mark == {self.mark})))"
        )
        with marked(self.mark):
            said = subprocess.check_output([sys.executable, "-c", program])
        self.assertEqual(b"False\n", said)
