"""One registration that is exported by one provider."""

from collections.abc import Mapping
from typing import Any

from twisted.logger import Logger

from pop.components.context import BundleContext
from pop.components.events import ServiceEvent
from pop.components.reference import ServiceReference
from pop.components.remote.adminevent import AdminEventKind
from pop.components.remote.endpoint import (
    Endpoint,
    exported_properties,
    exported_specifications,
    with_synonyms,
)
from pop.components.remote.errors import NotExported
from pop.components.remote.exports import Exports
from pop.components.remote.exposure import exposed
from pop.components.remote.names import PROP_ENDPOINT_NAME, PROP_EXPORTED_CONFIGS, texts
from pop.components.remote.shared import EndpointRegistration, Shared, Tell

log = Logger()


class Export(Shared):
    """Follows its registration: what changes there is told to others, and with it, this ends.

    @param provider: an L{pop.components.remote.interfaces.IExportProvider}.
    @param overriding: properties that go before those of the registration.
    """

    def __init__(
        self,
        context: BundleContext,
        exports: Exports,
        tell: Tell,
        reference: ServiceReference,
        provider: Any,
        overriding: Mapping[str, Any],
    ) -> None:
        super().__init__(provider)
        self._context = context
        self._exports = exports
        self._tell = tell
        self._reference = reference
        self._overriding = dict(overriding)
        self._object: Any = None

    @property
    def reference(self) -> ServiceReference:
        """What is exported."""
        return self._reference

    def begin(self, uid: str) -> None:
        """Let it be called from elsewhere.

        @raise NotExported: its properties do not want it to be.
        @raise NameInUse: another endpoint has its name.
        """
        self._object = self._context.get_service(self._reference)
        try:
            described = self._describe(uid)
            self.endpoint = self.provider.export_service(described, self._object)
        except Exception:
            self._context.unget_service(self._reference)
            raise
        # Whoever is told of it may unregister it.
        self._context.add_service_listener(self, f"(service.id={self._reference.id})")
        self._exports.add(self.endpoint)
        if not self.ended:
            self._tell(AdminEventKind.EXPORT_REGISTRATION, self, None)

    def _describe(self, uid: str) -> Endpoint:
        properties = self._reference.properties.changed(self._overriding)
        specifications = exported_specifications(self._reference, properties)
        if not specifications or not self._reference.live:
            raise NotExported(id=self._reference.id)
        name = properties.get(PROP_ENDPOINT_NAME) or f"{specifications[0]}.{self._reference.id}"
        self._exports.check_name(str(name), self._reference.id)
        return Endpoint(
            uid,
            self._context.get_property("framework.uid"),
            texts(properties.get(PROP_EXPORTED_CONFIGS)),
            str(name),
            with_synonyms(specifications, properties),
            exposed(self._object, specifications),
            exported_properties(properties),
        )

    def service_changed(self, event: ServiceEvent) -> None:
        """For the registry: the registration has changed, or goes."""
        if event.kind is ServiceEvent.UNREGISTERING:
            self.end()
        else:
            self.update({})

    def update(self, given: Mapping[str, Any]) -> None:
        """Make known what is other than before; if it cannot be exported as it is now, it ends.

        @param given: properties that go before those of the registration from now on.
        """
        self._overriding.update(given)
        try:
            after = self.provider.update_export(self._describe(self.endpoint.uid))
        except NotExported:
            self.end()
        except Exception as error:
            self.end()
            self._tell(AdminEventKind.EXPORT_ERROR, self, error)
        else:
            if after != self.endpoint:
                self.endpoint = after
                self._exports.replace(after)
                self._tell(AdminEventKind.EXPORT_UPDATE, self, None)

    def close(self) -> None:
        """Let it be called no more."""
        self._context.remove_service_listener(self)
        try:
            self.provider.unexport_service(self.endpoint)
        except Exception:
            log.failure("The export of {endpoint} did not end well", endpoint=self.endpoint.name)
        self._context.unget_service(self._reference)
        self._exports.remove(self.endpoint.uid)
        self._tell(AdminEventKind.EXPORT_UNREGISTRATION, self, None)


class ExportRegistration(EndpointRegistration):
    """What somebody holds who asked for an export."""

    def update(self, properties: Mapping[str, Any] | None = None) -> Endpoint | None:
        """Have other properties than the registration from now on; gives the endpoint."""
        return self._update(properties or {})
