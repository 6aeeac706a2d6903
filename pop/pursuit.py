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

from pop.marks import NONE, marks_of

REACH: Final = 16
"""So many of the youngest are asked at a time: others may start something as well."""
TRIES: Final = 200
"""So often; it takes a few milliseconds."""


def sighted(ours: Callable[[int], bool], tries: int = TRIES) -> Iterator[tuple[int, int]]:
    """The youngest processes whose marks are ours, each once, in the moment in which it is seen.

    Gives their numbers and their marks; they may be dead, but not reaped. None where there are no
    marks; and never this process.
    """
    seen = {os.getpid()}
    for _ in range(tries):
        last = _youngest()
        for pid, mark in marks_of(range(last, max(0, last - REACH), -1)):
            if mark != NONE and pid not in seen and ours(mark):
                seen.add(pid)
                yield pid, mark


def _youngest() -> int:
    """The number that was given out last; 0 if the system does not say."""
    try:
        with open("/proc/loadavg", "rb", 0) as file:
            return int(file.read().split()[-1])
    except OSError:
        return 0
