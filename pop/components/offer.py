"""What a component registers while it is valid."""

from typing import Any

from zope.interface import implementedBy

from pop.components.context import BundleContext
from pop.components.factory import Provision
from pop.components.reference import ServiceReference
from pop.components.registry import ServiceRegistration

__all__ = ["Offer"]


class Offer:
    """One registration of one component, or the intention to make one."""

    __slots__ = ("provision", "registration")

    def __init__(self, provision: Provision) -> None:
        self.provision = provision
        self.registration: ServiceRegistration | None = None

    @property
    def reference(self) -> ServiceReference | None:
        """What others see of it, while it is there."""
        return None if self.registration is None else self.registration.reference

    def wanted(self, instance: Any) -> bool:
        """Whether its controller says that it should be there."""
        controller = self.provision.controller
        return controller is None or bool(getattr(instance, controller))

    def make(self, context: BundleContext, instance: Any, properties: dict[str, Any]) -> None:
        """Register it.

        @raise BundleException: the registry refuses it.
        """
        provision = self.provision
        self.registration = context.register_service(
            provision.specifications or implied(type(instance)),
            instance,
            properties,
            factory=provision.factory,
            prototype=provision.prototype,
        )


def implied(cls: type) -> list[Any]:
    """What a class is registered as that does not say: what it implements, or its parents."""
    interfaces = list(implementedBy(cls))
    parents = [base for base in cls.__bases__ if base is not object]
    return interfaces or parents or [cls]
