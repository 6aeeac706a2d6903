"""What can be called over connections, and what is called."""

from dataclasses import replace
from typing import Any, Final, NamedTuple, Protocol

from zope.interface import implementer

from pop.components.patience import Patience
from pop.components.remote.endpoint import Endpoint
from pop.components.remote.errors import NoSuchEndpoint, NoSuchMethod
from pop.components.remote.interfaces import IExportProvider

CONFIG: Final = "pop.remote"
"""The kind of transport."""
PROP_ADDRESS: Final = "pop.remote.address"
"""Where an endpoint can be reached, as Twisted describes client endpoints."""


class Told(Protocol):
    """Who is told of endpoints: a connection."""

    def tell(self, kind: str, member: Any) -> None:
        """One was added or updated, and is as the member says; or that one was removed."""


class Offer(NamedTuple):
    """An object that can be called."""

    endpoint: Endpoint
    object: Any


@implementer(IExportProvider)
class Offers:
    """Lets objects be called over connections, and tells those who are connected of them.

    How long a call may take is the caller's to say; who waits no more has it cancelled.

    @ivar address: where others reach this framework, if that is known.
    @ivar connected: who is told.
    """

    def __init__(self) -> None:
        self._patience = Patience()  # without a clock: no limit
        self.address = ""
        self._offers: dict[str, Offer] = {}
        self.connected: set[Told] = set()

    def handles(self, configurations: tuple[str, ...]) -> bool:
        """Its own kind, or whatever there is."""
        return not configurations or CONFIG in configurations

    def export_service(self, endpoint: Endpoint, service: Any) -> Endpoint:
        """Let it be called from now on."""
        return self._offer("added", endpoint, service)

    def update_export(self, endpoint: Endpoint) -> Endpoint:
        """Let those know who are connected."""
        return self._offer("updated", endpoint, self._offers[endpoint.uid].object)

    def _offer(self, kind: str, given: Endpoint, service: Any) -> Endpoint:
        properties = dict(given.properties)
        if self.address:
            properties[PROP_ADDRESS] = self.address
        endpoint = replace(given, configurations=(CONFIG,), properties=properties)
        self._offers[endpoint.uid] = Offer(endpoint, service)
        self._tell(kind, endpoint.to_json())
        return endpoint

    def unexport_service(self, endpoint: Endpoint) -> None:
        """What is being called already, is answered."""
        del self._offers[endpoint.uid]
        self._tell("removed", endpoint.uid)

    def _tell(self, kind: str, member: Any) -> None:
        for one in list(self.connected):
            one.tell(kind, member)

    def endpoints(self) -> list[Endpoint]:
        """All that can be called."""
        return [offer.endpoint for offer in self._offers.values()]

    def call(self, uid: str, method: str, arguments: list[Any], named: dict[str, Any]) -> Any:
        """What a method returns: a value, or a Deferred of it if it takes its time.

        @raise NoSuchMethod: it is none that may be called, whether the object has it or not.
        """
        if (offer := self._offers.get(uid)) is None:
            raise NoSuchEndpoint(uid=uid)
        if method not in offer.endpoint.methods:
            raise NoSuchMethod(endpoint=offer.endpoint.name, method=method)
        result = getattr(offer.object, method)(*arguments, **named)
        waiting = self._patience.deferred(f"{method} of {offer.endpoint.name}", result)
        return result if waiting is None else waiting
