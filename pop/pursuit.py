"""Pursuit: of what moves from process to process more quickly than all of them can be looked at.

Note [Pursuit]: what forks and ends at once, again and again, may never be there any more when it is
asked for what was found in a list of all processes. But its successor is among the youngest, and
Linux says which number it has given out last (proc(5), C{/proc/loadavg}). To ask those few takes
some microseconds, less than a fork does. What is seen so is killed soon after, and sooner or later
in the middle of a fork, which comes to nothing then.
"""

import os
from collections.abc import Callable, Iterator
from typing import Final

from pop.marks import GONE, NONE, marks_of

REACH: Final = 16
"""So many of the youngest are asked at a time: others may start something as well."""
TRIES: Final = 200
"""So often at most; it takes a few milliseconds."""
STILL: Final = 3
"""So often in a row without anything new, and who is there has been asked.

Once would do, but for one whose number is given out already while its parent is still forking it.
"""


def sighted(ours: Callable[[int], bool], tries: int = TRIES) -> Iterator[tuple[int, int]]:
    """The youngest processes whose marks are ours, each once, in the moment in which it is seen.

    Gives their numbers and their marks; they may be dead, but not reaped, and threads, which have
    numbers too. None where there are no marks; and never this process.
    """
    asked: set[int] = set()
    before = still = 0
    for _ in range(tries):
        last = _youngest()
        still = still + 1 if last == before else 0
        if still == STILL:
            return
        before = last
        youngest = range(last, max(0, last - REACH), -1)
        for pid, mark in marks_of(pid for pid in youngest if pid not in asked):
            if mark == GONE:
                continue  # or not quite there yet
            asked.add(pid)
            if mark != NONE and ours(mark) and not os.path.exists(f"/proc/self/task/{pid}"):
                yield pid, mark


def _youngest() -> int:
    """The number that was given out last; 0 if the system does not say."""
    try:
        with open("/proc/loadavg", "rb", 0) as file:
            return int(file.read().split()[-1])
    except OSError:
        return 0
