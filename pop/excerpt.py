"""An excerpt of a log: what one run of a program wrote last, among all that others wrote there.

The journal has how far the log had come when each process began and when it ended. So what was
written between these is of one run, however many there have been since.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pop.frozen import frozen
from pop.holes import first_data
from pop.journal import Entry
from pop.slots import filename

LINES: Final = 10
"""How many of the last lines."""
LONGEST: Final = 500
"""Characters of a line that are kept."""
REACH: Final = 16 << 10
"""Bytes in which they are looked for."""


@frozen
class Excerpt:
    """What a program that failed wrote last.

    @ivar end: of that run, as the journal has it.
    """

    end: Entry
    lines: tuple[str, ...]


def of_failure(directory: Path, entries: Sequence[Entry], last: int) -> Excerpt | None:
    """What was written last before the latest failure; L{None} if there was none, it wrote
    nothing, or that cannot be read here any more; or it is not known where it began to.

    @param directory: where the logs lie.
    @param entries: of one service, the oldest first.
    @param last: among how many of them a failure is looked for.
    """
    places = range(len(entries) - 1, max(-1, len(entries) - 1 - last), -1)
    place = next((n for n in places if entries[n].exit and entries[n].failures), None)
    if place is None:
        return None
    end = entries[place]
    # Where its own entry has none, as an older agent's, what ended before it is as good.
    known = [n.log for n in entries[:place] if n.slot == end.slot and n.log is not None]
    if end.log is None or not known:
        return None
    log = directory / filename(end.slot, ".log")
    try:
        lines = _last_lines(log, known[-1], end.log)
    except OSError:
        return None
    return Excerpt(end, lines) if lines else None


def _last_lines(log: Path, begin: int, end: int) -> tuple[str, ...]:
    """The last lines that were written from one size of a log to another.

    Archives are not looked into: a run that is of interest has ended lately.
    """
    begin = 0 if begin > end else begin  # somebody removed the log, and it was made anew
    with open(log, "rb") as file:
        if end > os.fstat(file.fileno()).st_size:
            return ()
        first = max(begin, first_data(file.fileno()))  # rotated away are whole lines
        start = max(first, end - REACH)
        data = os.pread(file.fileno(), max(0, end - start), start)
    lines = [line.rstrip() for line in data.decode("utf-8", "replace").split("\n")]
    whole = lines if start == first or len(lines) == 1 else lines[1:]
    return tuple(line[:LONGEST] for line in whole if line)[-LINES:]
