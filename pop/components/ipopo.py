"""The bundle that makes components live in a framework."""

from typing import Any

from pop.components.bundle import BundleActivator
from pop.components.container import SERVICE_IPOPO, Container
from pop.components.context import BundleContext
from pop.components.registry import ServiceRegistration

__all__ = ["Activator"]


@BundleActivator
class Activator:
    """Registers the container while the bundle is active."""

    def __init__(self) -> None:
        self.container: Container | None = None
        self.registration: ServiceRegistration | None = None

    def start(self, context: BundleContext) -> None:
        """Take in what there is already."""
        self.container = Container(context)
        self.registration = context.register_service(SERVICE_IPOPO, self.container)
        self.container.start()

    async def stop(self, context: BundleContext) -> Any:
        """Let all components go."""
        if self.registration is not None:
            self.registration.unregister()
        if self.container is not None:
            await self.container.stop()
