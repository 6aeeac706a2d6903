"""The bundle that carries calls between frameworks.

Properties of the framework:

  - C{pop.remote.listen}: where calls are answered, as in C{unix:/run/shop.sock}, or several such,
    as a list or with blanks between them; without it, none are;
  - C{pop.remote.address}: where others reach that; a UNIX socket says so itself;
  - C{pop.remote.secret}: what both ends have to know;
  - C{pop.remote.timeout}: seconds that an answer may take (30), unless the endpoint says so;
  - C{pop.remote.calls}: calls of one connection that may wait for their answers (10,000).
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final
from zlib import crc32

from twisted.application.internet import backoffPolicy
from twisted.internet.defer import DeferredList, maybeDeferred
from twisted.internet.interfaces import IListeningPort

from pop.components.bundle import BundleActivator
from pop.components.context import BundleContext
from pop.components.registry import ServiceRegistration
from pop.components.remote.answering import AnsweringFactory
from pop.components.remote.errors import BadMost, NoReactor
from pop.components.remote.link import Links
from pop.components.remote.messages import VERSION
from pop.components.remote.names import (
    SERVICE_EXPORT_PROVIDER,
    SERVICE_IMPORT_PROVIDER,
    SERVICE_LINKS,
    addresses,
)
from pop.components.remote.offers import PROP_ADDRESS, Offers
from pop.components.remote.places import listen, place, reached_at, way
from pop.components.remote.proxy import PROP_TIMEOUT, Proxies, seconds
from pop.components.remote.wire import AT_ONCE

PROP_LISTEN: Final = "pop.remote.listen"
PROP_SECRET: Final = "pop.remote.secret"
PROP_CALLS: Final = "pop.remote.calls"
TIMEOUT: Final = 30.0
FIRST, MOST, SPREAD = 0.1, 10.0, 0.5
"""Seconds between attempts to connect: at first, at most, and by how much frameworks differ, so
that not all come at once to one that is back."""


def _retry(uid: str) -> Callable[[int], float]:
    own = SPREAD * crc32(uid.encode()) / 2**32
    return backoffPolicy(initialDelay=FIRST, maxDelay=MOST, jitter=lambda: own)


def _most(said: Any) -> int:
    text = str(AT_ONCE if said is None else said).strip()
    if not text.isdecimal() or not int(text):
        raise BadMost(value=said)
    return int(text)


@BundleActivator
class Activator:
    """Calls, and is called, while the bundle is active."""

    def __init__(self) -> None:
        self._ports: list[IListeningPort] = []
        self._factory: AnsweringFactory | None = None
        self._links: Links | None = None
        self._registrations: list[ServiceRegistration] = []

    async def start(self, context: BundleContext) -> None:
        """Answer where that is wanted, and be ready to call."""
        reactor: Any = context.get_framework().patience.clock
        if reactor is None:
            raise NoReactor
        said = context.get_property(PROP_TIMEOUT)
        patience = TIMEOUT if said is None else seconds(said)
        most = _most(context.get_property(PROP_CALLS))
        secret = str(context.get_property(PROP_SECRET) or "")
        uid = str(context.get_property("framework.uid"))
        if wanted := addresses(context.get_property(PROP_LISTEN)):
            factory = AnsweringFactory(Offers(), reactor, uid, secret, most)
            await self._answer(context, factory, wanted)
        greeting = {"pop": VERSION, "framework": uid, "secret": secret}
        self._links = links = Links(partial(way, reactor), reactor, _retry(uid), greeting, most)
        proxies = Proxies(context, links, patience)
        self._register(context, SERVICE_LINKS, links)
        self._register(context, SERVICE_IMPORT_PROVIDER, proxies)

    async def _answer(
        self, context: BundleContext, factory: AnsweringFactory, wanted: Iterable[str]
    ) -> None:
        offers, self._factory = factory.offers, factory
        places = [(place(factory.clock, each, bool(factory.secret)), each) for each in wanted]
        try:
            for endpoint, address in places:
                self._ports.append(await listen(endpoint, address, factory))
        except Exception:
            await self.stop(context)
            raise
        known = (reached_at(port) for port in self._ports)
        said = context.get_property(PROP_ADDRESS)
        offers.address = str(said or next(filter(None, known), ""))
        self._register(context, SERVICE_EXPORT_PROVIDER, offers)

    def _register(self, context: BundleContext, name: str, object: Any) -> None:
        self._registrations.append(context.register_service(name, object))

    async def stop(self, context: BundleContext) -> None:
        """Whoever called, and was called, is disconnected when this is done."""
        while self._registrations:
            self._registrations.pop().unregister()
        stopping = [maybeDeferred(port.stopListening) for port in self._ports]
        await DeferredList(stopping)
        if self._factory is not None:
            await self._factory.close()
        if self._links is not None:
            await self._links.ended()
