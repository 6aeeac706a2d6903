"""Where configurations are kept: in a folder, or wherever a bundle keeps them."""

import json
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from pop.files import File

SERVICE_CONFIGADMIN_PERSISTENCE: Final = "pelix.configadmin.persistence"
"""The name under which a L{Persistence} is registered. New configurations are kept by the best."""
SUFFIX: Final = ".config.js"


class Persistence(Protocol):
    """Keeps configurations beyond the life of the framework.

    What it has is asked for when it is registered, and answered at once: one that has to fetch it
    is registered when it has. C{store} and C{delete} may take their time.
    """

    def get_pids(self) -> Iterable[str]:
        """Of what it has."""

    def load(self, pid: str) -> Mapping[str, Any]:
        """The properties of one; any exception says why it cannot."""

    def store(self, pid: str, properties: Mapping[str, Any]) -> Any:
        """Keep one; any exception says why it cannot."""

    def delete(self, pid: str) -> Any:
        """Keep it no longer; good if it was not kept."""


class Folder:
    """Keeps each configuration in a file of JSON, C{PID.config.js}, which people may edit.

    The folder is made when there is something to be kept. Files are written aside and then put in
    place; they are for their owner only, unless somebody has given them another mode.

    @param run: calls what waits for the disk, with arguments; what it returns is waited for.
    """

    def __init__(
        self, path: Path, run: Callable[..., Any] = lambda call, *arguments: call(*arguments)
    ) -> None:
        self.path = path
        self._run = run

    def get_pids(self) -> list[str]:
        """By the files' names; what else lies there is left alone."""
        if not self.path.is_dir():
            return []
        return sorted(filter(None, (pid_of(file.name) for file in self.path.iterdir())))

    def load(self, pid: str) -> dict[str, Any]:
        """See L{Persistence.load}."""
        found = json.loads(self._file(pid).read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it should be an object")
        return found

    def store(self, pid: str, properties: Mapping[str, Any]) -> Any:
        """See L{Persistence.store}."""
        text = json.dumps(properties, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        return self._run(_write, self._file(pid), text.encode())

    def delete(self, pid: str) -> Any:
        """See L{Persistence.delete}."""
        return self._run(File(self._file(pid)).remove)

    def holds(self, pid: str) -> bool:
        """Whether there is a file."""
        return self._file(pid).exists()

    def _file(self, pid: str) -> Path:
        return self.path / (pid + SUFFIX)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o600
    File(path.resolve(), mode).write(data)


def pid_of(name: str) -> str | None:
    """The PID that a file is named for; L{None} if it is no configuration's."""
    return name.removesuffix(SUFFIX) or None if name.endswith(SUFFIX) else None
