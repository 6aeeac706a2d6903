"""The last lines of a text whose older parts are packed away: found by going back over it.

However long the text is, little of it is held at a time.
"""

import contextlib
import gzip
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from pop.archives import named

CHUNK: Final = 60_000
"""Bytes that are read at a time; so many go through the admin protocol in one piece."""


class Lines:
    """How many lines are yet to be found, going backwards from the end of a text.

    @param lines: how many; L{None} for all there are.
    @ivar found: whether no more of the text is wanted.
    """

    def __init__(self, lines: int | None) -> None:
        self.found = lines == 0
        self._left = lines
        self._begun = False

    def back(self, text: bytes) -> int:
        """Go back over what comes before what was seen; gives where in it the lines begin."""
        if self._left is None or self.found or not text:
            return len(text) if self.found else 0
        at = len(text) - self._end(text)
        while (at := text.rfind(b"\n", 0, at)) >= 0:
            self._left -= 1
            if not self._left:
                self.found = True
                return at + 1
        return 0

    def of_archives(self, kept: list[Path]) -> Iterator[bytes]:
        """Go back over archives, the oldest of which is the first, and give what is wanted."""
        chosen: list[Path] = []
        skipped = 0
        for archive in reversed(kept):
            if self.found:
                break
            chosen.insert(0, archive)
            skipped = self._over(archive)
        return _together(_after_lines(_texts(chosen), skipped))

    def _end(self, text: bytes) -> bool:
        """Whether its end is that of the last line, which is no line of its own."""
        begun, self._begun = self._begun, True
        return not begun and text.endswith(b"\n")

    def _over(self, archive: Path) -> int:
        """How many of an archive's lines come before those that are wanted."""
        count, last = 0, b""
        for last in () if self._left is None else unpacked(archive):
            count += last.count(b"\n")
        if self._left is None or not last:
            return 0
        count -= self._end(last)
        self.found = count >= self._left
        skipped = count - self._left + 1 if self.found else 0
        self._left -= min(count, self._left)
        return skipped


def last_bytes(kept: list[Path], size: int) -> Iterator[bytes]:
    """The last so many bytes of archives, or all there are."""
    chosen: list[Path] = []
    for archive in reversed(kept):
        if size <= 0:
            break
        chosen.insert(0, archive)
        size -= sum(map(len, unpacked(archive)))
    return _together(_after_bytes(_texts(chosen), max(0, -size)))


def unpacked(archive: Path) -> Iterator[bytes]:
    """An archive's text in pieces; as much as can be read, if it is damaged, or was removed."""
    for path in (archive, named(archive)):
        with contextlib.suppress(FileNotFoundError), gzip.open(path) as file:
            with contextlib.suppress(OSError, EOFError, zlib.error):
                while piece := file.read(CHUNK):
                    yield piece
            return


def _texts(chosen: Iterable[Path]) -> Iterator[bytes]:
    return chain.from_iterable(map(unpacked, chosen))


def _after_lines(pieces: Iterator[bytes], count: int) -> Iterator[bytes]:
    for piece in pieces:
        at = 0
        while count and (end := piece.find(b"\n", at)) >= 0:
            at, count = end + 1, count - 1
        if not count:
            yield piece[at:]


def _after_bytes(pieces: Iterator[bytes], count: int) -> Iterator[bytes]:
    for piece in pieces:
        yield piece[count:]
        count -= min(count, len(piece))


def _together(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same text in pieces that are no smaller than need be."""
    rest = b""
    for piece in pieces:
        rest += piece
        if len(rest) >= CHUNK:
            yield rest[:CHUNK]
            rest = rest[CHUNK:]
    if rest:
        yield rest
