"""The bundle that makes components live in a framework."""

from typing import Any

from pop.components.bundle import BundleActivator
from pop.components.container import SERVICE_IPOPO, Container
from pop.components.context import BundleContext
from pop.components.registry import ServiceRegistration
from pop.components.waiting import SERVICE_WAITING_LIST, WaitingList

__all__ = ["Activator"]


@BundleActivator
class Activator:
    """Registers the container while the bundle is active."""

    def __init__(self) -> None:
        self.container: Container | None = None
        self.waiting: WaitingList | None = None
        self.registrations: list[ServiceRegistration] = []

    def start(self, context: BundleContext) -> None:
        """Take in what there is already."""
        self.container = Container(context)
        self.waiting = WaitingList(self.container)
        self.registrations = [
            context.register_service(SERVICE_IPOPO, self.container),
            context.register_service(SERVICE_WAITING_LIST, self.waiting),
        ]
        self.waiting.start()
        self.container.start()

    def stop(self, context: BundleContext) -> Any:
        """Let all components go."""
        for registration in reversed(self.registrations):
            registration.unregister()
        if self.waiting is not None:
            self.waiting.stop()
        return None if self.container is None else self.container.stop()
