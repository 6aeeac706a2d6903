"""Construction: how an environment is made, beside those there are, and what is said of it after.

It blocks, and takes as long as the network does: it belongs in a process of its own.
"""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pop.environments import inherited, is_complete, leftovers, link_of
from pop.errors import NotBuilt
from pop.files import sync_directory
from pop.installer import NOWHERE, Installer, Say, interpreter, run
from pop.model import dump, loads
from pop.recipe import Recipe

RECIPE: Final = "pop-recipe.json"
SOURCES: Final = "pop-sources.json"
_IMPORT: Final = """
import sys
from importlib import import_module
from importlib.util import find_spec
for text in sys.argv[1:]:
    module, colon, path = text.partition(":")
    if colon:
        found = import_module(module)
        for name in filter(None, path.split(".")):
            found = getattr(found, name)
    elif find_spec(module) is None:
        raise ModuleNotFoundError("No module named %r" % module)
"""


def construct(directory: Path, recipe: Recipe, installer: Installer, say: Say) -> Path:
    """Make the environment of a recipe, and see that it is good; one that is there is.

    @param directory: of the service's environments.
    @return: the link to it.
    @raise NotBuilt: it cannot be made. Then nothing is left of it.
    """
    if not is_complete(directory, recipe):
        with _draft(directory, recipe) as draft:
            _fill(draft, recipe, installer, say)
            _link(draft, link_of(directory, recipe))
    return link_of(directory, recipe)


def also(directory: Path, recipe: Recipe, other: Recipe) -> None:
    """Another recipe has the same environment: what one says loosely, the other says exactly."""
    made = Path(os.path.realpath(link_of(directory, recipe)))
    if other != recipe and not is_complete(directory, other):
        _write(made / RECIPE, other.to_object())
        _link(made, link_of(directory, other))


def recipe_of(link: Path) -> Recipe | None:
    """What an environment was made from; L{None} if it does not say."""
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
        return Recipe.from_object(loads((link / RECIPE).read_bytes()))
    return None


def tidy(directory: Path) -> None:
    """Remove what was left half made."""
    for path in leftovers(directory):
        with contextlib.suppress(OSError), _locked(path):
            shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _draft(directory: Path, recipe: Recipe) -> Iterator[Path]:
    """A directory that is being filled, and is known to be by its lock."""
    try:
        draft = Path(tempfile.mkdtemp(prefix=f"{recipe.key[:8]}-", dir=directory))
    except OSError as error:
        raise NotBuilt(reason=f"{directory}: {error.strerror}") from error
    try:
        with _locked(draft):
            yield draft
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """@raise BlockingIOError: somebody else is at it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _fill(draft: Path, recipe: Recipe, installer: Installer, say: Say) -> None:
    environment = inherited(os.environ)
    say(f"Building a Python environment in {draft} with {installer.name}.")
    # Without an environment of the agent's Python: that is to find pip, and perhaps itself.
    run(installer.make(draft, interpreter(recipe)), say)
    if recipe.merged():
        with tempfile.TemporaryDirectory() as place:
            report = Path(place) / "report.json"
            run(installer.install(draft, recipe, report), say)
            _write(draft / SOURCES, {"": _usual(recipe), **_sources(report)})
        run(installer.check(draft), say)
    python = str(draft / "bin" / "python")
    run([python, "-c", _IMPORT, *recipe.imports], say, env=environment)
    _write(draft / RECIPE, recipe.to_object())
    _settle(draft)
    say("Built.")


def _usual(recipe: Recipe) -> str:
    """Where what is not reported came from, as far as that can be known."""
    return " ".join(recipe.find_links) if recipe.index == NOWHERE else recipe.index or "index"


def _sources(report: Path) -> dict[str, str]:
    """Where each distribution came from, as pip's report says."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        found = json.loads(report.read_bytes())["install"]
        return {item["metadata"]["name"]: item["download_info"]["url"] for item in found}
    return {}


def _write(path: Path, value: Any) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.write_bytes(dump(value))
    os.replace(draft, path)


def _settle(draft: Path) -> None:
    """Not before all of it outlives a power cut is it complete."""
    if subprocess.run(["sync", "-f", str(draft)], check=False, capture_output=True).returncode:
        os.sync()


def _link(made: Path, link: Path) -> None:
    aside = link.with_name(f".{link.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    aside.symlink_to(made.name)
    os.replace(aside, link)
    sync_directory(link.parent)


def say(line: str) -> None:
    """Print it at once."""
    print(line, flush=True, file=sys.stdout)
