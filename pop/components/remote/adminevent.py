"""What is told of exports and imports to whoever watches over them."""

from enum import IntEnum

from pop.components.reference import ServiceReference
from pop.components.remote.endpoint import Endpoint
from pop.frozen import frozen


class AdminEventKind(IntEnum):
    """What can happen to an export or an import; the numbers are OSGi's."""

    IMPORT_REGISTRATION = 1
    EXPORT_REGISTRATION = 2
    EXPORT_UNREGISTRATION = 3
    IMPORT_UNREGISTRATION = 4
    IMPORT_ERROR = 5
    EXPORT_ERROR = 6
    IMPORT_UPDATE = 9
    EXPORT_UPDATE = 10


@frozen
class AdminEvent:
    """Something happened to an export or an import.

    @ivar endpoint: which; L{None} if it never came to be one.
    @ivar reference: the registration in this framework, if there is one.
    @ivar error: why it did not come to be.
    """

    kind: AdminEventKind
    endpoint: Endpoint | None = None
    reference: ServiceReference | None = None
    error: Exception | None = None

    def get_type(self) -> AdminEventKind:
        """What happened."""
        return self.kind

    def get_description(self) -> Endpoint | None:
        """To which endpoint."""
        return self.endpoint

    def get_exception(self) -> Exception | None:
        """Why it did not come to be."""
        return self.error
