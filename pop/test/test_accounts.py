"""Whom a process runs as, by the names that its settings have."""

import grp
import os
import pwd
import subprocess
import sys

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from pop.accounts import Account, account_of
from pop.errors import NotSpawned
from pop.program import Launch, Program

PLAIN = Program(("true",))
ROOT = os.geteuid() == 0
NOBODY = pwd.getpwnam("nobody")
GROUP = grp.getgrgid(NOBODY.pw_gid).gr_name
ASSUME = """
import os, sys
from pop.accounts import Account, account_of
from pop.errors import NotSpawned
from pop.program import Launch, Program
def launch(**who):
    return Launch(Program(("true",)), **who)
def refused(**who):
    try:
        return f"is allowed {account_of(launch(**who))}"
    except NotSpawned as error:
        return error
account_of(launch(user="nobody", group=sys.argv[1], groups=("daemon",))).assume()
print(os.getresuid(), os.getresgid(), os.getgroups())
print(refused(user="root"))
print(refused(group="daemon"))
print(refused(user="nobody"))
"""
"""Run by a process of root's, which becomes another; then it is an agent that is not root."""


def launch(
    user: str | None = None, group: str | None = None, groups: tuple[str, ...] = ()
) -> Launch:
    """What is to be run so."""
    return Launch(PLAIN, user=user, group=group, groups=groups)


class NamesTests(SynchronousTestCase):
    """What names come to."""

    def refused(self, who: Launch) -> str:
        """The sentence why that cannot be."""
        return str(self.assertRaises(NotSpawned, account_of, who))

    def test_the_agents(self) -> None:
        """Without any name it is whoever the agent is, and nothing is said of a home."""
        account = account_of(launch())
        self.assertEqual((Account(), {}), (account, account.variables()))
        self.assertTrue(account.is_the_agents())

    def test_own_name(self) -> None:
        """The agent's own user needs no change, but the variables say who it is."""
        me = pwd.getpwuid(os.geteuid())
        account = account_of(launch(user=me.pw_name))
        self.assertTrue(account.is_the_agents())
        expected = {"HOME": me.pw_dir, "USER": me.pw_name, "LOGNAME": me.pw_name}
        self.assertEqual(expected, account.variables())

    def test_unknown(self) -> None:
        """Who is not known on this machine is named."""
        self.assertIn('there is no user "no-such"', self.refused(launch(user="no-such")))
        self.assertIn('there is no group "no-such"', self.refused(launch(group="no-such")))
        self.assertIn('there is no group "no-such"', self.refused(launch(groups=("no-such",))))

    def test_changes(self) -> None:
        """Each of user, group and groups is a change by itself."""
        for account in (Account(uid=1), Account(gid=1), Account(groups=())):
            self.assertFalse(account.is_the_agents())


class OthersTests(SynchronousTestCase):
    """What an agent that is root may do, and others may not."""

    def setUp(self) -> None:
        if not ROOT:
            raise SkipTest("only root may run processes of others")

    def test_user(self) -> None:
        """A user comes with that user's own groups and home, unless others are named."""
        account = account_of(launch(user="nobody"))
        self.assertEqual(("nobody", NOBODY.pw_dir), (account.name, account.home))
        self.assertEqual((NOBODY.pw_uid, NOBODY.pw_gid), (account.uid, account.gid))
        own = os.getgrouplist("nobody", NOBODY.pw_gid)
        self.assertEqual(sorted(own), sorted(account.groups or ()))

    def test_groups(self) -> None:
        """Groups that are named take the place of the user's own."""
        daemon = grp.getgrnam("daemon").gr_gid
        account = account_of(launch("nobody", "daemon", (GROUP,)))
        self.assertEqual((daemon, (NOBODY.pw_gid,)), (account.gid, account.groups))
        other = account_of(launch("nobody", "daemon"))
        self.assertIn(daemon, other.groups or ())

    def test_only_groups(self) -> None:
        """The agent's user may run in other groups."""
        daemon = grp.getgrnam("daemon").gr_gid
        self.assertEqual(Account(gid=daemon), account_of(launch(group="daemon")))
        self.assertEqual(Account(groups=(daemon,)), account_of(launch(groups=("daemon",))))

    def test_assumed(self) -> None:
        """Whoever assumes an account is that one for good, in every respect; an agent that is not
        root then becomes nobody else, nor enters a group, but may name itself."""
        done = subprocess.run(
            [sys.executable, "-c", ASSUME, GROUP],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual("", done.stderr)
        ids, root, group, same = done.stdout.splitlines()
        daemon = grp.getgrnam("daemon").gr_gid
        expected = f"{(NOBODY.pw_uid,) * 3} {(NOBODY.pw_gid,) * 3} {[daemon]}"
        self.assertEqual(expected, ids)
        self.assertIn('only an agent that is root can run it as "root"', root)
        self.assertIn('only an agent that is root can run it in the group "daemon"', group)
        self.assertIn("is allowed", same)
