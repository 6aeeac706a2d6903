"""The logs of a service's instances, read together: first their last lines, then what is new."""

from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Final

from pop.logs import LogReader, log_files

ROUND: Final = 4
"""Pieces of each log that are read at a time."""


class Tail:
    """Reads all logs of one service, in turns.

    Everything but L{close} may block, for the time that the disk takes; it may be called in a
    thread, one at a time.

    @param directory: where logs lie.
    @param lines: how many of the last lines of each; L{None} for all.
    """

    def __init__(self, directory: Path, service: str, lines: int | None) -> None:
        self._directory = directory
        self._service = service
        self._lines = lines
        self._readers: dict[str, LogReader] = {}
        self._lock = Lock()
        self._closed = False

    def begin(self) -> bool:
        """Go to the last lines; whether there is any log at all."""
        with self._lock:
            for slot, reader in self._new(self._lines):
                reader.seek()
                self._readers[slot] = reader
            return bool(self._readers)

    def more(self, follow: bool) -> list[tuple[str, bytes]]:
        """What comes next, by slots; nothing, if there is nothing just now.

        @param follow: whether what has come since L{begin} counts.
        """
        with self._lock:
            found = list(self._round(follow))
            if not found and follow and not self._closed:  # an instance may have come since
                self._readers.update(self._new(None))
            return found

    def close(self) -> None:
        """Read no more; waits for who is just reading."""
        with self._lock:
            self._closed = True
            for reader in self._readers.values():
                reader.close()
            self._readers.clear()

    def _new(self, lines: int | None) -> list[tuple[str, LogReader]]:
        found = log_files(self._directory, self._service)
        return [(slot, LogReader(path, lines)) for slot, path in found if slot not in self._readers]

    def _round(self, follow: bool) -> Iterator[tuple[str, bytes]]:
        for slot, reader in self._readers.items():
            for _ in range(ROUND):
                data = reader.more() if follow or not reader.caught_up else b""
                if not data:
                    break
                yield slot, data
