"""Servers are tried in turn, wherever their names lead at the time, and in no hurry."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Any

from twisted.internet._resolver import HostResolution
from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, fail
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.interfaces import IAddress, IHostnameResolver, IResolutionReceiver
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from txzookeeper.dialer import Dialer, plain_endpoint
from txzookeeper.hosts import Host

HOSTS = tuple(Host(name, 2181) for name in "abcd")


def nothing() -> Any:
    """Give no protocol, as nobody is there to speak with."""


class Refused:
    """The way to a server that is not there."""

    def connect(self, factory: object) -> Any:
        """Fail at once."""
        return fail(ConnectionRefusedError())


class DialerTests(SynchronousTestCase):
    """Servers none of which is there."""

    def dial(self, seed: int = 1) -> Dialer:
        """Begin to dial; note who is tried, and when."""
        self.clock = Clock()
        self.tried: list[tuple[float, str]] = []

        def endpoint(host: str, port: int) -> Any:
            self.tried.append((self.clock.seconds(), host))
            return Refused()

        dialer = Dialer(self.clock, HOSTS, endpoint, Random(seed), 4, longest_delay=2)
        self.dialing = dialer.dial(nothing, lambda error: True)
        return dialer

    def end(self) -> None:
        """Stop dialing; nothing is left."""
        self.dialing.cancel()
        self.failureResultOf(self.dialing, CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def pauses(self, rounds: int) -> list[float]:
        """Let so many rounds pass; give how long it waited before each but the first."""
        while len(self.tried) < rounds * len(HOSTS):
            self.clock.advance(0.001)
        times = [time for time, _ in self.tried[:: len(HOSTS)]]
        return [after - before for before, after in pairwise(times)]

    def test_order(self) -> None:
        """Each client has an order of its own, in which it tries all servers in each round."""
        orders = set()
        for seed in range(20):
            self.dial(seed)
            self.pauses(3)
            self.end()
            names = "".join(name for _, name in self.tried)
            self.assertEqual(names, names[:4] * 3)
            self.assertEqual(sorted(names[:4]), ["a", "b", "c", "d"])
            orders.add(names[:4])
        self.assertGreater(len(orders), 5)

    def test_back_off(self) -> None:
        """It waits twice as long each time up to its limit, less up to a half of that."""
        self.dial()
        for number, pause in enumerate(self.pauses(12)):
            longest = min(0.1 * 2**number, 2.0)
            self.assertTrue(longest / 2 <= pause <= longest + 0.002, (number, pause))
        self.end()

    def test_jitter(self) -> None:
        """Clients of one server do not come at the same moments."""
        moments = set()
        for seed in range(20):
            self.dial(seed)
            moments.add(round(sum(self.pauses(5)), 3))
            self.end()
        self.assertGreater(len(moments), 15)

    def test_healthy(self) -> None:
        """After a connection that lasted it is in a hurry again."""
        dialer = self.dial()
        self.pauses(8)
        self.end()
        dialer.healthy()
        self.tried.clear()
        self.dialing = dialer.dial(nothing, lambda error: True)
        self.assertEqual(len(self.tried), len(HOSTS))
        self.assertLessEqual(self.pauses(2)[0], 0.102)
        self.end()

    def test_preferred(self) -> None:
        """The one that is preferred is the next."""
        dialer = self.dial()
        dialer.prefer(Host("c", 2181))
        self.assertEqual(dialer.hosts[0].name, "c")
        self.assertEqual(sorted(dialer.hosts), list(HOSTS))
        self.end()


@implementer(IHostnameResolver)
class Moving:
    """Knows another address of every name each time it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> Any:
        """Give the next address."""
        self.asked += 1
        resolutionReceiver.resolutionBegan(HostResolution(hostName))
        resolutionReceiver.addressResolved(IPv4Address("TCP", f"10.0.0.{self.asked}", portNumber))
        resolutionReceiver.resolutionComplete()
        return None


class NameTests(SynchronousTestCase):
    """Where names lead."""

    def test_looked_up_anew(self) -> None:
        """A server that has moved is found at its new address at the next attempt."""
        reactor: Any = MemoryReactorClock()
        reactor.nameResolver = Moving()
        endpoint = plain_endpoint(reactor)
        dialer = Dialer(reactor, HOSTS[:1], endpoint, Random(1), 4, longest_delay=0.1)
        dialing = dialer.dial(nothing, lambda error: True)
        for number in range(1, 4):
            reactor.pump([0.5, 0.5])
            host, port, factory, *_ = reactor.tcpClients[-1]
            self.assertEqual((host, port), (f"10.0.0.{number}", 2181))
            factory.clientConnectionFailed(None, Failure(ConnectionRefusedError()))
        dialing.cancel()
        self.failureResultOf(dialing, CancelledError)

    def test_addresses(self) -> None:
        """Addresses are not looked up."""
        reactor: Any = MemoryReactorClock()
        reactor.nameResolver = Moving()
        for address in ("127.0.0.1", "::1"):
            hosts = (Host(address, 1),)
            dialer = Dialer(reactor, hosts, plain_endpoint(reactor), Random(1), 4, 1)
            dialing = dialer.dial(nothing, lambda error: True)
            self.assertEqual(reactor.tcpClients[-1][:2], (address, 1))
            dialing.cancel()
            self.failureResultOf(dialing, CancelledError)
        self.assertEqual(reactor.nameResolver.asked, 0)
