"""Making a component: its object, its first properties, and what will meet its requirements."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from pop.components.code import reason_of
from pop.components.component import Component
from pop.components.context import BundleContext
from pop.components.dependencies import make_dependency
from pop.components.errors import BadFilter, NotConstructed
from pop.components.factory import INSTANCE_NAME, REQUIRES_FILTERS, FactoryContext
from pop.components.fields import COMPONENT
from pop.components.requirement import KINDS, VARIABLE_FILTER, Requirement
from pop.components.syntax import get_ldap_filter

if TYPE_CHECKING:
    from pop.components.container import Container

__all__ = ["assemble", "construct"]

log = Logger()


def construct(cls: type, name: str, declared: FactoryContext) -> Any:
    """The object of a component.

    @raise NotConstructed: with the reason, whatever it is.
    """
    try:
        instance = cls()
    except Exception as error:
        raise NotConstructed(
            component=name, factory=declared.name, reason=reason_of(error)
        ) from error
    if not hasattr(instance, "__dict__"):
        reason = "nothing can be injected into an object that has slots only"
        raise NotConstructed(component=name, factory=declared.name, reason=reason)
    return instance


def assemble(
    container: "Container",
    declared: FactoryContext,
    context: BundleContext,
    name: str,
    instance: Any,
    given: Mapping[str, Any],
) -> Component:
    """A component that is ready to be started, around its object."""
    component = Component(container, declared, context, name, instance, dict(given))
    _set_properties(component)
    for kind, fields in declared.configurations.items():
        if kind in KINDS:
            for field, requirement in fields.items():
                requirement = _filtered(component, kind, field, requirement)
                made = make_dependency(component, kind, field, requirement)
                component.dependencies.append(made)
    instance.__dict__[COMPONENT] = component
    return component


def _set_properties(component: Component) -> None:
    """What was given comes first, then what the framework says, then the class."""
    declared, values = component.declared, component.instance.__dict__
    given = _undotted(component.given, declared.hidden) if declared.hidden else component.given
    for target, defaults, fields in (
        (component.properties, declared.properties, declared.property_fields),
        (component.hidden, declared.hidden, declared.hidden_fields),
    ):
        names = {name: field for field, name in fields.items()}
        for name, default in defaults.items():
            value = given[name] if name in given else component.context.get_property(name)
            if value is None and name not in given:
                value = default if default is not None else values.get(names[name])
            target[name] = values[names[name]] = value
    for name, value in given.items():
        if name not in component.hidden and name != INSTANCE_NAME:
            component.properties[name] = value


def _undotted(given: Mapping[str, Any], hidden: Mapping[str, Any]) -> Mapping[str, Any]:
    """A hidden property may be given with a dot before its name, as when it is changed."""
    return {
        name[1:] if name.startswith(".") and name[1:] in hidden else name: value
        for name, value in given.items()
    }


def _filtered(component: Component, kind: str, field: str, requirement: Requirement) -> Requirement:
    """With the filter that this one component was given for a field."""
    filters = component.given.get(REQUIRES_FILTERS)
    if not isinstance(filters, Mapping) or field not in filters:
        return requirement
    text = filters[field]
    try:
        if kind != VARIABLE_FILTER:
            get_ldap_filter(text)
    except BadFilter as error:
        log.error(
            "{component} keeps the filter of {field}: {error}",
            component=component.name,
            field=field,
            error=error,
        )
        return requirement
    return replace(requirement, filter=text or None)
