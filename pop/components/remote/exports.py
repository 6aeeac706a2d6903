"""What this framework exports."""

from pop.components.context import BundleContext
from pop.components.remote.endpoint import Endpoint
from pop.components.remote.errors import NameInUse
from pop.components.remote.names import (
    PROP_ENDPOINT_SERVICE_ID,
    SERVICE_EXPORT_ENDPOINT_LISTENER,
)
from pop.components.remote.whiteboard import Whiteboard


class Exports:
    """The endpoints of this framework; whoever is registered as a listener is told of them.

    See L{pop.components.remote.interfaces.IExportListener}. One that comes later is told of those
    that there are.
    """

    def __init__(self, context: BundleContext) -> None:
        self._endpoints: dict[str, Endpoint] = {}
        self._named: dict[str, dict[str, Endpoint]] = {}
        self._listeners = Whiteboard(context, SERVICE_EXPORT_ENDPOINT_LISTENER, self._welcome)

    def start(self) -> None:
        """Know who wants to be told."""
        self._listeners.start()

    def stop(self) -> None:
        """Tell nobody any more."""
        self._listeners.stop()

    def _welcome(self, listener: object) -> None:
        if self._endpoints:
            endpoints = list(self._endpoints.values())
            self._listeners.tell_one(listener, "endpoints_added", endpoints)

    def get_endpoint(self, uid: str) -> Endpoint | None:
        """The one of that identifier, if there is one."""
        return self._endpoints.get(uid)

    def get_endpoints(self, kind: str | None = None, name: str | None = None) -> list[Endpoint]:
        """All, or those that a kind of transport reaches, or that have a name."""
        return [
            endpoint
            for endpoint in self._endpoints.values()
            if kind in (None, *endpoint.configurations) and name in (None, endpoint.name)
        ]

    def check_name(self, name: str, id: int) -> None:
        """Refuse a name that another registration's endpoint has.

        @param id: the number of the registration that is to have it.
        @raise NameInUse: it has.
        """
        for endpoint in self._named.get(name, {}).values():
            if endpoint.properties.get(PROP_ENDPOINT_SERVICE_ID) != id:
                raise NameInUse(id=id, name=name)

    def add(self, endpoint: Endpoint) -> None:
        """It can be called from now on; nobody is told after whoever had it removed."""
        self._know(endpoint)
        for listener in self._listeners:
            if endpoint.uid in self._endpoints:
                self._listeners.tell_one(listener, "endpoints_added", [endpoint])

    def replace(self, endpoint: Endpoint) -> None:
        """Something of it is other than before."""
        before = self._forget(endpoint.uid)
        self._know(endpoint)
        self._listeners.tell("endpoint_updated", endpoint, dict(before.properties))

    def remove(self, uid: str) -> None:
        """It cannot be called any more."""
        self._listeners.tell("endpoint_removed", self._forget(uid))

    def _know(self, endpoint: Endpoint) -> None:
        self._endpoints[endpoint.uid] = endpoint
        self._named.setdefault(endpoint.name, {})[endpoint.uid] = endpoint

    def _forget(self, uid: str) -> Endpoint:
        endpoint = self._endpoints.pop(uid)
        named = self._named[endpoint.name]
        del named[uid]
        if not named:
            del self._named[endpoint.name]
        return endpoint
