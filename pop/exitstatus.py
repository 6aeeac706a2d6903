"""How a process ended, even one that is nobody's child here."""

import fcntl
import os
import struct

from pop.kin import stat

_INFO = struct.Struct("=QQ11Ii")
"""C{struct pidfd_info} of C{<linux/pidfd.h>}: mask, cgroup, eleven numbers, exit code."""
_GET_INFO = 3 << 30 | _INFO.size << 16 | 0xFF << 8 | 11
"""C{PIDFD_GET_INFO}, Linux 6.13."""
_EXIT = 1 << 3
"""C{PIDFD_INFO_EXIT}, Linux 6.15: what is known of one that was reaped, too."""


def status_of_dead(pidfd: int, pid: int) -> int | None:
    """The status of a process that has died, as C{Popen.returncode} has it; L{None} if unknown.

    Before it is reaped its zombie says so, afterwards the descriptor does that was
    opened while it lived.
    """
    status = _zombie(pid)
    return _reaped(pidfd) if status is None else status


def _zombie(pid: int) -> int | None:
    """proc(5), field 52 of C{/proc/PID/stat}."""
    try:
        found = stat(pid)
    except OSError:
        return None
    if found is None or found[0] != b"Z":
        return None
    return os.waitstatus_to_exitcode(int(found[49]))


def _reaped(pidfd: int) -> int | None:
    try:
        found = fcntl.ioctl(pidfd, _GET_INFO, _INFO.pack(_EXIT, *[0] * 13))
    except OSError:
        return None
    mask, *_, code = _INFO.unpack(found)
    return os.waitstatus_to_exitcode(code) if mask & _EXIT else None


def reap(pid: int) -> int | None:
    """Wait for a child that has died; L{None} if it is not ours to wait for.

    An agent that was replaced in place is still the parent of what it started.
    """
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return os.waitstatus_to_exitcode(status) if found else None
