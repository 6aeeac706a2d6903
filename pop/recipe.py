"""Recipes: what a Python environment is made from."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from pop.frozen import frozen
from pop.model import dump

_NAME = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(\[[^]]*\])?\s*(.*)", re.S)


@frozen
class Recipe:
    """All that decides what is in an environment; equal recipes need only one.

    @ivar requirements: what it is for, as pip takes them.
    @ivar packages: what was put on top; of two of the same name this one counts.
    @ivar find_links: directories and addresses with distributions.
    @ivar index: where else to look; C{""} for the installer's own choice, C{"none"} for nowhere.
    @ivar python: the interpreter; C{""} for the one that runs pop.
    @ivar imports: modules that must be there, C{package.module:name} for something in them.
    """

    requirements: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    index: str = ""
    python: str = ""
    imports: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The name of what is made by it."""
        return hashlib.sha256(dump(self.to_object())).hexdigest()[:20]

    def merged(self) -> list[str]:
        """What the installer is to install."""
        found: dict[str, str] = {}
        for text in (*self.requirements, *self.packages):
            found[distribution(text) or text] = text
        return sorted(found.values())

    def to_object(self) -> dict[str, Any]:
        """As JSON has it."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def from_object(cls, found: Mapping[str, Any]) -> "Recipe":
        """What L{to_object} gave, perhaps another version's."""
        known = {field.name: found[field.name] for field in fields(cls) if field.name in found}
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in known.items()
        }
        return cls(**values)


def distribution(requirement: str) -> str | None:
    """Which distribution is required, its name as indexes compare it; L{None} for a path or URL."""
    found = _NAME.fullmatch(requirement)
    if not found or (found[3] and found[3][0] not in "=<>!~;@("):
        return None
    return normal(found[1])


def normal(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_bare(requirement: str) -> bool:
    """Whether any version of it will do."""
    found = _NAME.fullmatch(requirement)
    return bool(found and not found[3])


def with_packages(packages: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """Packages with further ones, which replace those of the same name."""
    known = {distribution(text) or text: text for text in (*packages, *more)}
    return tuple(known.values())
