"""Small files in which an agent keeps something for the next one."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from twisted.logger import Logger

from pop.model import Json, dump, loads


class IFile(Protocol):
    """What holds some bytes, whole at any moment, from one agent to the next."""

    def read(self) -> bytes | None:
        """What it holds; L{None} if there is none.

        @raise OSError: it cannot be read.
        """

    def write(self, data: bytes) -> None:
        """Hold this and nothing else from now on, also after a power cut.

        @raise OSError: it cannot be written; then it holds what it held.
        """

    def remove(self) -> None:
        """Hold nothing; good if there is nothing."""


class File:
    """A file that only its owner may read, written aside and then put into its place.

    @param mode: another, for one that others may read.
    """

    def __init__(self, path: Path, mode: int = 0o600) -> None:
        self._path = path
        self._mode = mode

    def read(self) -> bytes | None:
        """See L{IFile.read}."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None

    def write(self, data: bytes) -> None:
        """See L{IFile.write}."""
        draft = f"{self._path}.new"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, self._mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(draft, self._path)
        sync_directory(self._path.parent)

    def remove(self) -> None:
        """See L{IFile.remove}."""
        self._path.unlink(missing_ok=True)


def sync_directory(directory: Path) -> None:
    """See to it that what was put into a directory outlives a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Record:
    """A JSON value in a file, which is of use to its owner only.

    Whatever is wrong with the file, an agent can do without: that is logged, and no more.

    @param owner: what must be the same for those who write it and those who read it.
    """

    _log = Logger()

    def __init__(self, name: str, file: IFile, owner: Mapping[str, str]) -> None:
        self._name = name
        self._file = file
        self._owner = dict(owner)
        self._written: bytes | None = None

    def read(self) -> Json | None:
        """The value; L{None} if there is none, or it is damaged, or somebody else's."""
        try:
            data = self._file.read()
            found = None if data is None else loads(data)
        except (OSError, ValueError, RecursionError) as error:
            self._log.warn("Passing over the {name}: {error}", name=self._name, error=error)
            return None
        if not isinstance(found, dict) or found.get("owner") != self._owner:
            return None
        return found.get("value")

    def write(self, value: Json) -> None:
        """Keep a value; one that is kept already costs nothing."""
        data = dump({"owner": self._owner, "value": value})
        if data == self._written:
            return
        try:
            self._file.write(data)
        except OSError as error:
            reason = error.strerror or error
            self._log.error("Cannot keep the {name}: {reason}", name=self._name, reason=reason)
        else:
            self._written = data

    def remove(self) -> None:
        """Keep nothing any more."""
        self._written = None
        with contextlib.suppress(OSError):
            self._file.remove()
