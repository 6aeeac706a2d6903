"""Limits by control groups."""

import os
import signal
import subprocess
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase, TestCase

from pop.cgroup import Cgroups, members, own_cgroup, remove
from pop.errors import NotSpawned
from pop.policy import Limits
from pop.test.processes import Nursery, shell

BOTH = Limits(memory=512 << 20, cpu=1.5)


class FileTests(SynchronousTestCase):
    """What is written where, in a directory that looks like a cgroup."""

    def setUp(self) -> None:
        self.base = Path(self.mktemp()).absolute()
        self.base.mkdir()
        self.write("cgroup.controllers", "cpuset cpu io memory pids\n")
        self.write("cgroup.subtree_control", "")
        self.write("cgroup.procs", "")
        self.cgroups = Cgroups(self.base)

    def write(self, name: str, text: str) -> None:
        """Have a file in it."""
        (self.base / name).write_text(text)

    def read(self, name: str) -> str:
        """What a file in it holds."""
        return (self.base / name).read_text()

    def refused(self, limits: Limits) -> str:
        """Why a cgroup cannot be had."""
        return str(self.assertRaises(NotSpawned, self.cgroups.make, "1", limits))

    def test_not_asked_for(self) -> None:
        """What has no such limits has no cgroup, whether there are any or not."""
        self.assertIsNone(self.cgroups.make("1", Limits((("core", 0, 0),))))
        self.assertIsNone(Cgroups(None).make("1", Limits()))

    def test_limits(self) -> None:
        """The limits are the group's, so that all of an instance has them together."""
        self.assertEqual(str(self.base / "pop.1"), self.cgroups.make("1", BOTH))
        self.assertEqual(str(512 << 20), self.read("pop.1/memory.max"))
        self.assertEqual("150000 100000", self.read("pop.1/cpu.max"))

    def test_one(self) -> None:
        """A limit that is not asked for is not set, nor needed."""
        self.write("cgroup.controllers", "memory")
        self.cgroups.make("1", Limits(memory=1 << 20))
        self.assertFalse((self.base / "pop.1" / "cpu.max").exists())

    def test_enabled(self) -> None:
        """What its children are to have is enabled, unless it is."""
        self.cgroups.make("1", Limits(memory=1 << 20))
        self.assertEqual("+memory", self.read("cgroup.subtree_control"))
        self.write("cgroup.subtree_control", "memory cpu")
        self.cgroups.make("2", BOTH)
        self.assertEqual("memory cpu", self.read("cgroup.subtree_control"))

    def test_makes_way(self) -> None:
        """Whatever is in it moves into one below, as there may be no processes beside limits."""
        self.write("cgroup.procs", "12\n")
        self.cgroups.make("1", BOTH)
        self.assertEqual("12", self.read("pop.agent/cgroup.procs"))

    def test_no_controller(self) -> None:
        """Where it may not limit that, it is refused in words."""
        self.write("cgroup.controllers", "cpu")
        self.assertEqual(
            "its limit of memory and cpu needs a cgroup (version 2) that is delegated to the"
            " agent (it has no memory controller).",
            self.refused(BOTH),
        )

    def test_none(self) -> None:
        """So it is where there is none at all."""
        self.cgroups = Cgroups(None)
        self.assertIn("(there is none).", self.refused(Limits(cpu=1.0)))
        self.cgroups = Cgroups(Path("/no/such"))
        self.assertIn("(No such file or directory).", self.refused(Limits(cpu=1.0)))


class RefusalTests(TestCase):
    """Processes that cannot have their limits."""

    def test_refused(self) -> None:
        """A service that asks for what cannot be had does not run without it."""
        nursery = Nursery(self, cgroups=Cgroups(None))
        error = self.assertRaises(NotSpawned, nursery.spawn, shell("true", limits=BOTH))
        self.assertIn("needs a cgroup", str(error))


class RealTests(TestCase):
    """A real cgroup, where the tests may make one."""

    timeout = 20

    def setUp(self) -> None:
        base = own_cgroup()
        if base is None or not os.access(base, os.W_OK):
            raise SkipTest("needs a cgroup (version 2) that it may write to")
        self.path = str(base / f"pop-test-{os.getpid()}")
        try:
            os.mkdir(self.path)
        except OSError as error:
            raise SkipTest(f"may make no cgroup: {error}") from error
        self.addCleanup(remove, self.path)

    def test_members(self) -> None:
        """Who is in it is found, in those below it too, and it goes when nobody is."""
        below = f"{self.path}/a/b"
        os.makedirs(below)
        process = subprocess.Popen(["sleep", "600"])
        self.addCleanup(process.wait)
        Path(below, "cgroup.procs").write_text(str(process.pid))
        self.assertEqual([process.pid], members(self.path))
        remove(self.path)
        self.assertTrue(os.path.exists(self.path))
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        remove(self.path)
        self.assertFalse(os.path.exists(self.path))
        self.assertEqual([], members(self.path))

    async def test_joined(self) -> None:
        """What is started in one is in it from the first moment, and ended with all in there."""
        made = self.path

        class Unlimited(Cgroups):
            """Has no controllers."""

            def make(self, name: str, limits: Limits) -> str | None:
                return made

        nursery = Nursery(self, cgroups=Unlimited(None))
        process, witness = nursery.spawn(shell("exec sleep 600"))
        stranger = subprocess.Popen(["sleep", "600"])  # stands for one that lost its mark
        self.addCleanup(stranger.wait)
        Path(made, "cgroup.procs").write_text(str(stranger.pid))
        self.assertEqual({process.pid, stranger.pid}, set(members(made)))
        [left] = nursery.succeed()
        _, watching = nursery.adopt(left)
        process.kill()
        await witness.ended
        await watching.ended
        self.assertEqual(-signal.SIGKILL, stranger.wait())
        self.assertFalse(os.path.exists(made))
