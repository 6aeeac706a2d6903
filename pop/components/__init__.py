"""The component framework: bundles, registrations, and components that are given what they require.

Everything that the author of a component needs can be imported from here. It knows nothing of
ZooKeeper, nor of the agent.
"""

from pop.components.broadcast import Replies
from pop.components.bundle import Bundle, BundleActivator, BundleState
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
from pop.components.configured import RequiresConfiguration
from pop.components.container import SERVICE_IPOPO, Container, use_ipopo
from pop.components.context import BundleContext
from pop.components.decorators import (
    ComponentFactory,
    HiddenProperty,
    Instantiate,
    Property,
    Provides,
    SingletonFactory,
)
from pop.components.errors import BundleException, FrameworkException
from pop.components.events import BundleEvent, ServiceEvent
from pop.components.factory import (
    AUTO_RESTART,
    INSTANCE_NAME,
    REQUIRES_FILTERS,
    TEMPORAL_TIMEOUTS,
    FactoryManipulationError,
)
from pop.components.framework import Framework, create_framework
from pop.components.hooks import HANDLER_ID, SERVICE_HANDLER_FACTORY, Handler, IHandlerFactory
from pop.components.life import Phase
from pop.components.notices import IPopoEvent
from pop.components.reference import OBJECTCLASS, SERVICE_ID, SERVICE_RANKING, ServiceReference
from pop.components.registry import ServiceRegistration
from pop.components.requires import (
    Requires,
    RequiresBest,
    RequiresBroadcast,
    RequiresMap,
    RequiresVarFilter,
    Temporal,
)
from pop.components.retry import RETRY
from pop.components.specifications import Specification
from pop.components.syntax import get_ldap_filter
from pop.components.temporal import TemporalException
from pop.components.tracker import Tracker
from pop.components.waiting import SERVICE_WAITING_LIST, WaitingList

__all__ = [
    "ARG_BUNDLE_CONTEXT",
    "ARG_COMPONENT_CONTEXT",
    "ARG_PROPERTIES",
    "AUTO_RESTART",
    "HANDLER_ID",
    "INSTANCE_NAME",
    "OBJECTCLASS",
    "REQUIRES_FILTERS",
    "RETRY",
    "SERVICE_HANDLER_FACTORY",
    "SERVICE_ID",
    "SERVICE_IPOPO",
    "SERVICE_RANKING",
    "SERVICE_WAITING_LIST",
    "TEMPORAL_TIMEOUTS",
    "Bind",
    "BindField",
    "Bundle",
    "BundleActivator",
    "BundleContext",
    "BundleEvent",
    "BundleException",
    "BundleState",
    "ComponentFactory",
    "Container",
    "FactoryManipulationError",
    "Framework",
    "FrameworkException",
    "Handler",
    "HiddenProperty",
    "IHandlerFactory",
    "IPopoEvent",
    "Instantiate",
    "Invalidate",
    "InvalidateComponent",
    "Phase",
    "PostRegistration",
    "PostUnregistration",
    "Property",
    "Provides",
    "Replies",
    "Requires",
    "RequiresBest",
    "RequiresBroadcast",
    "RequiresConfiguration",
    "RequiresMap",
    "RequiresVarFilter",
    "ServiceEvent",
    "ServiceReference",
    "ServiceRegistration",
    "SingletonFactory",
    "Specification",
    "Temporal",
    "TemporalException",
    "Tracker",
    "Unbind",
    "UnbindField",
    "Update",
    "UpdateField",
    "Validate",
    "ValidateComponent",
    "WaitingList",
    "create_framework",
    "get_ldap_filter",
    "use_ipopo",
]
