"""Notes of what an agent runs, so that its successor finds what it left behind.

An agent that is killed cannot stop its services. The next one with the same state directory ends
what it finds noted, so that no service ever runs twice. A process is known by its number, its start
time and the boot, so that no stranger is taken for it.
"""

import contextlib
import json
import os
import signal
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import psutil
from twisted.logger import Logger


class Leftovers:
    """The notes in one directory, a file for each service."""

    _log = Logger()

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def note(self, service: str, pid: int) -> None:
        """Remember a process. There is no older note: that was forgotten at its process's end.

        One small write, since it stands between a service's death and its successor's report.
        """
        known = {"service": service, "pid": pid, "started": started(pid), "boot": boot()}
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        note = os.open(f"{self.directory}/{service}.json", flags, 0o600)
        try:
            os.write(note, json.dumps(known).encode())
        finally:
            os.close(note)

    def forget(self, service: str) -> None:
        """The process has ended."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self.directory}/{service}.json")

    def clear(self) -> None:
        """End all that a predecessor left, with everything in its sessions."""
        for path in sorted(self.directory.glob("*.json")):
            try:
                known = json.loads(path.read_text())
                members = list(_alive(int(known["pid"]), known["started"], known["boot"]))
            except (OSError, ValueError, KeyError, TypeError):
                self._log.warn("The note {path} is broken; passed over.", path=str(path))
            else:
                self._end(path.stem, members)
            path.unlink(missing_ok=True)

    def _end(self, service: str, members: list[int]) -> None:
        if members:
            self._log.warn(
                "{service}: ending what an agent that was killed left behind (pid {pids}).",
                service=service,
                pids=", ".join(map(str, members)),
            )
        send(signal.SIGKILL, members)


def _alive(leader: int, begun: object, booted: str) -> Iterable[int]:
    """What is left of a session. Its number is not given to others while a member lives."""
    now = started(leader)
    if booted != boot() or (now is not None and now != begun):
        return ()
    return session(leader)


def session(leader: int) -> list[int]:
    """All processes in a session, zombies left out."""
    # The youngest first: those live the shortest, and must not have gone before they are asked.
    return [pid for pid in sorted(psutil.pids(), reverse=True) if _inside(pid, leader)]


def _inside(pid: int, leader: int) -> bool:
    try:
        return os.getsid(pid) == leader and started(pid) is not None
    except OSError:
        return False


def send(number: int, pids: list[int]) -> None:
    """Send a signal to processes, any of which may have gone by now."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def started(pid: int) -> float | None:
    """When a process began, in a clock that nobody sets; L{None} if it is gone.

    Linux counts ticks since the boot (proc(5), field 22 of C{/proc/PID/stat}); elsewhere it is
    the time of day.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            after_name = stat.read().rpartition(b")")[2].split()
    except FileNotFoundError:
        return _created(pid) if not Path("/proc/self/stat").exists() else None
    except OSError:
        return None
    return None if after_name[0] == b"Z" else float(after_name[19])


def _created(pid: int) -> float | None:
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


@cache
def boot() -> str:
    """What tells this boot from all others, where the system knows it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
