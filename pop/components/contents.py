"""What the files of a folder hold."""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

Digests = Mapping[str, bytes]
"""What files hold, as digests, by the files' names."""


class _Seen(NamedTuple):
    """A file, as it was when somebody looked.

    @ivar mark: what changes when its content does, as a rule: times, size and inode.
    @ivar settled: that was the same the time before, so that its next change will be seen by it.
    """

    mark: tuple[int, ...]
    digest: bytes
    settled: bool


def digest_of(path: str) -> bytes:
    """Of what a file holds.

    @raise OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


class Contents:
    """Looks at the files of a folder, again and again.

    A file is read when it is not marked as before, and once more the next time: clocks of file
    systems are coarse, and whoever writes twice within a tick marks a file once.

    @param digest: of the file of a name.
    """

    def __init__(self, path: Path, digest: Callable[[str], bytes] = digest_of) -> None:
        self._path = path
        self._digest = digest
        self._seen: dict[str, _Seen] = {}

    def look(self) -> Digests:
        """What there is now; what cannot be looked at is as it was, be it a file or the folder."""
        try:
            with os.scandir(self._path) as entries:
                found = [(entry.name, self._see(entry)) for entry in entries if entry.is_file()]
        except OSError:
            pass
        else:
            self._seen = {name: seen for name, seen in found if seen is not None}
        return {name: seen.digest for name, seen in self._seen.items()}

    def _see(self, entry: os.DirEntry[str]) -> _Seen | None:
        before = self._seen.get(entry.name)
        try:
            stat = os.stat(entry)
            mark = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)
            same = before is not None and before.mark == mark
            if before is not None and same and before.settled:
                return before
            digest = self._digest(entry.path)
        except OSError:
            return before
        return _Seen(mark, digest, same)
