"""Rotating a log while its writers write: what is there is archived, then taken out of the file.

Note [Holes]: the writers hold the file open and append to it, so it can neither be moved away nor
cut off without losing what they write meanwhile. But its beginning can be made a hole (see
L{pop.holes}), up to the end of a line: nobody writes there any more. So what a log contains is what
comes behind the zeros at its head, and that is all the state there is.

Note [Whole]: an archive is written aside (C{.part}), put on the disk, and renamed to say which
bytes of which file it holds (C{.whole}); then these bytes are punched out, and it gets its own
name. Whatever ends us in between, the next one finishes the same: to punch twice is to punch once.
So each line is in one place.
"""

import contextlib
import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pop.archives import Range, draft, named, prune, stock, taken, whole
from pop.files import sync_directory
from pop.holes import first_data, punch, require

CHUNK: Final = 1 << 18
LEVEL: Final = 3
"""Of compression: text is packed nearly as well as by the usual 6, in half the time."""


def rotate(log: Path, now: float, most: int) -> bool:
    """Archive a log's lines, so many bytes at most; whether there were any.

    What has no line end is left until there is as much of it as that; then it is cut.

    @param now: the time of day in seconds, for the archive's name.
    @raise NoHoles: this file system cannot do it; nothing was changed.
    @raise OSError: the disk is full, or the like; nothing was lost.
    """
    with _opened(log) as descriptor:
        finish(log, descriptor)
        start = first_data(descriptor)
        end = _line_end(descriptor, start, min(start + most, os.fstat(descriptor).st_size), most)
        if end <= start:
            return False
        require(descriptor)
        _archive(log, descriptor, start, end, now)
        finish(log, descriptor)
    return True


def content(log: Path) -> int:
    """How many bytes a log contains, archives not counted."""
    with _opened(log) as descriptor:
        return os.fstat(descriptor).st_size - first_data(descriptor)


def discard(log: Path, most: int) -> None:
    """Throw away a log's first lines, so many bytes at most: they would be pruned at once.

    What is older goes before them, so that who follows the log never takes that for them.

    @raise NoHoles: this file system cannot do it.
    """
    with _opened(log) as descriptor:
        finish(log, descriptor)
        start = first_data(descriptor)
        end = _line_end(descriptor, start, start + most, most)
        if end > start:
            require(descriptor)
            prune(log, 0)
            punch(descriptor, end)


def recover(log: Path) -> None:
    """Finish what somebody else began before he was killed."""
    with contextlib.suppress(FileNotFoundError), _opened(log) as descriptor:
        finish(log, descriptor)


def finish(log: Path, descriptor: int) -> None:
    """See Note [Whole]."""
    for path in stock(log.parent).get(log.name, []):
        if path.suffix == ".part":
            path.unlink()
        elif left := taken(path):
            if left.inode == os.fstat(descriptor).st_ino:
                punch(descriptor, left.end)
            path.rename(named(path))


def beginning(kept: list[Path], descriptor: int) -> int:
    """Where in a log begins what is in none of its archives, while others may be rotating it."""
    begin = first_data(descriptor)
    left = taken(kept[-1]) if kept else None
    if left and left.inode == os.fstat(descriptor).st_ino:
        return max(begin, left.end)
    return begin


@contextlib.contextmanager
def _opened(log: Path) -> Iterator[int]:
    descriptor = os.open(log, os.O_RDWR)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _line_end(descriptor: int, start: int, end: int, most: int) -> int:
    """Where the last whole line ends in a range; its end, if there is none in so many bytes."""
    at = end
    while at > start:
        begin = max(start, at - CHUNK)
        found = os.pread(descriptor, at - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        at = begin
    return end if end - start >= most else start


def _archive(log: Path, descriptor: int, start: int, end: int, now: float) -> None:
    part = draft(log, now)
    raw = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(raw, "wb") as file:
            with gzip.GzipFile("", "wb", LEVEL, file, mtime=now) as packed:
                _copy(descriptor, start, end, packed)
            file.flush()
            os.fsync(raw)
    except BaseException:
        part.unlink()
        raise
    part.rename(whole(part, Range(os.fstat(descriptor).st_ino, start, end)))
    sync_directory(log.parent)


def _copy(descriptor: int, start: int, end: int, packed: gzip.GzipFile) -> None:
    while start < end:
        data = os.pread(descriptor, min(CHUNK, end - start), start)
        if not data:
            raise OSError(0, "it has become shorter meanwhile")
        packed.write(data)
        start += len(data)
