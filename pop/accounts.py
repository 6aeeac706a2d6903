"""Accounts: whom a process runs as."""

import grp
import os
import pwd

from pop.errors import NotSpawned
from pop.frozen import frozen
from pop.program import Launch


@frozen
class Account:
    """A user with groups; what is L{None} is as the agent has it.

    @ivar name, home: for the variables that say so.
    """

    name: str | None = None
    home: str | None = None
    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] | None = None

    def is_the_agents(self) -> bool:
        """Whether a process need not change anything to have it."""
        return self.uid is None and self.gid is None and self.groups is None

    def variables(self) -> dict[str, str]:
        """What C{login(1)} would set."""
        if self.name is None or self.home is None:
            return {}
        return {"HOME": self.home, "USER": self.name, "LOGNAME": self.name}

    def assume(self) -> None:
        """Be that one, for good.

        @raise OSError: that is not allowed.
        """
        if self.groups is not None:
            os.setgroups(self.groups)
        if self.gid is not None:
            os.setgid(self.gid)
        if self.uid is not None:
            os.setuid(self.uid)


def account_of(launch: Launch) -> Account:
    """Whom something is to run as.

    @raise NotSpawned: there is no such user or group, or the agent may not become that.
    """
    user = None if launch.user is None else _user(launch.user)
    gid = None if launch.group is None else _group(launch.group)
    groups = tuple(_group(name) for name in launch.groups) or None
    name, home = (user.pw_name, user.pw_dir) if user else (None, None)
    if user is None or user.pw_uid == os.geteuid():
        return Account(name, home, None, gid, groups)
    gid = user.pw_gid if gid is None else gid
    own = tuple(os.getgrouplist(user.pw_name, gid))
    return Account(name, home, user.pw_uid, gid, own if groups is None else groups)


def _user(name: str) -> pwd.struct_passwd:
    try:
        user = pwd.getpwnam(name)
    except KeyError as error:
        raise NotSpawned(reason=f'there is no user "{name}"') from error
    if os.geteuid() not in (0, user.pw_uid):
        raise NotSpawned(reason=f'only an agent that is root can run it as "{name}"')
    return user


def _group(name: str) -> int:
    try:
        group = grp.getgrnam(name)
    except KeyError as error:
        raise NotSpawned(reason=f'there is no group "{name}"') from error
    if os.geteuid() != 0:
        raise NotSpawned(reason=f'only an agent that is root can run it in the group "{name}"')
    return group.gr_gid
