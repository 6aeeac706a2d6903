"""The component framework: bundles, registrations, and components that are given what they require.

Everything that the author of a component needs can be imported from here. It knows nothing of
ZooKeeper, nor of the agent.
"""

from pop.components.callbacks import (
    ARG_BUNDLE_CONTEXT,
    ARG_COMPONENT_CONTEXT,
    ARG_PROPERTIES,
    Bind,
    BindField,
    Invalidate,
    InvalidateComponent,
    PostRegistration,
    PostUnregistration,
    Unbind,
    UnbindField,
    Update,
    UpdateField,
    Validate,
    ValidateComponent,
)
from pop.components.decorators import (
    ComponentFactory,
    HiddenProperty,
    Instantiate,
    Property,
    Provides,
    SingletonFactory,
)
from pop.components.factory import FactoryManipulationError
from pop.components.requires import (
    Requires,
    RequiresBest,
    RequiresBroadcast,
    RequiresMap,
    RequiresVarFilter,
    Temporal,
)

__all__ = [
    "ARG_BUNDLE_CONTEXT",
    "ARG_COMPONENT_CONTEXT",
    "ARG_PROPERTIES",
    "Bind",
    "BindField",
    "ComponentFactory",
    "FactoryManipulationError",
    "HiddenProperty",
    "Instantiate",
    "Invalidate",
    "InvalidateComponent",
    "PostRegistration",
    "PostUnregistration",
    "Property",
    "Provides",
    "Requires",
    "RequiresBest",
    "RequiresBroadcast",
    "RequiresMap",
    "RequiresVarFilter",
    "SingletonFactory",
    "Temporal",
    "Unbind",
    "UnbindField",
    "Update",
    "UpdateField",
    "Validate",
    "ValidateComponent",
]
