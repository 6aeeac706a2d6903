"""Learning that a process has died."""

import os
import subprocess

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from pop.pidwatch import POLL, _poll, watch
from pop.test.processes import died, kin


def begin(script: str = "exec sleep 600") -> "subprocess.Popen[bytes]":
    """A child that dies when a test says so, or when its standard input ends."""
    return subprocess.Popen(["/bin/sh", "-c", script], stdin=subprocess.PIPE)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Let nothing of it be left."""
    process.kill()
    process.communicate()


class PidFdTests(TestCase):
    """In the reactor, by the system's own means."""

    timeout = 10

    async def test_died(self) -> None:
        """A death is learned of, and left for its parent to reap."""
        process = begin()
        self.addCleanup(end, process)
        dead = died(process.pid)
        self.assertFalse(dead.called)
        process.kill()
        await dead
        self.assertEqual(process.pid, os.waitpid(process.pid, os.WNOHANG)[0])

    async def test_dead_already(self) -> None:
        """One that died before, and is not reaped, is learned of as well, but not at once."""
        process = begin("exit 0")
        self.addCleanup(end, process)
        await died(process.pid)
        again = died(process.pid)
        self.assertFalse(again.called)
        await again

    async def test_somebody_elses(self) -> None:
        """So is the death of a process that is nobody's child here."""
        parent = subprocess.Popen(
            ["/bin/sh", "-c", "sleep 600 >/dev/null & echo $!"], stdout=subprocess.PIPE
        )
        out, _ = parent.communicate()
        dead = died(int(out))
        os.kill(int(out), 9)
        await dead

    async def test_several(self) -> None:
        """Each of several learns of its own."""
        processes = [begin() for _ in range(3)]
        watches = [died(process.pid) for process in processes]
        for process in processes:
            self.addCleanup(end, process)
        processes[1].kill()
        await watches[1]
        self.assertEqual([False, True, False], [dead.called for dead in watches])
        for process, dead in zip(processes, watches, strict=True):
            process.kill()
            await dead


class PollTests(SynchronousTestCase):
    """Where the system has no such means."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.deaths: list[int | None] = []

    def test_gone(self) -> None:
        """A process that is gone altogether is dead, but whoever asks is not told before asking."""
        process = begin()
        known = kin(process.pid)
        end(process)
        watch(self.clock, known, self.deaths.append)
        self.assertEqual([], self.deaths)
        self.clock.advance(0)
        self.assertEqual([None], self.deaths)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_polled(self) -> None:
        """A process is looked at again and again, until it has died."""
        process = begin()
        self.addCleanup(end, process)
        _poll(self.clock, kin(process.pid), self.deaths.append)
        self.clock.pump([POLL] * 3)
        self.assertEqual([], self.deaths)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        self.clock.pump([POLL] * 3)
        self.assertEqual([None], self.deaths)
        self.assertEqual([], self.clock.getDelayedCalls())
