"""Who may call from elsewhere, and what strangers may cost."""

import json
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from pop.components.errors import NotStarted
from pop.components.framework import Framework
from pop.components.remote.answering import Answering, AnsweringFactory
from pop.components.remote.endpoint import Endpoint
from pop.components.remote.imports import Imports
from pop.components.remote.interfaces import IDiscovered, IExportProvider
from pop.components.remote.offers import Offers
from pop.test.callers import CallCase, Echo
from pop.test.networks import Network
from pop.test.remotes import endpoint


class SecretTests(CallCase):
    """Frameworks that have a secret in common."""

    def test_secret(self) -> None:
        """Only who knows it may call; who does not, tries again at growing intervals."""
        self.stop(self.server)
        secret = {"pop.remote.secret": "s3cret"}
        self.server = self.make("server", {"pop.remote.listen": "unix:/server", **secret})
        self.export()
        self.assertIs(None, self.find())
        known = self.make("known", {"pop.remote.peers": "unix:/server", **secret})
        self.assertEqual([1, {}], self.answer(self.find(framework=known).say(1)))
        before = len(self.network.pumps)
        self.network.pass_(60)
        self.assertIs(None, self.find())
        self.assertTrue(before < len(self.network.pumps) < before + 30)


class StrangerTests(SynchronousTestCase):
    """One connection, and what is said on it."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.offers = Offers()
        self.echo = Echo()
        self.offers.export_service(endpoint("1"), self.echo)
        self.factory = AnsweringFactory(self.offers, self.clock, "here", "", 10)
        self.wire: Answering = self.factory.buildProtocol(None)
        self.transport: Any = StringTransport()
        self.wire.makeConnection(self.transport)

    def say(self, *message: Any) -> None:
        """Say something, as one end does."""
        self.raw(json.dumps(message).encode())

    def raw(self, data: bytes) -> None:
        """Say whatever."""
        self.wire.dataReceived(len(data).to_bytes(4, "big") + data)

    def heard(self) -> list[Any]:
        """What was said to it since the last time."""
        data, found = self.transport.value(), []
        self.transport.clear()
        while data:
            size = int.from_bytes(data[:4], "big")
            found.append(json.loads(data[4 : 4 + size]))
            data = data[4 + size :]
        return found

    def greet(self) -> None:
        """As it should be."""
        self.say("hello", {"pop": 1, "framework": "far"})
        self.heard()

    def test_greeting(self) -> None:
        """Who greets is told who this is, and what can be called."""
        self.say("hello", {"pop": 1, "framework": "far", "new": 5})
        hello, added = self.heard()
        self.assertEqual(["hello", {"pop": 1, "framework": "here"}], hello)
        self.assertEqual(("added", "1"), (added[0], added[1]["uid"]))

    def test_version(self) -> None:
        """Who speaks another version is told so, and sent away."""
        self.say("hello", {"pop": 2})
        self.assertEqual([["refused", "this framework speaks version 1"]], self.heard())
        self.assertTrue(self.transport.disconnecting)
        self.greet()
        self.assertEqual([], self.heard())
        self.clock.advance(10)
        self.assertTrue(self.transport.disconnected)

    def test_silent(self) -> None:
        """Who does not greet in time is sent away."""
        self.clock.advance(9)
        self.assertFalse(self.transport.disconnected)
        self.clock.advance(1)
        self.assertTrue(self.transport.disconnected)

    def test_dawdling(self) -> None:
        """Nor does anybody get more time for the greeting by saying a bit of something."""
        self.wire.dataReceived((100).to_bytes(4, "big"))
        for _ in range(9):
            self.clock.advance(1)
            self.wire.dataReceived(b" ")
        self.assertFalse(self.transport.disconnected)
        self.clock.advance(1)
        self.assertTrue(self.transport.disconnected)

    def test_ping_first(self) -> None:
        """Who has not greeted is not answered either."""
        self.say("ping")
        self.assertTrue(self.transport.disconnected)
        self.assertEqual([], self.heard())

    def test_crowd(self) -> None:
        """One more than may be connected at a time is told so and sent away, until one goes."""
        self.factory.guests = 1
        self.greet()
        other, transport = self.factory.buildProtocol(None), StringTransport()
        other.makeConnection(transport)
        self.assertIn(b"too many", transport.value())
        self.assertTrue(transport.disconnecting)
        other.connectionLost()
        self.wire.connectionLost()
        self.wire.makeConnection(self.transport)
        self.assertFalse(self.transport.disconnecting)

    def test_nonsense(self) -> None:
        """What makes no sense ends the connection, before the greeting and after it."""
        for greeted in (False, True):
            for data in (
                b"",
                b"{}",
                b"[]",
                b"[5]",
                b"nonsense",
                b"\xff",
                b"[" * 3000,
                b'["hello"]',
                b'["hello", 5]',
                b'["call", 1, 2]',
                b'["ping", 1]',
            ):
                self.setUp()
                if greeted:
                    self.greet()
                self.raw(data)
                self.assertTrue(self.transport.disconnected, (greeted, data))
                self.assertEqual([], self.heard())
                self.wire.connectionLost()

    def test_call_first(self) -> None:
        """Nothing is called for somebody who has not greeted."""
        self.say("call", 1, "1", "say", [], {})
        self.assertTrue(self.transport.disconnected)
        self.assertEqual([], self.heard())

    def test_newer(self) -> None:
        """What is not known is not heeded."""
        self.greet()
        self.say("wave", {"to": "you"})
        self.say("ping")
        self.assertEqual([["pong"]], self.heard())

    def test_large(self) -> None:
        """A stranger may say little, somebody who has greeted much, and nobody everything."""
        self.wire.dataReceived((5000).to_bytes(4, "big"))
        self.assertTrue(self.transport.disconnected)
        self.setUp()
        self.greet()
        self.wire.dataReceived((5000).to_bytes(4, "big"))
        self.assertFalse(self.transport.disconnected)
        self.setUp()
        self.greet()
        self.wire.dataReceived((1 << 30).to_bytes(4, "big"))
        self.assertTrue(self.transport.disconnected)

    def test_unread(self) -> None:
        """Who does not read what is answered is not read from either."""
        self.greet()
        self.transport.producer.pauseProducing()
        self.assertEqual("paused", self.transport.producerState)
        self.say("ping")
        self.assertEqual([], self.heard())
        self.transport.producer.resumeProducing()
        self.assertEqual([["pong"]], self.heard())

    def test_unread_much(self) -> None:
        """If too much waits for somebody who does not read it, the connection ends, and nothing of
        that is kept; who reads now and then is answered as much as they want."""
        self.factory.most_unread = 1000
        self.offers.export_service(replace(endpoint("4"), methods=("later",)), self.echo)
        self.greet()
        for number in range(4):
            self.say("call", number, "4", "later", [], {})
        for reads in (True, False):
            for _ in range(2):
                self.transport.producer.pauseProducing()
                self.echo.waiting.pop().callback("x" * 600)
                if reads:
                    self.transport.producer.resumeProducing()
            self.assertEqual(not reads, self.transport.disconnected)

    def test_unread_long(self) -> None:
        """Who does not read for too long is held to be gone, and the log says that it is this."""
        self.greet()
        self.transport.producer.pauseProducing()
        with capturedLogs() as logged:
            self.clock.advance(35)
        self.assertTrue(self.transport.disconnected)
        self.assertIn("does not read", str([event.get("why") for event in logged]))

    def test_same_number(self) -> None:
        """Two calls of one number cannot be told apart: that makes no sense, and costs nothing."""
        self.offers.export_service(replace(endpoint("4"), methods=("later",)), self.echo)
        self.greet()
        for _ in range(2):
            self.say("call", 1, "4", "later", [], {})
        self.assertTrue(self.transport.disconnected)
        self.assertEqual(1, len(self.echo.waiting))

    def test_unknown(self) -> None:
        """An endpoint that is not, or no more, is an error with its name."""
        self.greet()
        self.say("call", 7, "2", "say", [], {})
        [[kind, number, error, text]] = self.heard()
        self.assertEqual(("error", 7), (kind, number))
        self.assertEqual("pop.components.remote.errors.NoSuchEndpoint", error)
        self.assertEqual("There is no endpoint 2 any more.", text)

    def test_busy(self) -> None:
        """So many calls may wait at a time; one more is an error, until one is answered."""
        offered = endpoint("3")
        self.offers.export_service(offered, {"say": None})
        self.offers.export_service(replace(endpoint("4"), methods=("later",)), self.echo)
        self.greet()
        for number in range(10):
            self.say("call", number, "4", "later", [], {})
        self.assertEqual([], self.heard())
        self.say("call", 10, "4", "later", [], {})
        self.assertIn("TooBusy", self.heard()[0][2])
        self.echo.waiting[0].callback(1)
        self.assertEqual([["result", 0, 1]], self.heard())
        self.wire.connectionLost()
        self.assertEqual(9, self.echo.cancelled)

    def offer(self, object: Any, *methods: str) -> None:
        """Let something else be called."""
        offered = Endpoint("5", "here", (), "odd", ("s",), methods)
        self.offers.export_service(offered, object)

    def test_odd_errors(self) -> None:
        """Whatever a method raises or gives, its caller is answered, and so are others: of long
        words the first are told."""

        class Mute(Exception):
            def __str__(self) -> str:
                raise ValueError

        class Shy:
            def __repr__(self) -> str:
                raise KeyError

        class Odd:
            def mute(self) -> None:
                raise Mute

            def long(self) -> None:
                raise ValueError("x" * 5_000_000)

            def shy(self) -> Any:
                return {Shy(): 1}

            async def soon(self) -> Any:
                raise Mute

        self.offer(Odd(), "mute", "long", "shy", "soon")
        self.greet()
        for number, method in enumerate(("mute", "long", "shy", "soon")):
            self.say("call", number, "5", method, [], {})
        answers = self.heard()
        self.assertEqual(
            [("error", number) for number in range(4)], [(a[0], a[1]) for a in answers]
        )
        self.assertEqual("x" * 4096, answers[1][3])
        self.assertEqual("it cannot say why", answers[0][3])

    def test_cancellers(self) -> None:
        """One that does not let itself be cancelled keeps no other from it."""
        cancelled: list[Any] = []

        def fail(deferred: Any) -> None:
            cancelled.append(deferred)
            raise ValueError

        class Odd:
            def later(self) -> Any:
                return Deferred(fail)

        self.offer(Odd(), "later")
        self.greet()
        for number in range(3):
            self.say("call", number, "5", "later", [], {})
        self.say("cancel", 0)
        self.assertFalse(self.transport.disconnected)
        self.wire.connectionLost()
        self.assertEqual(3, len(cancelled))
        self.assertEqual(3, len(self.flushLoggedErrors(ValueError)))

    def tearDown(self) -> None:
        if self.wire in self.factory.connections:
            self.wire.connectionLost()
        self.assertEqual(set(), self.factory.connections)
        self.assertEqual([], self.clock.getDelayedCalls())


class TransportTests(SynchronousTestCase):
    """The bundle, if something is not as it should be."""

    def start(self, clock: Any, **properties: Any) -> str:
        """Why it does not start."""
        given = {f"pop.remote.{name}": value for name, value in properties.items()}
        framework = Framework(given, clock=clock, environment={})
        bundle = framework.install_bundle("pop.components.remote.transport")
        self.successResultOf(framework.start())
        error = self.failureResultOf(bundle.start(), NotStarted).value
        self.assertEqual([], bundle.get_registered_services())
        self.successResultOf(framework.stop())
        return str(error)

    def test_no_reactor(self) -> None:
        """Without a reactor there are no connections."""
        self.assertIn("reactor", self.start(None))

    def test_open(self) -> None:
        """Where anybody could call, it does not start."""
        self.assertIn("secret", self.start(Network(), listen="tcp:9000"))

    def test_taken(self) -> None:
        """Nor where something else listens; what it has begun, it ends."""
        network = Network()
        network.listenUNIX("/taken", None)
        said = self.start(network, listen=["unix:/free", "unix:/taken"])
        self.assertIn("unix:/taken: Address already in use", said)
        self.assertEqual(["/taken"], list(network.ports))

    def test_bad_timeout(self) -> None:
        """Nor with a limit that is none."""
        for bad in ("soon", "-1", "nan", "inf"):
            self.assertIn("is no number of seconds", self.start(Network(), timeout=bad))

    def test_bad_calls(self) -> None:
        """Nor with a number of calls that is none."""
        for bad in ("many", "-1", "0", "1.5", ""):
            self.assertIn("is no number of calls", self.start(Network(), calls=bad))

    def test_bad_peer(self) -> None:
        """A peer that is none is logged, and the others are found."""
        framework = Framework(
            {"pop.remote.peers": ["nonsense", "unix:/x"]}, clock=Network(), environment={}
        )
        for name in ("ipopo", "remote.core", "remote.transport", "remote.discovery"):
            framework.install_bundle(f"pop.components.{name}")
        self.successResultOf(framework.start())
        context = framework.get_bundle_context()
        reference = context.get_service_reference("pop.remote.links")
        assert reference is not None
        links = list(context.get_service(reference))
        self.assertEqual(["unix:/x"], [link.address for link in links])
        self.assertIn("nobody there", links[0].why)
        self.successResultOf(framework.stop())

    def test_promises(self) -> None:
        """What is registered keeps the promises of its interfaces."""
        verifyObject(IExportProvider, Offers())
        verifyObject(IDiscovered, Imports(Framework({}).get_bundle_context()))
