"""What stands here for something that can be called elsewhere."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from pop.components import specifications as spec
from pop.components.context import BundleContext
from pop.components.properties import Properties
from pop.components.reference import ServiceReference
from pop.components.registry import ServiceRegistration
from pop.components.remote.endpoint import Endpoint
from pop.components.remote.errors import BadTimeout, NoAddress
from pop.components.remote.interfaces import IImported, IImportProvider
from pop.components.remote.link import Link, Links
from pop.components.remote.names import texts
from pop.components.remote.offers import CONFIG, PROP_ADDRESS

log = Logger()
PROP_TIMEOUT: Final = "pop.remote.timeout"
"""Seconds to wait for an answer, as a property of what is exported; 0 is for ever."""


def seconds(value: Any) -> float:
    """A time limit that is given as a number, in digits or not; 0 is none.

    @raise BadTimeout: it is no such number.
    """
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = -1.0
    if not 0 <= found < math.inf:
        raise BadTimeout(value=value)
    return found


class RemoteProxy:
    """Has the methods of an endpoint, and no others; each returns a Deferred of what the endpoint's
    gives.

    They fail with a L{RemoteError<pop.components.remote.remoteerror.RemoteError>} if that raises,
    and with what is in L{pop.components.remote.errors} if it is not answered.
    """

    def __init__(self, endpoint: Endpoint, link: Link, seconds: float) -> None:
        self._endpoint = endpoint
        self._link = link
        self._seconds = seconds
        for method in endpoint.methods:
            setattr(self, method, partial(self._call, method))

    def __repr__(self) -> str:
        return f"<{self._endpoint.name} at {self._link.address}>"

    def _call(self, method: str, /, *arguments: Any, **named: Any) -> Deferred[Any]:
        return self._link.call(self._endpoint, method, arguments, named, self._seconds)


@implementer(IImported)
class Imported:
    """Has something stand for an endpoint, while there is a connection to where that is.

    @param seconds: how long to wait for answers, if the endpoint does not say so.
    """

    def __init__(
        self, context: BundleContext, links: Links, endpoint: Endpoint, seconds: float
    ) -> None:
        self._context = context
        self._links = links
        self._endpoint = endpoint
        self._seconds = seconds
        self._registration: ServiceRegistration | None = None
        self._link = self._take(endpoint)
        try:
            self._begin()
        except Exception:
            self.close()
            raise

    @property
    def reference(self) -> ServiceReference | None:
        """What stands for it; L{None} while it cannot be reached."""
        return None if self._registration is None else self._registration.get_reference()

    def _take(self, endpoint: Endpoint) -> Link:
        spec.names(endpoint.specifications)
        Properties(endpoint.import_properties())
        if not (addresses := texts(endpoint.properties.get(PROP_ADDRESS))):
            raise NoAddress(endpoint=endpoint.name)
        return self._links.take(addresses[0])

    def _begin(self) -> None:
        self._link.follow(self._look, self._endpoint.uid)
        self._look(self._endpoint.uid)

    def update(self, endpoint: Endpoint) -> None:
        """It is other than before, and perhaps elsewhere."""
        before, link = self._endpoint, self._link
        after = self._take(endpoint)
        link.leave(self._look, before.uid)
        if _shape(before) != _shape(endpoint):
            self._unregister()
        self._endpoint, self._link = endpoint, after
        self._links.give(link)
        self._begin()

    def close(self) -> None:
        """Nothing stands for it any more."""
        self._link.leave(self._look, self._endpoint.uid)
        self._unregister()
        self._links.give(self._link)

    def _look(self, uid: str) -> None:
        """Register it, take it back, or change its properties, as it is now."""
        if uid not in self._link.endpoints:
            self._unregister()
        elif self._registration is None:
            self._registration = self._context.register_service(
                self._endpoint.specifications,
                RemoteProxy(self._endpoint, self._link, self._patience()),
                self._endpoint.import_properties(),
            )
        else:
            after = self._endpoint.import_properties()
            before = self._registration.get_reference().get_property_keys()
            self._registration.set_properties(after, [each for each in before if each not in after])

    def _unregister(self) -> None:
        registration, self._registration = self._registration, None
        if registration is not None:
            registration.unregister()

    def _patience(self) -> float:
        said = self._endpoint.properties.get(PROP_TIMEOUT)
        try:
            return self._seconds if said is None else seconds(said)
        except BadTimeout as error:
            log.warn("{endpoint}: {error}", endpoint=self._endpoint.name, error=error)
            return self._seconds


def _shape(endpoint: Endpoint) -> tuple[Any, ...]:
    """What cannot be changed while something stands for it."""
    properties: Mapping[str, Any] = endpoint.properties
    return (
        endpoint.specifications,
        endpoint.methods,
        properties.get(PROP_ADDRESS),
        properties.get(PROP_TIMEOUT),
    )


@implementer(IImportProvider)
class Proxies:
    """Has something stand for endpoints that can be called over connections.

    @param seconds: how long to wait for answers, if an endpoint does not say so.
    """

    def __init__(self, context: BundleContext, links: Links, seconds: float) -> None:
        self._context = context
        self._links = links
        self._seconds = seconds

    def handles(self, configurations: tuple[str, ...]) -> bool:
        """Its own kind."""
        return CONFIG in configurations

    def import_service(self, endpoint: Endpoint) -> Imported:
        """Have something stand for it.

        @raise NoAddress: nobody says where it is.
        """
        return Imported(self._context, self._links, endpoint, self._seconds)
