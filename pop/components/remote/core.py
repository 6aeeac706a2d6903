"""The bundle that exports whatever says that it wants to be, and imports whatever is found."""

from secrets import token_hex

from pop.components.bundle import BundleActivator
from pop.components.context import BundleContext
from pop.components.remote.admin import Admin
from pop.components.remote.exports import Exports
from pop.components.remote.imports import Imports
from pop.components.remote.names import (
    SERVICE_DISPATCHER,
    SERVICE_REGISTRY,
    SERVICE_REMOTE_SERVICE_ADMIN,
)
from pop.components.remote.topology import Topology


@BundleActivator
class Activator:
    """Registers what knows exports and imports while the bundle is active."""

    def start(self, context: BundleContext) -> None:
        """Begin with what is registered already."""
        self._exports, self._imports = Exports(context), Imports(context)
        self._admin = Admin(context, self._exports, lambda: token_hex(16))
        self._topology = Topology(context, self._admin)
        for part in (self._exports, self._imports, self._admin, self._topology):
            part.start()
        context.register_service(SERVICE_DISPATCHER, self._exports)
        context.register_service(SERVICE_REGISTRY, self._imports)
        context.register_service(SERVICE_REMOTE_SERVICE_ADMIN, self._admin)

    def stop(self, context: BundleContext) -> None:
        """End all exports and imports; who listens is told."""
        for part in (self._topology, self._admin, self._imports, self._exports):
            part.stop()
