"""From configurations to components, for as long as there is a container of them."""

from typing import Any

from pop.components.configuration.admin import (
    SERVICE_CONFIGADMIN_MANAGED_FACTORY,
    ConfigurationAdmin,
)
from pop.components.configuration.configuration import PID
from pop.components.configuration.followers import Followers
from pop.components.configuration.instances import COMPONENT_PID, Instances
from pop.components.container import SERVICE_IPOPO
from pop.components.context import BundleContext
from pop.components.reference import ServiceReference
from pop.components.registry import ServiceRegistration
from pop.components.tracker import Tracker
from pop.components.waiting import SERVICE_WAITING_LIST


class Bridge:
    """Follows the container and its waiting list as they come and go."""

    def __init__(self, context: BundleContext, admin: ConfigurationAdmin) -> None:
        self._context = context
        self._admin = admin
        self._followers: dict[ServiceReference, Followers] = {}
        self._instances: dict[ServiceReference, tuple[Instances, ServiceRegistration]] = {}
        self._trackers = [
            Tracker(context, SERVICE_IPOPO, added=self._follow, removed=self._leave),
            Tracker(context, SERVICE_WAITING_LIST, added=self._make, removed=self._unmake),
        ]

    def start(self) -> None:
        """With what there is."""
        for tracker in self._trackers:
            tracker.open()

    async def stop(self) -> None:
        """Let go the components that configurations have asked for."""
        ending = [instances for instances, _ in self._instances.values()]
        for tracker in self._trackers:
            tracker.close()
        for instances in ending:
            await instances.end()

    def _follow(self, container: Any, reference: ServiceReference) -> None:
        self._followers[reference] = Followers(container)
        self._followers[reference].start()

    def _leave(self, container: Any, reference: ServiceReference) -> None:
        self._followers.pop(reference).stop()

    def _make(self, waiting: Any, reference: ServiceReference) -> None:
        instances = Instances(waiting, self._admin.again)
        registration = self._context.register_service(
            SERVICE_CONFIGADMIN_MANAGED_FACTORY, instances, {PID: COMPONENT_PID}
        )
        self._instances[reference] = instances, registration

    def _unmake(self, waiting: Any, reference: ServiceReference) -> None:
        """Its components go with it."""
        _, registration = self._instances.pop(reference)
        registration.unregister()
