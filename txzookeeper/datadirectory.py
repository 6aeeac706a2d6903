"""The directory where a server keeps its data, and that it is the only one to.

In it lie ``tree.sqlite``, which is all data (with ``tree.sqlite-wal`` while a server runs), and
``lock``, which is held while a server lives; its text is that server's process id.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import IO

from txzookeeper.trouble import BadDirectory, DirectoryInUse, NotOurs


class DataDirectory:
    """One server's files."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(os.path.abspath(path))
        self._lock: IO[str] | None = None

    @property
    def store(self) -> Path:
        """Where the data are."""
        return self.path / "tree.sqlite"

    def hold(self) -> None:
        """Make the directory if need be, and keep others out until `release`.

        The lock ends with the process, however that ends; a fork takes it along. Raises
        `BadDirectory`, `DirectoryInUse` or `NotOurs`.
        """
        try:
            self._make()
            lock = os.fdopen(os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600), "r+")
        except OSError as error:
            raise BadDirectory(directory=self.path, reason=_reason(error)) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            with lock:
                raise DirectoryInUse(directory=self.path, holder=_holder(lock.read())) from error
        self._lock = lock
        self.sign()

    def sign(self) -> None:
        """Say who holds it: this process, which a fork makes another one.

        On a full disk nobody is told, which is no reason not to serve what is there.
        """
        assert self._lock is not None
        with suppress(OSError):
            self._lock.seek(0)
            self._lock.truncate()
            self._lock.write(f"{os.getpid()}\n")
            self._lock.flush()

    def release(self) -> None:
        """Let others in."""
        if self._lock is not None:
            with suppress(OSError):
                self._lock.close()
            self._lock = None

    def _make(self) -> None:
        if not self.path.exists():
            self.path.mkdir(mode=0o700, parents=True)
            sync_directory(self.path.parent)
        elif (self.path / "version-2").exists() and not self.store.exists():
            raise NotOurs(directory=self.path)


def sync_directory(directory: Path) -> None:
    """See to it that what was just made in a directory outlives a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _holder(text: str) -> str:
    return f" (process {text.strip()})" if text.strip().isdecimal() else ""


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
