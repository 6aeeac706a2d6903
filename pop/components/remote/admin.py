"""Exports and imports, for whoever decides that something is to be exported or imported."""

from collections.abc import Callable, Mapping
from typing import Any

from twisted.logger import Logger
from twisted.python.failure import Failure

from pop.components.context import BundleContext
from pop.components.errors import BundleException
from pop.components.reference import ServiceReference
from pop.components.remote.adminevent import AdminEvent, AdminEventKind
from pop.components.remote.endpoint import Endpoint
from pop.components.remote.errors import NoProvider
from pop.components.remote.export import Export, ExportRegistration
from pop.components.remote.exports import Exports
from pop.components.remote.importing import Import, ImportRegistration
from pop.components.remote.names import (
    PROP_EXPORTED_CONFIGS,
    SERVICE_EXPORT_PROVIDER,
    SERVICE_IMPORT_PROVIDER,
    SERVICE_RSA_EVENT_LISTENER,
    texts,
)
from pop.components.remote.shared import Shared
from pop.components.remote.whiteboard import Whiteboard

log = Logger()


class Admin:
    """Exports registrations and imports endpoints, by the providers that are registered.

    Who asks twice for the same shares it, and it ends with the last that is closed. What cannot be
    done is said by the registration that is returned, and never raised. Listeners have a method
    C{remote_admin_event(event)}; they are registered as
    C{pelix.rsa.remoteserviceadmineventlistener}.

    @param new_uid: gives an identifier that no other endpoint has.
    """

    def __init__(
        self, context: BundleContext, exports: Exports, new_uid: Callable[[], str]
    ) -> None:
        self._context = context
        self._exports = exports
        self._new_uid = new_uid
        self._exported: dict[tuple[ServiceReference, Any], Export] = {}
        self._imported: dict[str, Import] = {}
        self._exporters = Whiteboard(context, SERVICE_EXPORT_PROVIDER, gone=self._gone)
        self._importers = Whiteboard(context, SERVICE_IMPORT_PROVIDER, gone=self._gone)
        self._listeners = Whiteboard(context, SERVICE_RSA_EVENT_LISTENER)

    def start(self) -> None:
        """Know the providers and listeners that there are, and those to come."""
        for whiteboard in (self._listeners, self._exporters, self._importers):
            whiteboard.start()

    def stop(self) -> None:
        """End all exports and imports."""
        for shared in (*self._exported.values(), *self._imported.values()):
            shared.end()
        for whiteboard in (self._importers, self._exporters, self._listeners):
            whiteboard.stop()

    def _gone(self, provider: Any) -> None:
        """What a provider did ends with it."""
        for shared in (*self._exported.values(), *self._imported.values()):
            if shared.provider is provider:
                shared.end()

    # Exports

    def export_service(
        self, service_ref: ServiceReference, overriding_props: Mapping[str, Any] | None = None
    ) -> list[ExportRegistration]:
        """Export a registration, by each provider of the kinds that it wants.

        @param overriding_props: properties that go before its own.
        """
        overriding = overriding_props or {}
        try:
            wanted = texts(service_ref.properties.changed(overriding).get(PROP_EXPORTED_CONFIGS))
            if found := [one for one in self._exporters if _handles(one, wanted)]:
                return [self._export(service_ref, provider, overriding) for provider in found]
            raise NoProvider(deed="export", what=service_ref, configs=_either(wanted))
        except BundleException as error:
            self._tell_error(AdminEventKind.EXPORT_ERROR, None, service_ref, error)
            return [ExportRegistration(None, error)]

    def _export(
        self, reference: ServiceReference, provider: Any, overriding: Mapping[str, Any]
    ) -> ExportRegistration:
        if known := self._exported.get((reference, provider)):
            return ExportRegistration(known)
        export = Export(self._context, self._exports, self._tell, reference, provider, overriding)
        try:
            self._exported[reference, provider] = export
            export.begin(self._new_uid())
        except Exception as error:
            self._exported.pop((reference, provider), None)
            self._tell_error(AdminEventKind.EXPORT_ERROR, None, reference, error)
            return ExportRegistration(None, error)
        return ExportRegistration(export)

    def get_exported_services(self) -> list[Export]:
        """All that is exported."""
        return list(self._exported.values())

    # Imports

    def import_service(self, endpoint_description: Endpoint) -> ImportRegistration:
        """Import an endpoint, by the best provider that can reach it."""
        endpoint = endpoint_description
        if known := self._imported.get(endpoint.uid):
            return ImportRegistration(known)
        try:
            made = Import(self._tell, self._importer(endpoint), endpoint)
            self._imported[endpoint.uid] = made
            made.begin()
        except Exception as error:
            self._imported.pop(endpoint.uid, None)
            self._tell_error(AdminEventKind.IMPORT_ERROR, endpoint, None, error)
            return ImportRegistration(None, error)
        return ImportRegistration(made)

    def can_import(self, endpoint: Endpoint) -> bool:
        """Whether a provider can reach it."""
        return any(_handles(one, endpoint.configurations) for one in self._importers)

    def _importer(self, endpoint: Endpoint) -> Any:
        for provider in self._importers:
            if _handles(provider, endpoint.configurations):
                return provider
        configs = _either(endpoint.configurations)
        raise NoProvider(deed="import", what=endpoint.name, configs=configs)

    def get_imported_endpoints(self) -> list[Import]:
        """All that is imported."""
        return list(self._imported.values())

    # Events

    def _tell(self, kind: AdminEventKind, shared: Shared, error: Exception | None) -> None:
        if shared.ended:
            self._forget(shared)
        if error is not None:
            self._tell_error(kind, shared.endpoint, shared.reference, error)
        else:
            event = AdminEvent(kind, shared.endpoint, shared.reference)
            self._listeners.tell("remote_admin_event", event)

    def _forget(self, shared: Shared) -> None:
        if isinstance(shared, Export):
            self._exported.pop((shared.reference, shared.provider), None)
        else:
            self._imported.pop(shared.endpoint.uid, None)

    def _tell_error(
        self,
        kind: AdminEventKind,
        endpoint: Endpoint | None,
        reference: ServiceReference | None,
        error: Exception,
    ) -> None:
        if isinstance(error, BundleException):
            log.info("{error}", error=error)
        else:
            log.failure("A provider failed: {kind}", Failure(error), kind=kind.name)
        self._listeners.tell("remote_admin_event", AdminEvent(kind, endpoint, reference, error))


def _handles(provider: Any, configurations: tuple[str, ...]) -> bool:
    try:
        return bool(provider.handles(configurations))
    except Exception:
        log.failure("A provider failed: {provider}", provider=provider)
        return False


def _either(configurations: tuple[str, ...]) -> str:
    return " or ".join(configurations) or "by whatever means"
