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
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pop.holes import first_data, punch, require

CHUNK: Final = 1 << 18
LEVEL: Final = 3
"""Of compression: text is packed nearly as well as by the usual 6, in half the time."""


def archives(log: Path) -> list[Path]:
    """The archives of a log, the oldest first."""
    ours = re.compile(re.escape(log.name) + r"-\d{8}T\d{6}\.\d{6}Z\.gz")
    with contextlib.suppress(FileNotFoundError):
        return sorted(path for path in log.parent.iterdir() if ours.fullmatch(path.name))
    return []


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

    @raise NoHoles: this file system cannot do it.
    """
    with _opened(log) as descriptor:
        finish(log, descriptor)
        start = first_data(descriptor)
        end = _line_end(descriptor, start, start + most, most)
        if end > start:
            punch(descriptor, start, end)


def recover(log: Path) -> None:
    """Finish what somebody else began before he was killed."""
    with contextlib.suppress(FileNotFoundError), _opened(log) as descriptor:
        finish(log, descriptor)


def prune(log: Path, keep: int) -> None:
    """Remove the oldest archives."""
    found = archives(log)
    for path in found[: max(0, len(found) - keep)]:
        path.unlink(missing_ok=True)


def finish(log: Path, descriptor: int) -> None:
    """See Note [Whole]."""
    prefix = f"{log.name}-"
    for path in sorted(log.parent.iterdir()):
        if path.name.startswith(prefix) and path.suffix == ".part":
            path.unlink()
        elif path.name.startswith(prefix) and path.suffix == ".whole":
            name, inode, start, end, _ = path.name.rsplit(".", 4)
            if int(inode) == os.fstat(descriptor).st_ino:
                punch(descriptor, int(start), int(end))
            path.rename(path.with_name(f"{name}.gz"))


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
    path = _free_name(log, now)
    part = path.with_name(f"{path.name}.part")
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
    inode = os.fstat(descriptor).st_ino
    part.rename(path.with_name(f"{path.name}.{inode}.{start}.{end}.whole"))
    directory = os.open(log.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _copy(descriptor: int, start: int, end: int, packed: gzip.GzipFile) -> None:
    while start < end:
        data = os.pread(descriptor, min(CHUNK, end - start), start)
        if not data:
            raise OSError(0, "it has become shorter meanwhile")
        packed.write(data)
        start += len(data)


def _free_name(log: Path, now: float) -> Path:
    """A name, without its ending, behind those of all archives there are."""
    found = archives(log)
    stamp = _stamp(now)
    if found and found[-1].name >= f"{log.name}-{stamp}":
        before = datetime.strptime(found[-1].name[-26:-3], "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)
        stamp = _stamp(before.timestamp() + 0.000_010)
    return log.with_name(f"{log.name}-{stamp}")


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
