"""Tests for an agent by Perspective Broker, over a connection in memory."""

from typing import Any

from twisted.cred.error import UnauthorizedLogin, UnhandledCredentials
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import capturedLogs
from twisted.spread.pb import PBClientFactory, PBServerFactory
from twisted.test.iosim import FakeTransport, IOPump, connect
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from pop.errors import AgentErred, AgentLost, NotHere
from pop.interfaces import IAdministration
from pop.protocols.pb import Administrator, broker, portal
from pop.protocols.window import WIDTH
from pop.test.scripted import EXCHANGES, Reader, Scripted


class PerspectiveTests(SynchronousTestCase):
    """What is asked and answered, by those who got in."""

    def setUp(self) -> None:
        """Connect, and get in."""
        self.agent = Scripted()
        self.refused: list[str] = []
        self.left: list[bool] = []
        server = broker(self.agent, self.refused.append, lambda: self.left.append(True))
        self.admin = self.successResultOf(self.login(server))

    def login(self, server: Any, identity: str | None = None) -> Deferred[Administrator]:
        """Connect to a server."""
        factory = PBClientFactory()
        self.client = factory.buildProtocol(None)
        self.pump: IOPump = connect(
            server,
            FakeTransport(server, isServer=True),
            self.client,
            FakeTransport(self.client, isServer=False),
        )
        coming = Deferred.fromCoroutine(Administrator.login(factory, identity))
        self.pump.flush()
        return coming

    def done(self, asked: Deferred[Any]) -> Any:
        """Let both talk; what came of it."""
        self.pump.flush()
        return self.successResultOf(asked)

    def follow(self, reader: Reader) -> Deferred[None]:
        """Begin a stream that goes on until it is ended."""
        self.cancelled: list[object] = []
        self.agent.answer = Deferred(self.cancelled.append)
        asked = self.admin.logs("web", 10, True, reader)
        self.pump.flush()
        return asked

    def test_interface(self) -> None:
        """Whoever has one has all that an agent can be asked."""
        verifyObject(IAdministration, self.admin)

    def test_calls(self) -> None:
        """Each is asked with its arguments, and its answer comes back as it was."""
        for asked, answer in EXCHANGES:
            self.agent.answer = answer
            method = getattr(self.admin, asked[0])
            self.assertEqual(answer, self.done(method(*asked[1:])))
            self.assertEqual(asked, self.agent.asked[-1])

    def test_refusals(self) -> None:
        """An error that an operator can cause comes across as the same, and no log tells of it."""
        self.agent.answer = NotHere(service="web", machine="m1", hint="")
        with capturedLogs() as logs:
            asked = self.admin.restart("web")
            self.pump.flush()
        error = self.failureResultOf(asked, NotHere).value
        self.assertEqual(str(self.agent.answer), str(error))
        self.assertEqual([], [log for log in logs if log["log_level"].name != "info"])

    def test_defects(self) -> None:
        """A defect is logged where it is, and said elsewhere."""
        self.agent.answer = ZeroDivisionError("by 0")
        asked = self.admin.info()
        self.pump.flush()
        self.assertIn("by 0", str(self.failureResultOf(asked, AgentErred).value))
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))

    def test_stream(self) -> None:
        """All pieces arrive in order, then the end, when all of them are taken."""
        reader = Reader()
        asked = self.follow(reader)
        assert self.agent.output is not None
        text = b"".join(b"%d " % n for n in range(100_000))
        self.agent.output.write("web", text)
        self.agent.answer.callback(None)
        self.assertIsNone(self.done(asked))
        self.assertEqual(text, reader.text("web"))

    def test_slow_reader(self) -> None:
        """No more is on its way than the window allows."""
        reader = Reader(slow=True)
        self.follow(reader)
        assert self.agent.output is not None
        for number in range(WIDTH + 2):
            self.agent.output.write("web", b"%d" % number)
        self.pump.flush()
        self.assertEqual(WIDTH, len(reader.taken))
        reader.waiting[0].callback(None)
        self.pump.flush()
        self.assertEqual(WIDTH + 1, len(reader.taken))

    def test_cancelled(self) -> None:
        """Who cancels has it end there too."""
        asked = self.follow(Reader())
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.pump.flush()
        self.assertEqual([self.agent.answer], self.cancelled)

    def test_refusing_reader(self) -> None:
        """A reader that fails ends the stream, with its own error."""
        reader = Reader()
        asked = self.follow(reader)
        reader.fault = OSError("the pipe is broken")
        assert self.agent.output is not None
        self.agent.output.write("web", b"a")
        self.pump.flush()
        self.assertEqual([self.agent.answer], self.cancelled)
        self.failureResultOf(asked, OSError)

    def test_vanished(self) -> None:
        """Who vanishes has all of it end."""
        asked = self.follow(Reader())
        self.client.transport.loseConnection()
        self.pump.flush()
        self.failureResultOf(asked, AgentLost)
        self.assertEqual([self.agent.answer], self.cancelled)
        self.assertEqual([True], self.left)
        self.successResultOf(self.admin.lost)

    def test_nonsense(self) -> None:
        """What is no Perspective Broker ends the connection, without a traceback."""
        self.client.transport.write(b"\xff" * 70 + b"GET / HTTP/1.0\r\n\r\n")
        with capturedLogs() as logs:
            self.pump.flush()
        self.assertEqual(1, len(self.refused))
        self.assertEqual([], [log for log in logs if log["log_level"].name == "critical"])
        self.assertEqual([True], self.left)

    def test_identity(self) -> None:
        """Where an identity is asked for, whoever knows it gets in, and nobody else."""
        factory = PBServerFactory(portal(self.agent, "me:secret"))
        self.agent.answer = {}
        admin = self.successResultOf(self.login(factory.buildProtocol(None), "me:secret"))
        self.assertEqual({}, self.done(admin.info()))
        for wrong in ("me:wrong", "you:secret", None):
            failed = self.failureResultOf(self.login(factory.buildProtocol(None), wrong))
            self.assertIn(
                "Unauthorized" if wrong else "Unhandled",
                str(getattr(failed.value, "remoteType", failed.type)),
            )
        self.flushLoggedErrors(UnauthorizedLogin, UnhandledCredentials)
