"""Marks: what a process and all that it starts carry, so that they are found wherever they hide.

Note [Marks]: Linux has looked at the limit of file locks for the last time in 2001, but still hands
it down from parent to child, through fork, exec, setsid and a new environment, and tells anybody
who asks. So each child is given a limit of its own there, which limits nothing, and whoever has
that number belongs to it: daemons that left its session, and those that an agent left behind when
it was killed. It costs one system call for each process on the machine to find them all.

The upper half of the number says whose agent's it is: so nothing is lost even when an agent was
killed between starting a process and noting it. Elsewhere than on Linux there are no marks, and a
child's session has to do.
"""

import hashlib
import os
import re
import resource
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

LOCKS = 10
"""RLIMIT_LOCKS of C{<asm-generic/resource.h>}, which Python does not name."""
NONE = 0
GONE = -2
"""Stands for the mark of a process that is not there any more."""
_BITS = 31


class Marks:
    """Gives out the marks of one agent.

    @param directory: the agent's own; its successor has the same.
    """

    def __init__(self, directory: Path) -> None:
        found = directory.stat()
        known = hashlib.sha256(f"{found.st_dev} {found.st_ino}".encode()).digest()
        self._ours = int.from_bytes(known[:4], "big") >> 1 | 1

    def new(self) -> int:
        """A mark that nothing else has."""
        return self._ours << _BITS | int.from_bytes(os.urandom(4), "big") >> 1

    def has(self, mark: int) -> bool:
        """Whether this agent, or a predecessor, has given it out."""
        return mark >> _BITS == self._ours


@contextmanager
def marked(mark: int) -> Iterator[int]:
    """What is started meanwhile has a mark; gives it, or L{NONE} where that cannot be."""
    try:
        before = resource.prlimit(0, LOCKS)  # type: ignore[attr-defined,unused-ignore]
        resource.setrlimit(LOCKS, (mark, before[1]))
    except (AttributeError, OSError, ValueError):
        yield NONE
        return
    try:
        yield mark
    finally:
        resource.setrlimit(LOCKS, before)


def marks_of(pids: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Processes with their marks; those that are dead, but not reaped, still have theirs.

    L{NONE} says that one's cannot be known, L{GONE}, that it is not there.
    """
    prlimit = getattr(resource, "prlimit", None)
    root = os.geteuid() == 0
    for pid in pids:
        try:
            yield pid, prlimit(pid, LOCKS)[0] if prlimit else NONE
        except ProcessLookupError:
            yield pid, GONE
        except PermissionError:
            # Root may lack CAP_SYS_RESOURCE, as in containers; others have no children of others.
            yield pid, _written(pid) if root else NONE


def _written(pid: int) -> int:
    """The same from C{/proc/PID/limits}, which anybody may read, but which takes its time."""
    try:
        with open(f"/proc/{pid}/limits", "rb", 0) as file:
            found = re.search(rb"^Max file locks +(\d+)", file.read(), re.MULTILINE)
    except OSError:
        return NONE
    return int(found[1]) if found else NONE
