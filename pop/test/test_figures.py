"""Live figures of real processes."""

import os
import subprocess
import sys

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pop.figures import SPAN, Figures, Meter


class MeterTests(SynchronousTestCase):
    """They are measured between two looks."""

    def setUp(self) -> None:
        """Have a meter whose time is a test's."""
        self.clock = Clock()
        self.meter = Meter(self.clock, lambda work: maybeDeferred(work))
        self.busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        self.addCleanup(self.busy.wait)
        self.addCleanup(self.busy.kill)

    def burn(self) -> float:
        """Let it work until it has used a tenth of a second of a processor."""
        begin = self._used()
        while self._used() < begin + 0.1:
            os.sched_yield()
        return self._used() - begin

    def _used(self) -> float:
        with open(f"/proc/{self.busy.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def look(self) -> Deferred[dict[str, Figures]]:
        """Look at it, and at nobody."""
        groups = {"busy": [self.busy.pid], "none": []}
        return Deferred.fromCoroutine(self.meter.look(groups))

    def test_first_look(self) -> None:
        """Who looks for the first time waits a moment."""
        looked = self.look()
        self.assertNoResult(looked)
        used = self.burn()
        self.clock.advance(SPAN)
        found = self.successResultOf(looked)
        self.assertGreaterEqual(found["busy"].cpu, round(used / SPAN - 0.1, 2))
        self.assertGreater(found["busy"].memory, 1 << 20)
        self.assertEqual((1, Figures()), (found["busy"].processes, found["none"]))

    def test_looking_again(self) -> None:
        """Who looks every second does not wait, and hears of that second; later it is old."""
        looked = self.look()
        self.clock.advance(SPAN)
        self.successResultOf(looked)
        used = self.burn()
        self.clock.advance(1.0)
        cpu = self.successResultOf(self.look())["busy"].cpu
        self.assertGreaterEqual(cpu, round(used - 0.05, 2))
        self.assertLess(cpu, 50.0)
        self.clock.advance(60.0)
        self.assertNoResult(self.look())

    def test_gone(self) -> None:
        """Who is gone uses nothing."""
        self.busy.kill()
        self.busy.wait()
        looked = self.look()
        self.clock.advance(SPAN)
        self.assertEqual(Figures(), self.successResultOf(looked)["busy"])
