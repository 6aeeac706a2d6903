"""How a process ended that is nobody's child here."""

import os
import signal
import subprocess

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from pop.exitstatus import reap, status_of_dead

RELEASE = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])


class StatusTests(SynchronousTestCase):
    """The status of the dead, as L{subprocess.Popen} has it."""

    def died(self, script: str) -> "tuple[int, subprocess.Popen[bytes]]":
        """A child that has died, and is not reaped, as a descriptor."""
        if not hasattr(os, "pidfd_open"):
            raise SkipTest("there are no pidfds here")
        process = subprocess.Popen(["/bin/sh", "-c", script])
        self.addCleanup(process.wait)
        pidfd = os.pidfd_open(process.pid)
        self.addCleanup(os.close, pidfd)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        return pidfd, process

    def test_zombie(self) -> None:
        """As long as nobody has reaped it, its zombie tells."""
        for script, status in (("exit 0", 0), ("exit 7", 7), ("kill -9 $$", -signal.SIGKILL)):
            pidfd, process = self.died(script)
            self.assertEqual(status, status_of_dead(pidfd, process.pid))
            self.assertEqual(status, status_of_dead(-1, process.pid))

    def test_reaped(self) -> None:
        """Afterwards the system still knows, if it is Linux 6.15 or later."""
        if RELEASE < (6, 15):
            raise SkipTest("needs Linux 6.15")
        for script, status in (("exit 0", 0), ("exit 7", 7), ("kill -9 $$", -signal.SIGKILL)):
            pidfd, process = self.died(script)
            process.wait()
            self.assertEqual(status, status_of_dead(pidfd, process.pid))

    def test_unknown(self) -> None:
        """Elsewhere, and of what is alive, nothing is known."""
        _, process = self.died("exit 7")
        process.wait()
        with open(os.devnull) as other:
            self.assertIsNone(status_of_dead(other.fileno(), process.pid))
            self.assertIsNone(status_of_dead(other.fileno(), os.getpid()))

    def test_own(self) -> None:
        """A child is reaped; what is none, or has not died, is left alone."""
        _, process = self.died("exit 3")
        self.assertEqual(3, reap(process.pid))
        self.assertIsNone(reap(process.pid))
        self.assertIsNone(reap(os.getppid()))
        waiting = subprocess.Popen(["sleep", "600"])
        self.addCleanup(waiting.wait)
        self.addCleanup(waiting.kill)
        self.assertIsNone(reap(waiting.pid))
