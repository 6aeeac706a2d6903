"""Reading the logs of a service on this machine: the last lines, and what is written since.

The archives and the live file are one text (see L{pop.rotation}). A reader goes by the offset in
the live file, which stays what it is: what was rotated away before it was read has become zeros,
and is found at the end of the archives. However long a text is, little of it is held at a time.
"""

import contextlib
import os
from collections.abc import Iterator
from glob import escape
from pathlib import Path
from typing import Final

from pop.archives import archives
from pop.lines import CHUNK, Lines, last_bytes
from pop.rotation import beginning

ATTEMPTS: Final = 100
"""So often a rotation may come between looking at the archives and at the file."""


def log_files(directory: Path, service: str) -> list[tuple[str, Path]]:
    """The logs of a service's processes, by slot, in order; empty if it has none here."""
    first = directory / f"{service}.log"
    found = [(service, first)] if first.exists() or archives(first) else []
    others = directory.glob(f"{escape(service)}.log.*")
    numbers = sorted(int(path.suffix[1:]) for path in others if path.suffix[1:].isdecimal())
    return found + [(f"{service}/{n}", directory / f"{service}.log.{n}") for n in numbers]


class LogReader:
    """One log, read from its end, and followed from there.

    @param lines: how many of the last lines to begin with; L{None} for all there are.
    """

    def __init__(self, path: Path, lines: int | None) -> None:
        self._path = path
        self._lines = lines
        self._descriptor = -1
        self._offset = 0
        self._until = 0
        self._backlog = b""
        self._archived: Iterator[bytes] = iter(())

    def close(self) -> None:
        """Read no more."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def beginning(self) -> bytes:
        """The last lines of what is there now, all at once."""
        self.seek()
        parts = []
        while not self.caught_up and (part := self.more()):
            parts.append(part)
        return b"".join(parts)

    def seek(self) -> None:
        """Go to the last lines of what is there now; L{more} gives them piece by piece."""
        if self._descriptor < 0 and not self._open():
            kept, lines = archives(self._path), Lines(self._lines)
        else:
            kept, lines = self._settled()
        self._read_archives(lines.of_archives(kept))

    @property
    def caught_up(self) -> bool:
        """Whether all has been read that was there at the time of L{seek}."""
        return not self._backlog and self._offset >= self._until

    def more(self) -> bytes:
        """What comes next; nothing, if there is nothing yet. A log that was made anew is read from
        its beginning."""
        if self._backlog:
            return self._next_archived()
        if self._descriptor < 0 and not self._open():
            return b""
        data = os.pread(self._descriptor, CHUNK, self._offset)
        if b"\0" in data:
            kept, start = self._state()
            if start > self._offset:
                return self._rotated(kept, start)
        if not data and self._is_gone():
            self.close()
            self._offset = self._until = 0
        self._offset += len(data)
        return data

    def _open(self) -> bool:
        with contextlib.suppress(FileNotFoundError):
            self._descriptor = os.open(self._path, os.O_RDONLY)
            return True
        return False

    def _settled(self) -> tuple[list[Path], Lines]:
        """The archives, and which lines are to come from them, from between two rotations."""
        for _ in range(ATTEMPTS):
            kept, start = self._state()
            lines = self._find(start)
            if (kept, start) == self._state():
                break
        return kept, lines

    def _state(self) -> tuple[list[Path], int]:
        """The archives, and where in the live file the rest begins."""
        for _ in range(ATTEMPTS):
            kept = archives(self._path)
            start = beginning(kept, self._descriptor)
            if kept == archives(self._path):
                break
        return kept, start

    def _find(self, start: int) -> Lines:
        """Go back in the live file to where the lines begin, or to its beginning."""
        lines = Lines(self._lines)
        self._until = self._offset = os.fstat(self._descriptor).st_size
        if self._lines is None:
            self._offset = start
        while self._offset > start and not lines.found:
            begin = max(start, self._offset - CHUNK)
            data = os.pread(self._descriptor, self._offset - begin, begin)
            self._offset = begin + lines.back(data)
        return lines

    def _rotated(self, kept: list[Path], start: int) -> bytes:
        """What was not read before it was archived: the end of the archives."""
        missing, self._offset = start - self._offset, start
        self._read_archives(last_bytes(kept, missing))
        return self._next_archived()

    def _read_archives(self, archived: Iterator[bytes]) -> None:
        self._archived = archived
        self._backlog = next(archived, b"")

    def _next_archived(self) -> bytes:
        piece, self._backlog = self._backlog, next(self._archived, b"")
        return piece

    def _is_gone(self) -> bool:
        try:
            return os.stat(self._path).st_ino != os.fstat(self._descriptor).st_ino
        except FileNotFoundError:
            return False
