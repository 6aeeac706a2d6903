"""What is known of other frameworks' endpoints."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from zope.interface import implementer

from pop.components.context import BundleContext
from pop.components.remote.endpoint import Endpoint
from pop.components.remote.interfaces import IDiscovered
from pop.components.remote.names import SERVICE_IMPORT_ENDPOINT_LISTENER
from pop.components.remote.whiteboard import Whiteboard


@implementer(IDiscovered)
class Imports:
    """Other frameworks' endpoints, as whoever discovers them says; listeners are told of them.

    See L{pop.components.remote.interfaces.IImportListener}. One that comes later is told of those
    that there are.
    """

    def __init__(self, context: BundleContext) -> None:
        self._own = context.get_property("framework.uid")
        self._endpoints: dict[str, Endpoint] = {}
        self._listeners = Whiteboard(context, SERVICE_IMPORT_ENDPOINT_LISTENER, self._welcome)

    def start(self) -> None:
        """Know who wants to be told."""
        self._listeners.start()

    def stop(self) -> None:
        """Tell nobody any more."""
        self._listeners.stop()

    def _welcome(self, listener: object) -> None:
        for endpoint in list(self._endpoints.values()):
            self._listeners.tell_one(listener, "endpoint_added", endpoint)

    def add(self, endpoint: Endpoint) -> bool:
        """It was found; C{False} if it was before, or is this framework's own."""
        if endpoint.uid in self._endpoints or endpoint.framework == self._own:
            return False
        self._endpoints[endpoint.uid] = endpoint
        self._listeners.tell("endpoint_added", endpoint)
        return True

    def update(self, uid: str, new_properties: Mapping[str, Any]) -> bool:
        """It has other properties now; whether it is known."""
        known = self._endpoints.get(uid)
        return known is not None and self.replace(replace(known, properties=new_properties))

    def replace(self, endpoint: Endpoint) -> bool:
        """Anything of it is other than before; whether it is known. If nothing is, nobody is
        told."""
        before = self._endpoints.get(endpoint.uid)
        if before is None:
            return False
        if before != endpoint:
            self._endpoints[endpoint.uid] = endpoint
            self._listeners.tell("endpoint_updated", endpoint, dict(before.properties))
        return True

    def contains(self, endpoint: Endpoint | str) -> bool:
        """Whether it is known."""
        return (endpoint.uid if isinstance(endpoint, Endpoint) else endpoint) in self._endpoints

    __contains__ = contains

    def get_endpoint(self, uid: str) -> Endpoint | None:
        """The one of that identifier, if it is known."""
        return self._endpoints.get(uid)

    def get_endpoints(self) -> list[Endpoint]:
        """All that are known."""
        return list(self._endpoints.values())

    def remove(self, uid: str) -> bool:
        """It is gone; whether it was known."""
        if (endpoint := self._endpoints.pop(uid, None)) is None:
            return False
        self._listeners.tell("endpoint_removed", endpoint)
        return True

    def lost_framework(self, uid: str) -> None:
        """All of a framework are gone."""
        for endpoint in self.get_endpoints():
            if endpoint.framework == uid:
                self.remove(endpoint.uid)
