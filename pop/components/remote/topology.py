"""Exports whatever says that it wants to be, and imports whatever is found."""

from collections.abc import Mapping
from typing import Any

from pop.components.context import BundleContext
from pop.components.events import ServiceEvent
from pop.components.reference import ServiceReference
from pop.components.remote.admin import Admin
from pop.components.remote.adminevent import AdminEvent, AdminEventKind
from pop.components.remote.endpoint import Endpoint, exported_specifications
from pop.components.remote.errors import NameInUse
from pop.components.remote.export import ExportRegistration
from pop.components.remote.importing import ImportRegistration
from pop.components.remote.names import (
    PROP_EXPORTED_INTERFACES,
    SERVICE_EXPORT_PROVIDER,
    SERVICE_IMPORT_ENDPOINT_LISTENER,
    SERVICE_IMPORT_PROVIDER,
    SERVICE_RSA_EVENT_LISTENER,
)
from pop.components.remote.whiteboard import Whiteboard


class Topology:
    """Decides what the L{Admin} exports and imports.

    In whichever order registrations and providers come; what could not be exported because its name
    was in use is, as soon as the other has gone.
    """

    def __init__(self, context: BundleContext, admin: Admin) -> None:
        self._context = context
        self._admin = admin
        self._exported: dict[ServiceReference, list[ExportRegistration]] = {}
        self._waiting: dict[ServiceReference, None] = {}
        self._imported: dict[str, tuple[Endpoint, ImportRegistration]] = {}
        self._exporters = Whiteboard(context, SERVICE_EXPORT_PROVIDER, self._exporter_came)
        self._importers = Whiteboard(context, SERVICE_IMPORT_PROVIDER, self._look, self._look)
        self._listening: list[Any] = []

    def start(self) -> None:
        """Begin with what there is."""
        wanted = f"({PROP_EXPORTED_INTERFACES}=*)"
        self._context.add_service_listener(self, wanted)
        for reference in self._context.get_all_service_references(None, wanted):
            self._export(reference)
        self._exporters.start()
        self._importers.start()
        names = (SERVICE_RSA_EVENT_LISTENER, SERVICE_IMPORT_ENDPOINT_LISTENER)
        self._listening = [self._context.register_service(name, self) for name in names]

    def stop(self) -> None:
        """Want nothing any more."""
        for registration in self._listening:
            registration.unregister()
        self._importers.stop()
        self._exporters.stop()
        self._context.remove_service_listener(self)
        for reference in list(self._exported):
            self._unexport(reference)
        for uid in list(self._imported):
            self._unimport(uid)

    # Exports

    def service_changed(self, event: ServiceEvent) -> None:
        """For the registry: something wants to be exported, or no more."""
        reference = event.reference
        if event.kind in (ServiceEvent.UNREGISTERING, ServiceEvent.MODIFIED_ENDMATCH):
            self._unexport(reference)
        elif not any(each.live for each in self._exported.get(reference, ())):
            self._export(reference)

    def _export(self, reference: ServiceReference) -> None:
        """Ask for it anew; only then let go what there was, so that nothing flickers."""
        before = self._exported.pop(reference, [])
        self._waiting.pop(reference, None)
        if exported_specifications(reference, reference.properties):
            self._exported[reference] = after = self._admin.export_service(reference)
            if any(isinstance(each.get_exception(), NameInUse) for each in after):
                self._waiting[reference] = None
            if not reference.live:  # whoever was told of the export has unregistered it
                self._unexport(reference)
        for registration in before:
            registration.close()

    def _unexport(self, reference: ServiceReference) -> None:
        self._waiting.pop(reference, None)
        for registration in self._exported.pop(reference, ()):
            registration.close()

    def _exporter_came(self, provider: Any) -> None:
        for reference in list(self._exported):
            self._export(reference)

    def remote_admin_event(self, event: AdminEvent) -> None:
        """For the admin: a name may have become free, or be in use."""
        reference = event.reference
        if isinstance(event.error, NameInUse) and reference in self._exported:
            self._waiting[reference] = None
        elif event.kind in (AdminEventKind.EXPORT_UNREGISTRATION, AdminEventKind.EXPORT_UPDATE):
            for waiting in list(self._waiting):
                if waiting.live:
                    self._export(waiting)

    # Imports

    def endpoint_added(self, endpoint: Endpoint) -> None:
        """For the registry of imports: it was found."""
        self._imported[endpoint.uid] = endpoint, self._admin.import_service(endpoint)

    def endpoint_updated(self, endpoint: Endpoint, old_properties: Mapping[str, Any]) -> None:
        """For the registry of imports: it is other than before."""
        _, registration = self._imported[endpoint.uid]
        if registration.live and registration.update(endpoint):
            self._imported[endpoint.uid] = endpoint, registration
        else:
            self.endpoint_added(endpoint)

    def endpoint_removed(self, endpoint: Endpoint) -> None:
        """For the registry of imports: it is gone."""
        self._unimport(endpoint.uid)

    def _unimport(self, uid: str) -> None:
        _, registration = self._imported.pop(uid)
        registration.close()

    def _look(self, provider: Any) -> None:
        """A provider came, or went: then the admin, who was told before, has ended its imports."""
        for endpoint, registration in list(self._imported.values()):
            if not registration.live and self._admin.can_import(endpoint):
                self.endpoint_added(endpoint)
