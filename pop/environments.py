"""Python environments: where those of each service lie, and which there are.

Note [Links]: an environment cannot be moved once its programs are installed. So each is made in a
directory of its own, and only when it is complete and checked does a symbolic link named by its
recipe's key lead there: an environment is complete or absent, whatever happens meanwhile. A link's
time says when the environment was last put to use.
"""

import contextlib
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from pop.directories import own_directory, passing_mode
from pop.errors import NoEnvironment, NotSpawned
from pop.recipe import Recipe

FAILURE: Final = "failure"
"""The file, beside the environments, with the heart of why the last one could not be built."""
ALIEN: Final = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
"""Variables of the agent's own Python, which would confuse another."""
KEPT: Final = 2
"""Environments that are not in use and kept all the same, so that there is a way back."""


def link_of(directory: Path, recipe: Recipe) -> Path:
    """Where a recipe's environment is to be found among those of its service."""
    return directory / recipe.key


def is_complete(directory: Path, recipe: Recipe) -> bool:
    """Whether there is an environment, and an interpreter in it: the system's may be gone."""
    return (link_of(directory, recipe) / "bin" / "python").exists()


class Environments:
    """The environments of all services in one state directory."""

    def __init__(self, state_dir: Path) -> None:
        self._root = state_dir / "environments"

    def of(self, service: str) -> Path:
        """Where those of a service lie."""
        return self._root / service

    def make(self, service: str, uid: int | None, gid: int | None) -> None:
        """Make that directory, for those who are to run the service.

        @param uid, gid: L{None} for the agent's own.
        @raise NotSpawned: it cannot be made.
        """
        own = self.of(service)
        try:
            own_directory(self._root, passing_mode())
            own.mkdir(mode=0o700, exist_ok=True)
            if uid is not None and own.stat().st_uid != uid:
                os.chown(own, uid, -1 if gid is None else gid)
        except OSError as error:
            raise NotSpawned(reason=f"cannot make {own}: {error.strerror}") from error

    def has(self, service: str, recipe: Recipe) -> bool:
        """Whether a recipe's environment is there."""
        return is_complete(self.of(service), recipe)

    def find(self, service: str, recipe: Recipe) -> Path:
        """A recipe's environment.

        @raise NoEnvironment: it is not there.
        """
        if not self.has(service, recipe):
            raise NoEnvironment(service=service)
        return link_of(self.of(service), recipe)

    def variables(self, service: str, recipe: Recipe, path: str) -> dict[str, str]:
        """What makes programs run in an environment, if there is one.

        @param path: what else is on the C{PATH}.
        """
        own = self.of(service)
        if not is_complete(own, recipe):
            return {}
        here = os.path.realpath(link_of(own, recipe))
        return {"VIRTUAL_ENV": here, "PATH": f"{here}/bin{os.pathsep}{path}"}

    def used(self, service: str, recipe: Recipe) -> None:
        """An environment is put to use.

        @raise NotSpawned: it is not there.
        """
        if not self.has(service, recipe):
            raise NotSpawned(reason="its Python environment is not there; it will be built anew")
        with contextlib.suppress(OSError):
            os.utime(link_of(self.of(service), recipe), follow_symlinks=False)

    def services(self) -> list[str]:
        """The services that have any."""
        return sorted(path.name for path in _entries(self._root))

    def unused(self, service: str, used: Collection[str], kept: int = KEPT) -> list[Path]:
        """Links to environments that nobody needs, those used last left out.

        @param used: keys of recipes that are in use.
        """
        idle = [path for path in links(self.of(service)) if path.name not in used]
        return idle[kept:]

    def places(self, service: str) -> set[str]:
        """The directories that links lead to."""
        return {os.path.realpath(path) for path in links(self.of(service))}


def links(directory: Path) -> list[Path]:
    """The links to all complete environments, those used last first."""
    found = [path for path in _entries(directory) if path.is_symlink()]
    return sorted(found, key=lambda path: path.lstat().st_mtime_ns, reverse=True)


def leftovers(directory: Path) -> Iterator[Path]:
    """Directories that no link leads to: what is being made, or was left half made."""
    known = {os.path.realpath(path) for path in links(directory)}
    for path in _entries(directory):
        if path.is_dir() and not path.is_symlink() and os.path.realpath(path) not in known:
            yield path


def _entries(directory: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return list(directory.iterdir())
    return []


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """What of the agent's variables is of use in an environment."""
    return {name: value for name, value in environment.items() if name not in ALIEN}
