"""Seeing what has just begun."""

import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from pop.census import youngest
from pop.marks import NONE, Marks, marked, marks_of
from pop.pursuit import REACH, sighted

PATIENCE = 20
"""So often something else may begin too much at the same time."""
THREADS = """
import threading
def begin():
    for _ in range(3):
        threading.Thread(target=threading.Event().wait, daemon=True).start()
"""
"""What begins after the process is younger than it, and has its mark."""


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
        for _ in range(PATIENCE):
            if (begun := self.begin()) in self.seen():
                break
        else:
            self.fail("it is never seen")
        self.assertEqual(self.mark, dict(marks_of([begun]))[begun])

    def test_threads(self) -> None:
        """A process with threads, which have numbers of their own, is one of those who live."""
        program = THREADS + "begin(); print(flush=True); threading.Event().wait()"
        for _ in range(PATIENCE):
            with marked(self.mark):
                child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
            self.addCleanup(child.communicate)
            self.addCleanup(child.kill)
            assert child.stdout
            child.stdout.readline()
            if child.pid in (found := [pid for pid, _ in youngest(lambda mark: mark == self.mark)]):
                break
            child.kill()
        self.assertEqual([child.pid], found)
        self.assertLess(1, len(self.seen()))

    def test_old(self) -> None:
        """What is not among the youngest is not looked for here."""
        self.begin()
        for _ in range(REACH):
            os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
        self.assertEqual(set(), self.seen())

    def test_itself(self) -> None:
        """This process is never one of them, nor are its threads, even if something else has given
        it such a mark."""
        program = (
            f"{THREADS}import os; from pop.pursuit import sighted; begin();"
            f" found = dict(sighted(lambda mark: mark == {self.mark}));"
            " print([each for each in os.listdir('/proc/self/task') if int(each) in found])"
        )
        with marked(self.mark):
            said = subprocess.check_output([sys.executable, "-c", program])
        self.assertEqual(b"[]\n", said)
