"""Installers: uv where there is one, else pip; what they are told, and what they say."""

import os
import re
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from pop.errors import NotBuilt
from pop.recipe import Recipe

Say = Callable[[str], None]
"""Takes what an installer prints, line by line."""

REMEMBERED: Final = 400
"""Lines of it that are looked through for what went wrong."""
LONGEST: Final = 400
"""Characters of that which people are shown."""
NOWHERE: Final = "none"
"""The index of those who want none."""
_ECHOES: Final = ("Could not find a version that satisfies", "ResolutionImpossible")
_ERRORS: Final = ("ERROR: ", "error: ", "cause: ", "Caused by: ")
_NOTES: Final = ("WARNING:", "warning:", "[notice]", "hint:")


class Installer:
    """Makes virtual environments and installs into them; override the command lines."""

    name: str

    def make(self, directory: Path, python: str) -> list[str]:
        """What makes an empty environment."""
        raise NotImplementedError

    def install(self, directory: Path, recipe: Recipe, report: Path) -> list[str]:
        """What installs into it.

        @param report: where to write what came from where, if it can.
        """
        raise NotImplementedError

    def check(self, directory: Path) -> list[str]:
        """What finds out whether all that is installed has what it requires."""
        raise NotImplementedError


class Uv(Installer):
    """The fast one."""

    name = "uv"

    def __init__(self, program: str) -> None:
        self._program = program

    def make(self, directory: Path, python: str) -> list[str]:
        return [*self._uv("venv"), "--no-project", f"--python={python}", str(directory)]

    def install(self, directory: Path, recipe: Recipe, report: Path) -> list[str]:
        pip = [*self._uv("pip"), "install", "--compile-bytecode", f"--python={_python(directory)}"]
        return [*pip, *_sources(recipe), "--", *recipe.merged()]

    def check(self, directory: Path) -> list[str]:
        return [*self._uv("pip"), "check", f"--python={_python(directory)}"]

    def _uv(self, command: str) -> list[str]:
        return [self._program, "--no-progress", "--color=never", command]


class Pip(Installer):
    """The one that is always there: pop's own pip, working on another environment."""

    name = "pip"

    def make(self, directory: Path, python: str) -> list[str]:
        return [python, "-m", "venv", "--without-pip", str(directory)]

    def install(self, directory: Path, recipe: Recipe, report: Path) -> list[str]:
        pip = [*self._pip(directory), "install", f"--report={report}", "--progress-bar=off"]
        return [*pip, *_sources(recipe), "--", *recipe.merged()]

    def check(self, directory: Path) -> list[str]:
        return [*self._pip(directory), "check"]

    def _pip(self, directory: Path) -> list[str]:
        quiet = ("--no-input", "--disable-pip-version-check")
        return [sys.executable, "-P", "-m", "pip", f"--python={_python(directory)}", *quiet]


def installer(path: str | None = None) -> Installer:
    """The one to use.

    @param path: where to look for uv, beside the directory of pop's own programs.
    """
    own = os.path.dirname(sys.executable)
    found = shutil.which("uv", path=os.pathsep.join(filter(None, [own, path])))
    return Uv(found) if found else Pip()


def interpreter(recipe: Recipe) -> str:
    """The Python that a recipe asks for."""
    return recipe.python or sys.executable


def run(argv: Sequence[str], say: Say, **more: Any) -> None:
    """Run one of the command lines to its end.

    @raise NotBuilt: it failed, with the heart of what it said.
    """
    kept: deque[str] = deque(maxlen=REMEMBERED)
    try:
        with subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            **more,
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                kept.append(line.rstrip())
                say(line.rstrip())
    except OSError as error:
        raise NotBuilt(reason=f"{argv[0]}: {error.strerror}") from error
    if process.returncode:
        how = f"{os.path.basename(argv[0])} exited with status {process.returncode}"
        raise NotBuilt(reason=words(list(kept)) or how)


def words(lines: Sequence[str]) -> str:
    """The heart of what an installer, or Python, said of a failure."""
    plain = [line.strip() for line in lines if line.strip()]
    plain = [line for line in plain if not line.startswith(_NOTES)]
    errors = [line.partition(": ")[2] for line in plain if line.startswith(_ERRORS)]
    boxed = next((plain[i:] for i, line in enumerate(plain) if line.startswith("\u00d7")), [])
    text = (
        "; ".join(dict.fromkeys(_said_once(errors)))
        or " ".join(re.sub(r"^[^\w\"'.]+", "", line) for line in boxed)
        or "".join(plain[-1:])
    )
    return text.rstrip(".") if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _said_once(lines: list[str]) -> list[str]:
    """Without what pip says again in other words."""
    return [line for line in lines if not line.startswith(_ECHOES)] or lines


def _sources(recipe: Recipe) -> list[str]:
    index = {"": [], NOWHERE: ["--no-index"]}.get(recipe.index, [f"--index-url={recipe.index}"])
    return [*index, *(f"--find-links={place}" for place in recipe.find_links)]


def _python(directory: Path) -> str:
    return str(directory / "bin" / "python")
