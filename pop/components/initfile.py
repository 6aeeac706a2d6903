"""Files that say what a framework begins with.

A JSON or YAML object with any of C{properties}, C{environment}, C{paths}, C{bundles} and
C{components}, a list of objects with C{factory}, C{name} and C{properties}. Of several files, later
ones add to earlier ones and win over them; one that says C{reset_NAME: true} starts that part anew.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, NamedTuple

from pop.components.errors import BundleException
from pop.frozen import frozen


class BadInitFile(BundleException):
    """The file {path} cannot be used: {reason}."""


class Component(NamedTuple):
    """One component to make."""

    factory: str
    name: str
    properties: dict[str, Any]


@frozen
class Init:
    """What a framework begins with.

    @ivar environment: variables beside those of the process.
    @ivar paths: directories to look for bundles in, before the usual ones.
    """

    properties: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()


_KINDS = {
    "properties": dict,
    "environment": dict,
    "paths": list,
    "bundles": list,
    "components": list,
}


def read(paths: Iterable[str]) -> Init:
    """What some files say together.

    @raise BadInitFile: one cannot be read, or says something else.
    """
    init = Init()
    for path in paths:
        init = _over(init, path, _load(path))
    return init


def _load(path: str) -> dict[str, Any]:
    try:
        text = Path(path).read_text(encoding="utf-8")
        loaded = _parse(path, text)
    except (OSError, ValueError) as error:
        raise BadInitFile(path=path, reason=str(error).rstrip(".")) from error
    if not isinstance(loaded, dict):
        raise BadInitFile(path=path, reason="it should be an object")
    for name, value in loaded.items():
        known = _KINDS.get(name) or (bool if name.removeprefix("reset_") in _KINDS else None)
        if known is None:
            raise BadInitFile(path=path, reason=f"nobody knows what {name} should be")
        if not isinstance(value, known):
            raise BadInitFile(path=path, reason=f"{name} should be a {known.__name__}")
    return loaded


def _parse(path: str, text: str) -> Any:
    if path.endswith((".yaml", ".yml")):
        import yaml

        try:
            found = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ValueError(" ".join(str(error).split())) from error
        return {} if found is None else found  # it may be all comments
    return json.loads(text)


def _over(init: Init, path: str, said: Mapping[str, Any]) -> Init:
    def before(name: str) -> Any:
        return getattr(Init() if said.get(f"reset_{name}") else init, name)

    return Init(
        {**before("properties"), **said.get("properties", {})},
        {**before("environment"), **_texts(said.get("environment", {}))},
        _joined(before("paths"), said.get("paths", [])),
        _joined(before("bundles"), said.get("bundles", [])),
        (*before("components"), *(_component(path, one) for one in said.get("components", []))),
    )


def _texts(variables: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in variables.items()}


def _joined(before: tuple[str, ...], added: list[Any]) -> tuple[str, ...]:
    """Each once, where it came first."""
    return tuple(dict.fromkeys((*before, *map(str, added))))


def _component(path: str, said: Any) -> Component:
    if not isinstance(said, dict) or not said.get("factory") or not said.get("name"):
        raise BadInitFile(path=path, reason="a component has a factory and a name")
    properties = {} if said.get("properties") is None else said["properties"]
    if not isinstance(properties, dict):
        raise BadInitFile(path=path, reason="the properties of a component should be a dict")
    return Component(str(said["factory"]), str(said["name"]), properties)
