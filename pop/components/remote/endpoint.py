"""An endpoint: something that is registered in one framework and can be called from others."""

from collections.abc import Iterable, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Any

from pop.components.reference import ServiceReference
from pop.components.remote.errors import BadEndpoint
from pop.components.remote.names import (
    PROP_ENDPOINT_FRAMEWORK_UUID,
    PROP_ENDPOINT_ID,
    PROP_ENDPOINT_NAME,
    PROP_ENDPOINT_SERVICE_ID,
    PROP_EXPORT_NONE,
    PROP_EXPORT_ONLY,
    PROP_EXPORT_REJECT,
    PROP_EXPORTED_INTERFACES,
    PROP_IMPORTED,
    PROP_IMPORTED_CONFIGS,
    PROP_IMPORTED_INTERFACES,
    PROP_SYNONYMS,
    texts,
)
from pop.frozen import frozen

_OURS = "python:/"
_KEPT = (".", "service.exported.", "pelix.remote.")
_LOCAL = frozenset(("objectclass", "service.id", "service.bundleid", "service.scope"))
_TEXTS = ("uid", "framework", "name")
_LISTS = ("configurations", "specifications", "methods")


@frozen
class Endpoint:
    """What others need to know of something that they can call.

    @ivar uid: never used again.
    @ivar framework: the unique identifier of the framework that has it.
    @ivar configurations: the kinds of transport that reach it.
    @ivar name: what people call it; no other of its framework has it at the same time.
    @ivar specifications: under which it is registered elsewhere.
    @ivar methods: what may be called.
    @ivar properties: what else is known; values that JSON can carry.
    """

    uid: str
    framework: str
    configurations: tuple[str, ...]
    name: str
    specifications: tuple[str, ...]
    methods: tuple[str, ...] = ()
    properties: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "properties", MappingProxyType(dict(self.properties)))

    def to_json(self) -> dict[str, Any]:
        """As an object of JSON."""
        return {
            **{name: getattr(self, name) for name in _TEXTS},
            **{name: list(getattr(self, name)) for name in _LISTS},
            "properties": dict(self.properties),
        }

    @classmethod
    def from_json(cls, given: Any) -> "Endpoint":
        """What L{to_json} made; what else is in it does not count.

        @raise BadEndpoint: it is something else.
        """
        if not isinstance(given, dict):
            raise BadEndpoint(reason="it is no object")
        for name in _TEXTS:
            if not isinstance(given.get(name), str) or not given[name]:
                raise BadEndpoint(reason=f"{name} should be a text")
        for name in _LISTS:
            if not _are_texts(given.get(name, [])):
                raise BadEndpoint(reason=f"{name} should be a list of texts")
        for name in given.get("methods", ()):
            if not name.isidentifier() or name.startswith("_"):
                raise BadEndpoint(reason=f'"{name}" is no method that can be called')
        if not isinstance(properties := given.get("properties", {}), dict):
            raise BadEndpoint(reason="properties should be an object")
        if not given.get("specifications"):
            raise BadEndpoint(reason="it has no specifications")
        return cls(
            given["uid"],
            given["framework"],
            tuple(given.get("configurations", ())),
            given["name"],
            known_here(given["specifications"]),
            tuple(given.get("methods", ())),
            properties,
        )

    def import_properties(self) -> dict[str, Any]:
        """Those of its registration in another framework."""
        return {
            **self.properties,
            PROP_IMPORTED: True,
            PROP_IMPORTED_CONFIGS: self.configurations,
            PROP_IMPORTED_INTERFACES: self.specifications,
            PROP_ENDPOINT_ID: self.uid,
            PROP_ENDPOINT_NAME: self.name,
            PROP_ENDPOINT_FRAMEWORK_UUID: self.framework,
        }


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each for each in value)


def known_here(specifications: Iterable[str]) -> tuple[str, ...]:
    """Specifications as they are named here: those for Python without saying so, each once."""
    return tuple(dict.fromkeys(each.removeprefix(_OURS) for each in specifications))


def exported_specifications(
    reference: ServiceReference, properties: Mapping[str, Any]
) -> tuple[str, ...]:
    """Under which of its names a registration is to be exported; none if it is not to be.

    @param properties: the registration's, perhaps with others on top.
    """
    if properties.get(PROP_EXPORT_NONE):
        return ()
    wanted = texts(properties.get(PROP_EXPORTED_INTERFACES))
    found = [each for each in reference.specifications if "*" in wanted or each in wanted]
    if only := texts(properties.get(PROP_EXPORT_ONLY)):
        found = [each for each in found if each in only]
    else:
        rejected = texts(properties.get(PROP_EXPORT_REJECT))
        found = [each for each in found if each not in rejected]
    return tuple(found)


def with_synonyms(
    specifications: tuple[str, ...], properties: Mapping[str, Any]
) -> tuple[str, ...]:
    """These names, and those by which others know the same, each once."""
    return tuple(dict.fromkeys((*specifications, *texts(properties.get(PROP_SYNONYMS)))))


def exported_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    """What others are told of a registration: nothing that is private (which begins with a dot), or
    only about this framework, or about exporting, nor what JSON cannot carry."""
    told = {
        name: _plain(value)
        for name, value in properties.items()
        if name.lower() not in _LOCAL and not name.lower().startswith(_KEPT) and _can_be_told(value)
    }
    told[PROP_ENDPOINT_SERVICE_ID] = properties.get("service.id")
    return told


def _can_be_told(value: Any) -> bool:
    if isinstance(value, list | tuple | set | frozenset):
        return all(_can_be_told(each) for each in value)
    if isinstance(value, dict):
        return all(isinstance(name, str) and _can_be_told(each) for name, each in value.items())
    return value is None or isinstance(value, str | int | float | bool)


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return value
