"""Reading the logs of a service on this machine: the last lines, and what is written since.

The archives and the live file are one text (see L{pop.rotation}). A reader goes by the offset in
the live file, which stays what it is: what was rotated away before it was read has become zeros,
and is found at the end of the archives.
"""

import contextlib
import gzip
import os
import zlib
from glob import escape
from pathlib import Path
from typing import Final

from pop.archives import archives, named
from pop.rotation import beginning

CHUNK: Final = 1 << 16
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

    def close(self) -> None:
        """Read no more."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def beginning(self) -> bytes:
        """The last lines of what is there now."""
        kept, content = self._settled()
        parts = [content]
        count = content.count(b"\n")
        for archive in reversed(kept):
            if self._lines is not None and count >= self._lines + 1:
                break
            parts.append(_unpacked(archive))
            count += parts[-1].count(b"\n")
        text = b"".join(reversed(parts))
        return text if self._lines is None else _last(text, self._lines)

    def more(self) -> bytes:
        """What was written since; a log that was made anew is read from its beginning."""
        if self._descriptor < 0 and not self._open():
            return b""
        data = os.pread(self._descriptor, CHUNK, self._offset)
        if b"\0" in data:
            kept, start = self._state()
            if start > self._offset:
                return self._rotated(kept, start)
        if not data and self._is_gone():
            self.close()
            self._offset = 0
        self._offset += len(data)
        return data

    def _open(self) -> bool:
        with contextlib.suppress(FileNotFoundError):
            self._descriptor = os.open(self._path, os.O_RDONLY)
            return True
        return False

    def _settled(self) -> tuple[list[Path], bytes]:
        """The archives and the content behind them, from between two rotations."""
        if self._descriptor < 0 and not self._open():
            return archives(self._path), b""
        for _ in range(ATTEMPTS):
            kept, start = self._state()
            content = self._content(start)
            if (kept, start) == self._state():
                break
        return kept, content

    def _state(self) -> tuple[list[Path], int]:
        """The archives, and where in the live file the rest begins."""
        for _ in range(ATTEMPTS):
            kept = archives(self._path)
            start = beginning(kept, self._descriptor)
            if kept == archives(self._path):
                break
        return kept, start

    def _content(self, start: int) -> bytes:
        """The end of the live file, with as many lines as are asked for if it has them."""
        self._offset = at = os.fstat(self._descriptor).st_size
        parts: list[bytes] = []
        count = 0
        while at > start and (self._lines is None or count <= self._lines):
            begin = max(start, at - CHUNK)
            parts.append(os.pread(self._descriptor, at - begin, begin))
            count += parts[-1].count(b"\n")
            at = begin
        return b"".join(reversed(parts))

    def _rotated(self, kept: list[Path], start: int) -> bytes:
        """What was not read before it was archived: the end of the archives."""
        missing, self._offset = start - self._offset, start
        parts: list[bytes] = []
        for archive in reversed(kept):
            if missing <= sum(map(len, parts)):
                break
            parts.append(_unpacked(archive))
        return b"".join(reversed(parts))[-missing:]

    def _is_gone(self) -> bool:
        try:
            return os.stat(self._path).st_ino != os.fstat(self._descriptor).st_ino
        except FileNotFoundError:
            return False


def _unpacked(archive: Path) -> bytes:
    """An archive's text; none if it was removed, or damaged, meanwhile."""
    for path in (archive, named(archive)):
        with contextlib.suppress(OSError, EOFError, zlib.error), gzip.open(path) as file:
            return file.read()
    return b""


def _last(text: bytes, lines: int) -> bytes:
    """The last lines of a text."""
    if not lines:
        return b""
    at = len(text) - text.endswith(b"\n")
    for _ in range(lines):
        at = text.rfind(b"\n", 0, at)
        if at < 0:
            return text
    return text[at + 1 :]
