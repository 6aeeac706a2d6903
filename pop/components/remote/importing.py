"""One endpoint of another framework that is imported by one provider."""

from typing import Any

from twisted.logger import Logger

from pop.components.reference import ServiceReference
from pop.components.remote.adminevent import AdminEventKind
from pop.components.remote.endpoint import Endpoint
from pop.components.remote.shared import EndpointRegistration, Shared, Tell

log = Logger()


class Import(Shared):
    """Something stands for an endpoint here, while that can be reached.

    @param provider: an L{pop.components.remote.interfaces.IImportProvider}.
    """

    def __init__(self, tell: Tell, provider: Any, endpoint: Endpoint) -> None:
        super().__init__(provider)
        self._tell = tell
        self.endpoint = endpoint
        self._imported: Any = None

    @property
    def reference(self) -> ServiceReference | None:
        """What stands for it here; L{None} while it cannot be reached."""
        found: ServiceReference | None = self._imported.reference
        return found

    def begin(self) -> None:
        """Let something stand for it."""
        self._imported = self.provider.import_service(self.endpoint)
        self._tell(AdminEventKind.IMPORT_REGISTRATION, self, None)

    def update(self, given: Endpoint) -> None:
        """It is other than before; if that cannot be, it ends."""
        try:
            self._imported.update(given)
        except Exception as error:
            self.end()
            self._tell(AdminEventKind.IMPORT_ERROR, self, error)
        else:
            self.endpoint = given
            self._tell(AdminEventKind.IMPORT_UPDATE, self, None)

    def close(self) -> None:
        """Nothing stands for it any more."""
        try:
            self._imported.close()
        except Exception:
            log.failure("The import of {endpoint} did not end well", endpoint=self.endpoint.name)
        self._tell(AdminEventKind.IMPORT_UNREGISTRATION, self, None)


class ImportRegistration(EndpointRegistration):
    """What somebody holds who asked for an import."""

    def update(self, endpoint_description: Endpoint) -> bool:
        """It is other than before; whether it is still imported."""
        return self._update(endpoint_description) is not None
