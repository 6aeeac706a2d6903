"""What is shown of factories and components."""

from typing import TYPE_CHECKING, Any

from pop.components.reference import SERVICE_ID

if TYPE_CHECKING:
    from pop.components.component import Component
    from pop.components.dependency import Dependency
    from pop.components.inventory import Factory

__all__ = ["factory_details", "instance_details"]


def instance_details(component: "Component") -> dict[str, Any]:
    """What is known of a component; values of properties as texts, and nothing that is hidden."""
    offered = [offer.reference for offer in component.offers if offer.reference is not None]
    return {
        "name": component.name,
        "factory": component.declared.name,
        "bundle_id": component.bundle.get_bundle_id(),
        "state": component.state,
        "error_trace": component.error_trace,
        "services": {reference.get_property(SERVICE_ID): reference for reference in offered},
        "dependencies": {
            dependency.field: _dependency_details(dependency)
            for dependency in component.dependencies
        },
        "properties": {
            name: str(value)
            for name, value in {**component.properties, "instance.name": component.name}.items()
        },
    }


def _dependency_details(dependency: "Dependency") -> dict[str, Any]:
    requirement = dependency.requirement
    names = requirement.names
    return {
        "handler": type(dependency).__name__,
        "specification": names[0],
        "specifications": names,
        "match_any": requirement.match_any,
        "filter": requirement.filter,
        "optional": requirement.optional,
        "aggregate": requirement.aggregate,
        "bindings": dependency.bindings(),
    }


def factory_details(factory: "Factory") -> dict[str, Any]:
    """What a factory declares."""
    declared = factory.declared
    return {
        "name": declared.name,
        "bundle": factory.context.get_bundle(),
        "properties": dict(declared.properties),
        "hidden_properties": dict(declared.hidden),
        "requirements": [
            {
                "id": field,
                "specification": requirement.names[0],
                "specifications": requirement.names,
                "match_any": requirement.match_any,
                "aggregate": requirement.aggregate,
                "optional": requirement.optional,
                "filter": requirement.filter,
            }
            for field, requirement in declared.requirements().items()
            if hasattr(requirement, "names")
        ],
        "services": [
            {specification: provision.controller for specification in provision.specifications}
            for provision in declared.provisions
        ],
        "handlers": {
            handler_id: dict(fields) for handler_id, fields in declared.configurations.items()
        },
    }
