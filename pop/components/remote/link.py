"""Connections to where others can be called, made anew whenever they break."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from twisted.application.internet import ClientService
from twisted.internet.defer import CancelledError, Deferred, DeferredList, fail
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from pop.components.remote.asking import Asking
from pop.components.remote.endpoint import Endpoint
from pop.components.remote.errors import NotReachable
from pop.components.remote.offers import PROP_ADDRESS
from pop.components.remote.wire import AT_ONCE, why

log = Logger()
ANY: Final = ""
"""Whichever endpoint it is."""
NOT_YET: Final = "there is no connection yet"
Look = Callable[[str], None]
"""Told to look again at the endpoint of a unique identifier."""
Retry = Callable[[int], float]
"""Seconds to wait after so many attempts that failed."""


class Link:
    """A connection to one address.

    @param way: how to get there.
    @param greeting: what to say there first.
    @param most: calls that may wait for their answers.
    @ivar endpoints: what can be called there at present, by unique identifier.
    @ivar why: why it is not connected; the empty text if it is.
    """

    def __init__(
        self,
        address: str,
        way: IStreamClientEndpoint,
        clock: IReactorTime,
        retry: Retry,
        greeting: Mapping[str, Any],
        most: int = AT_ONCE,
    ) -> None:
        self.address = address
        self.endpoints: dict[str, Endpoint] = {}
        self.why = NOT_YET
        self._clock = clock
        self._greeting = greeting
        self._most = most
        self._wire: Asking | None = None
        self._looks: dict[str, dict[Look, None]] = {}
        self._retry = retry
        self._failures = 0
        self._refused = False
        way = _Watched(way, address, self._failed)
        self._keeper = ClientService(
            way, _Asking(self._build), retryPolicy=self._pause, clock=clock
        )

    def start(self) -> None:
        """Connect, and keep at it."""
        self._keeper.startService()

    def stop(self) -> Deferred[Any]:
        """End it; fires when it has ended."""
        if self._wire is not None:
            self._wire.leave()
        return self._keeper.stopService()

    def _build(self) -> Asking:
        self._refused = False
        return Asking(self, self._clock, self._greeting, self._most)

    def _pause(self, attempt: int) -> float:
        """A connection counts for something once they have greeted each other."""
        self._failures += 1
        return self._retry(self._failures)

    def _failed(self, failure: Failure) -> None:
        self._broken(why(failure))

    # Who looks

    def follow(self, look: Look, uid: str = ANY) -> None:
        """Have somebody look again at an endpoint, or at any, whenever it comes, changes or
        goes."""
        self._looks.setdefault(uid, {})[look] = None

    def leave(self, look: Look, uid: str = ANY) -> None:
        """Not any more."""
        looks = self._looks.get(uid, {})
        looks.pop(look, None)
        if not looks:
            self._looks.pop(uid, None)

    def _look(self, uid: str) -> None:
        for wanted in (uid, ANY):
            for look in list(self._looks.get(wanted, ())):
                if look in self._looks.get(wanted, ()):
                    look(uid)

    # What is said at the other end

    def connected(self, wire: Asking) -> None:
        """They have greeted each other."""
        self._wire, self.why, self._failures = wire, "", 0

    def refused(self, why: str) -> None:
        """They will not, and say themselves why."""
        self._refused = True
        self._broken(why)

    def _broken(self, why: str) -> None:
        """There is no connection; the first time it is said why."""
        if why != self.why:
            log.info("No calls can be made at {address}: {why}", address=self.address, why=why)
        self.why = why

    def found(self, endpoint: Endpoint) -> None:
        """It can be called there, and here is where that is."""
        properties = {**endpoint.properties, PROP_ADDRESS: self.address}
        self.endpoints[endpoint.uid] = replace(endpoint, properties=properties)
        self._look(endpoint.uid)

    def lost(self, uid: str) -> None:
        """It cannot be called there any more."""
        if self.endpoints.pop(uid, None) is not None:
            self._look(uid)

    def disconnected(self, why: str) -> None:
        """Nothing can be called there."""
        if not self._refused:
            self._broken(why)
        self._wire = None
        for uid in list(self.endpoints):
            self.lost(uid)

    def call(
        self,
        endpoint: Endpoint,
        method: str,
        arguments: tuple[Any, ...],
        named: Mapping[str, Any],
        seconds: float,
    ) -> Deferred[Any]:
        """Call a method, as of L{Asking.call}."""
        if self._wire is None:
            return fail(NotReachable(endpoint=endpoint.name, address=self.address, reason=self.why))
        return self._wire.call(endpoint, method, arguments, named, seconds)


class Links:
    """All that somebody wants at present, each once.

    @param way: how to get to an address.
    @param most: calls that may wait for their answers, on each.
    """

    def __init__(
        self,
        way: Callable[[str], IStreamClientEndpoint],
        clock: IReactorTime,
        retry: Retry,
        greeting: Mapping[str, Any],
        most: int = AT_ONCE,
    ) -> None:
        self._way = way
        self._rest = clock, retry, greeting, most
        self._links: dict[str, Link] = {}
        self._wanted: dict[str, int] = {}
        self._sought: dict[Link, int] = {}
        self._ending: set[Deferred[Any]] = set()

    def take(self, address: str) -> Link:
        """The link to an address, until it is given back as often.

        @raise BadAddress: it is none.
        """
        if (link := self._links.get(address)) is None:
            link = self._links[address] = Link(address, self._way(address), *self._rest)
            link.start()
        self._wanted[address] = self._wanted.get(address, 0) + 1
        return link

    def give(self, link: Link) -> None:
        """Somebody does not want it any more."""
        self._wanted[link.address] -= 1
        if not self._wanted[link.address]:
            del self._wanted[link.address], self._links[link.address]
            ended = link.stop()
            self._ending.add(ended)
            ended.addBoth(lambda result: self._ending.discard(ended))

    def seek(self, address: str) -> Link:
        """The same, for somebody who wants to know whatever is there."""
        link = self.take(address)
        self._sought[link] = self._sought.get(link, 0) + 1
        return link

    def forsake(self, link: Link) -> None:
        """Give back what was sought."""
        self._sought[link] -= 1
        if not self._sought[link]:
            del self._sought[link]
        self.give(link)

    def find(self, uid: str) -> Endpoint | None:
        """An endpoint as it can be called, if it can be where somebody seeks; the place that was
        sought first goes before others."""
        return next((link.endpoints[uid] for link in self._sought if uid in link.endpoints), None)

    def ended(self) -> Deferred[Any]:
        """Fires when all have ended that nobody wants."""
        return DeferredList(list(self._ending))

    def __iter__(self) -> Any:
        return iter(list(self._links.values()))


class _Asking(Factory):
    noisy = False

    def __init__(self, build: Callable[[], Asking]) -> None:
        self._build = build

    def buildProtocol(self, address: Any) -> Asking:
        return self._build()


@implementer(IStreamClientEndpoint)
class _Watched:
    """A way that tells why it could not be gone, and to where it is, as Twisted logs it."""

    def __init__(
        self, way: IStreamClientEndpoint, address: str, failed: Callable[[Failure], None]
    ) -> None:
        self._way = way
        self._address = address
        self._failed = failed

    def __repr__(self) -> str:
        return self._address

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        connecting: Deferred[IProtocol] = self._way.connect(protocolFactory)

        def failed(failure: Failure) -> Failure:
            if not failure.check(CancelledError, ConnectingCancelledError):
                self._failed(failure)
            return failure

        return connecting.addErrback(failed)
