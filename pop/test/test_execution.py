"""What a process is given that the agent itself has not."""

import grp
import os
import pwd
import shutil
import tempfile
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase, TestCase

from pop.errors import BadSetting, NotSpawned
from pop.interfaces import ISettings
from pop.policy import UNLIMITED, Limits
from pop.program import Launch, Program
from pop.settings import validate
from pop.test.processes import Nursery, kin, living, shell, turn


class Tests(TestCase):
    """A nursery for each test."""

    timeout = 20

    def setUp(self) -> None:
        self.nursery = Nursery(self)

    async def said(self, script: str, name: str = "web", **more: object) -> str:
        """What a shell script writes."""
        return (await self.nursery.finish(shell(script, **more), name)).strip()

    def refused(self, launch: Launch) -> str:
        """Why something cannot be started."""
        error = self.assertRaises(NotSpawned, self.nursery.spawn, launch)
        self.assertRegex(str(error), r"\A[^\n]*[^.]\.\Z")
        return str(error)


class LimitTests(Tests):
    """Resource limits and the umask."""

    async def test_rlimits(self) -> None:
        """Each limit is set, soft and hard, whatever the agent's is."""
        limits = Limits((("core", 0, 0), ("nofile", 64, 128), ("cpu", 1000, UNLIMITED)))
        script = "ulimit -c; ulimit -n; ulimit -Hn; ulimit -t; ulimit -Ht"
        self.assertEqual("0\n64\n128\n1000\nunlimited", await self.said(script, limits=limits))

    async def test_little_memory(self) -> None:
        """A limit that is less than what the agent uses does not hit before the program runs."""
        limits = Limits((("as", 32 << 20, 32 << 20), ("stack", 1 << 20, 1 << 20)))
        self.assertEqual(str(32 << 10), await self.said("ulimit -v", limits=limits))

    def test_above(self) -> None:
        """A limit above what the agent may have is refused."""
        limits = Limits((("nofile", 1 << 40, 1 << 40),))
        self.assertIn("its limit of nofile cannot be set: ", self.refused(shell("", limits=limits)))

    async def test_umask(self) -> None:
        """The umask is what is asked for, by either way of starting."""
        self.assertEqual("0027", await self.said("umask", umask=0o027))
        limits = Limits((("core", 0, 0),))
        self.assertEqual("0007", await self.said("umask", "other", umask=0o007, limits=limits))

    async def test_same(self) -> None:
        """What is started the slower way is otherwise as what is started the fast one."""
        # Readline, where another test has loaded it, writes these into the C library's environment.
        env = "env | grep -v '^COLUMNS=' | grep -v '^LINES=' | sort"
        script = f"pwd; {env}; ls /proc/self/fd | wc -l; umask; cut -d' ' -f6 /proc/$$/stat"
        script = f"({script}) | sed s/^$$\\$/PID/"  # the session's number, and no part of another
        fast = (await self.said(script)).splitlines()
        self.nursery.log().unlink()
        limits = Limits((("core", 0, 0),))
        slow = (await self.said(script, limits=limits)).splitlines()
        self.assertEqual(fast, slow)

    async def test_marked(self) -> None:
        """So is its mark."""
        process, _ = self.nursery.spawn(shell("exec sleep 600", limits=Limits((("core", 0, 0),))))
        self.assertEqual([process.pid], living(kin(process.pid)))
        self.assertNotEqual(kin(os.getpid()).mark, kin(process.pid).mark)

    def test_refused(self) -> None:
        """What cannot be started is refused in the same words by either way."""
        for argv in ("/no/such/program", "no-such-program", "/etc/passwd"):
            program = Program((argv,))
            fast = self.refused(Launch(program))
            self.assertEqual(fast, self.refused(Launch(program, limits=Limits((("core", 0, 0),)))))


class AccountTests(Tests):
    """Users and groups."""

    def setUp(self) -> None:
        super().setUp()
        if os.geteuid():
            raise SkipTest("only root may run processes of others")
        reachable = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, reachable)
        os.chmod(reachable, 0o711)
        self.nursery = Nursery(self, Path(reachable, "state"))
        self.group = grp.getgrall()[-1]

    async def test_group(self) -> None:
        """Its group is another than its user's, who keeps the others."""
        said = await self.said("id -un; id -g", user="nobody", group=self.group.gr_name)
        self.assertEqual(f"nobody\n{self.group.gr_gid}", said)

    async def test_group_alone(self) -> None:
        """A group can be had without another user."""
        said = await self.said("id -u; id -g", group=self.group.gr_name)
        self.assertEqual(f"0\n{self.group.gr_gid}", said)

    async def test_groups(self) -> None:
        """Supplementary groups take the place of the user's own."""
        said = await self.said("id -G", user="nobody", groups=(self.group.gr_name,))
        own = pwd.getpwnam("nobody").pw_gid
        self.assertEqual({own, self.group.gr_gid}, set(map(int, said.split())))

    def test_nobody(self) -> None:
        """A group that is not there is refused."""
        self.assertEqual(
            'there is no group "no-such".', self.refused(shell("true", group="no-such"))
        )
        self.assertEqual(
            'there is no group "no-such".', self.refused(shell("true", groups=("no-such",)))
        )

    def test_not_root(self) -> None:
        """A group is nothing that an agent can give which is not root."""
        self.addCleanup(os.seteuid, 0)
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
        self.assertEqual(
            f'only an agent that is root can run it in the group "{self.group.gr_name}".',
            self.refused(shell("true", group=self.group.gr_name)),
        )

    async def test_all_of_it(self) -> None:
        """All that another user's processes start is found and ended, wherever it goes."""
        script = "setsid sh -c 'echo up; exec sleep 600' & exec sleep 600"
        process, witness = self.nursery.spawn(shell(script, user="nobody"))
        family = kin(process.pid)
        while not self.nursery.log().read_text():
            await turn()
        self.assertEqual(2, len(living(family)))
        process.kill()
        await witness.ended
        self.assertEqual([], living(family))

    def test_no_way_in(self) -> None:
        """A directory that its user may not enter is refused, although root itself may."""
        path = Path(self.mktemp()).absolute()
        path.mkdir(mode=0o700)
        self.assertEqual(
            f"its directory {path} cannot be entered: Permission denied.",
            self.refused(shell("true", user="nobody", directory=str(path))),
        )

    def test_no_way_to_the_program(self) -> None:
        """So is a program that its user may not execute."""
        path = self.nursery.path / "program"
        path.write_text("#!/bin/sh\n")
        path.chmod(0o700)
        launch = Launch(Program((str(path),)), user="nobody")
        self.assertIn("may not be executed", self.refused(launch))


class SettingTests(SynchronousTestCase):
    """What may be asked for."""

    def test_limits(self) -> None:
        """Limits that make no sense are refused when they are set."""
        self.assertEqual(
            {"nofile": "10:20", "core": "unlimited"},
            validate("any", ISettings, {"limits": {"nofile": "10:20", "core": "unlimited"}}).limits,
        )
        for limits in ({"nofile": "many"}, {"nofile": "20:10"}, {"files": "1"}):
            self.assertRaises(BadSetting, validate, "any", ISettings, {"limits": limits})
