"""Kin: a process and all that it started, and what is known of each of them."""

import contextlib
import os
import re
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import psutil

from pop.frozen import frozen
from pop.marks import NONE

_LONGEST = 4096
"""Bytes that C{/proc/PID/stat} never has."""


@frozen
class Kin:
    """All that came of one process.

    Every child leads a session of its own, and carries a mark; see Note [Marks].

    @ivar leader: the number of that process.
    @ivar began: when it was started, as L{began} says.
    @ivar mark: L{NONE} if it has none.
    @ivar cgroup: the directory of the cgroup that all of them are in, if there is one.
    """

    leader: int
    began: float | None
    mark: int = NONE
    cgroup: str | None = None

    def leads(self) -> bool:
        """Whether the leader is there, dead or alive: its number is not a stranger's."""
        try:
            return self.began is not None and began(self.leader) == self.began
        except OSError:
            return True  # what cannot be looked at is not given up


def send(number: int, pids: Iterable[int]) -> None:
    """Send a signal to processes, any of which may have gone by now."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def began(pid: int) -> float | None:
    """When a process began, in a clock that nobody sets; L{None} if there is none.

    Linux counts ticks since the boot (proc(5), field 22 of C{/proc/PID/stat}); elsewhere it is
    the time of day.

    @raise OSError: it cannot be looked at, as no more files can be opened.
    """
    found = stat(pid)
    if found is None:
        return None if _proc() else _created(pid)
    return float(found[19])


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie; so it is taken to be if it cannot be looked at."""
    try:
        found = stat(pid)
    except OSError:
        return True
    if found is None:
        return not _proc() and _created(pid) is not None
    return found[0] not in (b"Z", b"X")


def process_of(number: int) -> int:
    """The number of the process that a thread, by its own number, is one of.

    Linux answers for any thread as if it were a process, though it lists none but the first.
    """
    try:
        with open(f"/proc/{number}/status", "rb", 0) as file:
            found = re.search(rb"^Tgid:\s*(\d+)", file.read(_LONGEST), re.MULTILINE)
    except OSError:
        return number
    return int(found[1]) if found else number


def age(since: float | None) -> float:
    """Seconds since a process began; 0 if that is not known."""
    if since is None:
        return 0.0
    if _proc():
        return time.clock_gettime(time.CLOCK_BOOTTIME) - since / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_REALTIME) - since


def stat(pid: int) -> list[bytes] | None:
    """The fields of C{/proc/PID/stat} after the name; L{None} if there is no such process.

    @raise OSError: they cannot be read.
    """
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return os.read(descriptor, _LONGEST).rpartition(b")")[2].split()
    except ProcessLookupError:
        return None
    finally:
        os.close(descriptor)


@cache
def _proc() -> bool:
    return os.path.exists("/proc/self/stat")


def _created(pid: int) -> float | None:
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


@cache
def boot() -> str:
    """What tells this boot from all others, where the system knows it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
