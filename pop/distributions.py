"""Distributions: what is installed in an environment, since when, and where it came from."""

import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import Distribution, distributions
from pathlib import Path

from pop.construction import SOURCES
from pop.frozen import frozen
from pop.recipe import normal


@frozen
class Installed:
    """One of them.

    @ivar time: when it was installed; seconds since the epoch, L{None} if that is not known.
    @ivar source: its address, as far as it is known.
    """

    name: str
    version: str
    time: float | None
    source: str

    @property
    def key(self) -> str:
        """Its name as indexes compare it."""
        return normal(self.name)

    @property
    def when(self) -> str:
        """When it was installed, ISO 8601 in UTC, to the second."""
        if self.time is None:
            return ""
        return datetime.fromtimestamp(self.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def to_object(self) -> dict[str, str]:
        """As JSON has it."""
        return {
            "name": self.name,
            "version": self.version,
            "installed": self.when,
            "source": self.source,
        }


def installed(environment: Path) -> list[Installed]:
    """All that is installed in an environment, by name."""
    sources = _sources(environment)
    places = [str(path) for path in environment.glob("lib*/python*/site-packages")]
    found = {each.key: each for each in (_one(d, sources) for d in distributions(path=places))}
    return [found[key] for key in sorted(found)]


def table(found: Iterable[Installed]) -> str:
    """The same for people."""
    rows = [("NAME", "VERSION", "INSTALLED", "SOURCE")]
    rows += [(each.name, each.version, each.when, each.source) for each in found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _one(found: Distribution, sources: dict[str, str]) -> Installed:
    name = found.metadata["Name"]
    source = _direct(found) or sources.get(normal(name)) or sources.get("", "")
    return Installed(name, found.version, _time(found), source)


def _direct(found: Distribution) -> str | None:
    """What PEP 610 notes for what was installed by its address."""
    with suppress(ValueError, KeyError, TypeError):
        return str(json.loads(found.read_text("direct_url.json") or "")["url"])
    return None


def _time(found: Distribution) -> float | None:
    """That of its directory: the files in it may be as old as those in a cache."""
    with suppress(OSError, AttributeError):
        return Path(found._path).stat().st_mtime  # type: ignore[attr-defined]
    return None


def _sources(environment: Path) -> dict[str, str]:
    with suppress(OSError, ValueError):
        found = json.loads((environment / SOURCES).read_bytes())
        return {normal(name): str(url) for name, url in found.items()}
    return {}
