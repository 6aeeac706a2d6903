"""Connections to others: why there is none, and who holds them."""

from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from pop.components.remote.link import NOT_YET, Link, Links
from pop.components.remote.places import way
from pop.components.remote.proxy import Imported
from pop.test.networks import Network
from pop.test.remotes import endpoint


@implementer(IStreamClientEndpoint)
class Nowhere:
    """A way that has no end."""

    def connect(self, protocolFactory: Any) -> Deferred[Any]:
        """Take for ever."""
        return Deferred()


class Full:
    """A framework in which nothing more can be registered."""

    def register_service(self, *given: Any) -> Any:
        """Not here."""
        raise ValueError("full")


class LinkTests(SynchronousTestCase):
    """One connection."""

    def setUp(self) -> None:
        self.network = Network()

    def link(self, way: Any) -> Link:
        """One that begins."""
        link = Link("unix:/x", way, self.network, lambda attempts: 1.0, {})
        link.start()
        return link

    def test_latest_reason(self) -> None:
        """Why there is none is what has happened last, also before any greeting."""
        link = self.link(way(self.network, "unix:/x"))
        self.assertIn("nobody there", link.why)
        self.network.listenUNIX("/x", Factory.forProtocol(Protocol))
        self.network.pass_(1)
        self.network.cut()
        self.assertEqual("the other end closed the connection", link.why)
        self.successResultOf(link.stop())

    def test_stopped(self) -> None:
        """That it was stopped while it was being made is no reason."""
        link = self.link(Nowhere())
        self.successResultOf(link.stop())
        self.assertEqual(NOT_YET, link.why)

    def test_given_back(self) -> None:
        """What cannot be imported holds no connection, and hears no more of it."""
        links = Links(partial(way, self.network), self.network, lambda attempts: 1.0, {})
        found = endpoint("1", **{"pop.remote.address": "unix:/x"})
        link = links.take("unix:/x")
        link.endpoints["1"] = found
        context: Any = Full()
        self.assertRaises(ValueError, Imported, context, links, found, 5.0)
        link.found(found)
        links.give(link)
        self.assertEqual([], list(links))
        self.successResultOf(links.ended())
