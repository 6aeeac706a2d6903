"""Processes seen from outside, through ``/proc``: who runs, who is new, and what it takes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LOOK_AGAIN = 0.0002
"""Seconds between two looks at what a supervisor does."""
_ARRIVING = 0.05
"""Seconds in which a number may be given, and its process not be there yet."""


class TookTooLong(Exception):
    """What was waited for did not happen."""


@dataclass(frozen=True)
class Weight:
    """What a process has in memory, in KiB: resident, and its share of what several use."""

    resident: int
    shared_out: int


@dataclass(frozen=True)
class Work:
    """What a process has done since it began: CPU seconds, and how often it was woken."""

    seconds: float
    wakeups: int


def pause(seconds: float) -> None:
    """Do nothing for a while."""
    time.sleep(seconds)  # noqa: TID251  # a benchmark is a program without a reactor


def argv(pid: int) -> tuple[str, ...]:
    """Give what a process executes; nothing if it is gone, or dead and not yet reaped."""
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ()
    return tuple(word.decode("utf-8", "replace") for word in text.split(b"\0")[:-1])


def running(wanted: Callable[[tuple[str, ...]], bool]) -> list[int]:
    """Give all processes whose arguments are such."""
    pids = (int(name) for name in os.listdir("/proc") if name.isdecimal())
    return [pid for pid in pids if wanted(argv(pid))]


class Newcomers:
    """Processes that began after this object was made, as soon as they execute what is wanted.

    The kernel tells the number that it gave last (proc(5), ``/proc/loadavg``), so that one look
    costs the same however many processes there are.
    """

    def __init__(self, wanted: Callable[[tuple[str, ...]], bool]) -> None:
        self._wanted = wanted
        self._last = _last_pid()
        self._young: dict[int, float] = {}

    def wait(self, count: int, patience: float) -> float:
        """Return when so many have come; gives when the last did (``time.perf_counter``)."""
        end = time.perf_counter() + patience
        while (now := time.perf_counter()) < end:
            count -= self._come(now)
            if count <= 0:
                return now
            pause(LOOK_AGAIN)
        raise TookTooLong(f"{count} processes had not been started after {patience:g} s")

    def _come(self, now: float) -> int:
        """Count those that execute what is wanted by now, and forget them and the gone."""
        self._young.update(dict.fromkeys(self._born(), now))
        come = 0
        for pid, seen in list(self._young.items()):
            wanted = self._wanted(argv(pid))
            come += wanted
            # One that is just about to execute something has no arguments, but it is there.
            if wanted or (now - seen > _ARRIVING and not os.path.exists(f"/proc/{pid}")):
                del self._young[pid]
        return come

    def _born(self) -> Iterable[int]:
        before, self._last = self._last, _last_pid()
        if self._last >= before:
            return range(before + 1, self._last + 1)
        limit = int(Path("/proc/sys/kernel/pid_max").read_text())
        return [*range(before + 1, limit), *range(self._last + 1)]  # the numbers began anew


def _last_pid() -> int:
    with open("/proc/loadavg") as file:
        return int(file.read().rsplit(None, 1)[1])


def weight(pid: int) -> Weight:
    """Give what a process has in memory."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    found = {words[0]: int(words[1]) for words in map(str.split, lines)}
    return Weight(found["Rss:"], found["Pss:"])


def work(pid: int) -> Work:
    """Give what all threads of a process have done: nanoseconds count (``schedstat``)."""
    spent, wakeups = 0, 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        spent += int((task / "schedstat").read_text().split()[0])
        status = (task / "status").read_text().splitlines()
        wakeups += sum(int(line.split()[1]) for line in status if "ctxt_switches" in line)
    return Work(spent / 1e9, wakeups)


def gone(look: Callable[[], object], patience: float) -> float:
    """Return when a look finds nothing any more; gives when that was."""
    end = time.perf_counter() + patience
    while look():
        if time.perf_counter() > end:
            raise TookTooLong(f"something was still there after {patience:g} s")
        pause(0.001)
    return time.perf_counter()


def alive(pids: Iterable[int]) -> Iterator[int]:
    """Give those that still execute something."""
    return (pid for pid in pids if argv(pid))


def kill(pids: Iterable[int]) -> None:
    """End processes at once."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
