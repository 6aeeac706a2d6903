"""Descriptors above what the system gives at first."""

import fcntl
import os
import resource

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from pop.descriptors import lifted


class LiftedTests(SynchronousTestCase):
    """With a limit that is lower than what may be asked for."""

    def setUp(self) -> None:
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        if before[1] != resource.RLIM_INFINITY and before[1] < 512:
            raise SkipTest("needs 512 descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        self.limits = (256, before[1])

    def opened(self, at_least: int) -> int:
        """A descriptor with such a number."""
        with open(os.devnull) as file:
            return fcntl.fcntl(file.fileno(), fcntl.F_DUPFD, at_least)

    def test_low(self) -> None:
        """As long as there are many left, it stays."""
        number = self.opened(3)
        self.addCleanup(os.close, number)
        self.assertEqual(number, lifted(number))

    def test_high(self) -> None:
        """When there are few, it goes up; the limit and what is inherited stay as they are."""
        number = self.opened(200)
        found = lifted(number)
        self.addCleanup(os.close, found)
        self.assertTrue(found >= 256)
        self.assertRaises(OSError, os.fstat, number)
        self.assertFalse(os.get_inheritable(found))
        self.assertTrue(os.path.samestat(os.stat(os.devnull), os.fstat(found)))
        self.assertEqual(self.limits, resource.getrlimit(resource.RLIMIT_NOFILE))
