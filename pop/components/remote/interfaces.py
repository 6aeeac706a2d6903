"""What those provide who take part in exporting and importing."""

from collections.abc import Mapping
from typing import Any

from zope.interface import Attribute, Interface

from pop.components.reference import ServiceReference
from pop.components.remote.endpoint import Endpoint


class IExportListener(Interface):
    """Is told of this framework's endpoints: whoever makes them known to others.

    Registered as C{pelix.remote.endpoint.export.listener}.
    """

    def endpoints_added(endpoints: list[Endpoint]) -> None:
        """These are there."""

    def endpoint_updated(endpoint: Endpoint, old_properties: Mapping[str, Any]) -> None:
        """It is other than before."""

    def endpoint_removed(endpoint: Endpoint) -> None:
        """It is gone."""


class IImportListener(Interface):
    """Is told of other frameworks' endpoints.

    Registered as C{pelix.remote.endpoint.import.listener}.
    """

    def endpoint_added(endpoint: Endpoint) -> None:
        """It was found."""

    def endpoint_updated(endpoint: Endpoint, old_properties: Mapping[str, Any]) -> None:
        """It is other than before."""

    def endpoint_removed(endpoint: Endpoint) -> None:
        """It is gone."""


class IDiscovered(Interface):
    """Takes what is discovered, however that is done; the registry of imports.

    Registered as C{pelix.remote.registry}. Whoever makes this framework's endpoints known in the
    same way, registers an L{IExportListener}.
    """

    def add(endpoint: Endpoint) -> bool:
        """It was found; C{False} if it was before, or is this framework's own."""

    def replace(endpoint: Endpoint) -> bool:
        """It is other than before; whether it is known."""

    def update(uid: str, new_properties: Mapping[str, Any]) -> bool:
        """It has other properties; whether it is known."""

    def contains(endpoint: Endpoint | str) -> bool:
        """Whether it is known."""

    def remove(uid: str) -> bool:
        """It is gone; whether it was known."""

    def lost_framework(uid: str) -> None:
        """All of a framework are gone."""


class IExportProvider(Interface):
    """A kind of transport, at the end that answers.

    Registered as C{pelix.remote.provider.export}.
    """

    def handles(configurations: tuple[str, ...]) -> bool:
        """Whether it is one of these kinds; of none, whether it is for those that do not say."""

    def export_service(endpoint: Endpoint, service: Any) -> Endpoint:
        """Let an object be called from now on.

        @return: the endpoint, with what the other end needs to know in order to reach it.
        """

    def update_export(endpoint: Endpoint) -> Endpoint:
        """It has another name or other properties; the object is the same."""

    def unexport_service(endpoint: Endpoint) -> None:
        """Let it be called no more."""


class IImportProvider(Interface):
    """A kind of transport, at the end that calls.

    Registered as C{pelix.remote.provider.import}.
    """

    def handles(configurations: tuple[str, ...]) -> bool:
        """Whether it can reach what one of these kinds of transport reaches."""

    def import_service(endpoint: Endpoint) -> "IImported":
        """Register an object that stands for an endpoint, while that can be reached."""


class IImported(Interface):
    """What an import provider holds of one endpoint."""

    reference: ServiceReference | None = Attribute(
        "What stands for it here; None while it cannot be reached."
    )

    def update(endpoint: Endpoint) -> None:
        """It is other than before."""

    def close() -> None:
        """Nothing should stand for it any more."""
