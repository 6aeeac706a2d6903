"""Tests for the admin protocol: both ends of it, over a connection in memory."""

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.test.iosim import FakeTransport, IOPump, connect
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from pop import __version__
from pop.errors import AgentBusy, AgentDiffers, AgentErred, AgentLost, Elsewhere, NotHere
from pop.interfaces import IAdministration
from pop.protocols.amp import AT_ONCE, Answering
from pop.protocols.asking import LEAVING, Administrator, Asking
from pop.protocols.bounds import LARGEST, PATIENCE
from pop.protocols.window import WIDTH
from pop.test.scripted import EXCHANGES, Reader, Scripted


class ConnectionTestCase(SynchronousTestCase):
    """An administrator who is connected to an agent."""

    def setUp(self) -> None:
        """Connect them."""
        self.clock = Clock()
        self.agent = Scripted()
        self.refused: list[str] = []
        self.server = Answering("m1", self.agent, self.clock, self.refused.append)
        self.client = Asking(self.clock)
        self.admin = Administrator(self.client)
        self.pump: IOPump = connect(
            self.server,
            FakeTransport(self.server, isServer=True),
            self.client,
            FakeTransport(self.client, isServer=False),
        )

    def done(self, asked: Deferred[Any]) -> Any:
        """Let both talk; what came of it."""
        self.pump.flush()
        return self.successResultOf(asked)


class CallTests(ConnectionTestCase):
    """What is asked and answered."""

    def test_both_ends_keep_the_promise(self) -> None:
        """Whoever has an administrator, or the agent itself, has the same methods."""
        verifyObject(IAdministration, self.admin)
        verifyObject(IAdministration, self.agent)

    def test_greeting(self) -> None:
        """The agent says which machine it serves, and which version it is."""
        self.done(Deferred.fromCoroutine(self.admin.greet()))
        self.assertEqual(("m1", __version__), (self.admin.machine, self.admin.version))

    def test_calls(self) -> None:
        """Each is asked with its arguments, and its answer comes back as it was."""
        for asked, answer in EXCHANGES:
            self.agent.answer = answer
            method = getattr(self.admin, asked[0])
            self.assertEqual(answer, self.done(method(*asked[1:])))
            self.assertEqual(asked, self.agent.asked[-1])

    def test_long_answers(self) -> None:
        """An answer may be longer than any value of AMP."""
        self.agent.answer = [{"slot": f"web/{n}", "why": "ß" * 100} for n in range(2000)]
        self.assertEqual(self.agent.answer, self.done(self.admin.instances()))

    def test_refusals(self) -> None:
        """An error that an operator can cause comes across as the same, in the same words."""
        self.agent.answer = NotHere(service="web", machine="m1", hint="")
        asked = self.admin.restart("web")
        self.pump.flush()
        error = self.failureResultOf(asked, NotHere).value
        self.assertEqual(str(self.agent.answer), str(error))

    def test_unknown_refusals(self) -> None:
        """So does one that only the agent's version knows."""
        self.agent.answer = type("Newer", (NotHere,), {"__doc__": "It is new."})()
        asked = self.admin.restart("web")
        self.pump.flush()
        self.assertEqual("It is new.", str(self.failureResultOf(asked, Elsewhere).value))

    def test_defects(self) -> None:
        """A defect is logged where it is, said elsewhere, and costs no connection."""
        self.agent.answer = ZeroDivisionError("by 0")
        with capturedLogs() as logs:
            asked = self.admin.info()
            self.pump.flush()
        self.assertIn("by 0", str(self.failureResultOf(asked, AgentErred).value))
        self.assertEqual([LogLevel.critical], [log["log_level"] for log in logs])
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))
        self.agent.answer = {}
        self.assertEqual({}, self.done(self.admin.info()))

    def test_unknown_commands(self) -> None:
        """What the agent does not know is refused in words that say what to do."""
        self.server.locateResponder = lambda name: None  # type: ignore[method-assign]
        asked = self.admin.info()
        self.pump.flush()
        self.failureResultOf(asked, AgentDiffers)

    def test_lost(self) -> None:
        """When the connection breaks, whoever waits for an answer is told, and the agent stops."""
        cancelled: list[object] = []
        self.agent.answer = Deferred(cancelled.append)
        asked = self.admin.info()
        self.pump.flush()
        self.client.transport.loseConnection()  # type: ignore[union-attr]
        self.pump.flush()
        self.failureResultOf(asked, AgentLost)
        self.assertEqual([self.agent.answer], cancelled)
        self.successResultOf(self.admin.lost)

    def test_too_many(self) -> None:
        """One connection has so many open questions at most; then it can go on asking."""
        waiting: list[Deferred[Any]] = [Deferred() for _ in range(AT_ONCE)]
        self.agent.answer = iter(waiting).__next__
        asked = [self.admin.info() for _ in range(AT_ONCE)]
        self.pump.flush()
        more = self.admin.info()
        self.pump.flush()
        self.failureResultOf(more, AgentBusy)
        waiting[0].callback({})
        self.assertEqual({}, self.done(asked[0]))
        self.agent.answer = {"pid": 1}
        self.assertEqual({"pid": 1}, self.done(self.admin.info()))
        for each in asked[1:]:
            each.addErrback(lambda _: None).cancel()


class StreamTests(ConnectionTestCase):
    """What comes piece by piece."""

    def follow(self, reader: Reader) -> Deferred[None]:
        """Begin a stream that goes on until it is ended."""
        self.cancelled: list[object] = []
        self.agent.answer = Deferred(self.cancelled.append)
        asked = self.admin.logs("web", 10, True, reader)
        self.pump.flush()
        self.assertEqual(("logs", "web", 10, True), self.agent.asked[-1])
        return asked

    def note(self, _: None, number: int, written: list[int]) -> None:
        """Something was written."""
        written.append(number)

    def write(self, source: str, data: bytes) -> Deferred[None]:
        """The agent writes."""
        assert self.agent.output is not None
        return self.agent.output.write(source, data)

    def test_pieces(self) -> None:
        """All arrives, in order, however large the pieces are; then comes the end."""
        reader = Reader()
        asked = self.follow(reader)
        text = b"".join(b"%d " % n for n in range(100_000))
        first, second = self.write("web", text), self.write("web/2", b"\0\xff")
        third = self.write("web", b"the end")
        self.assertNoResult(first)
        self.pump.flush()
        for written in (first, second, third):
            self.successResultOf(written)
        self.assertEqual(text + b"the end", reader.text("web"))
        self.assertEqual(b"\0\xff", reader.text("web/2"))
        self.assertNoResult(asked)
        self.agent.answer.callback(None)
        self.assertIsNone(self.done(asked))

    def test_result(self) -> None:
        """A task's end has a status, and comes after all of its output."""
        reader = Reader(slow=True)
        self.agent.answer = Deferred()
        asked = self.admin.run("web", "pack", ["--days", "3"], reader)
        self.pump.flush()
        self.assertEqual(("run", "web", "pack", ["--days", "3"]), self.agent.asked[-1])
        self.write("stdout", b"packed")
        self.agent.answer.callback({"status": 3, "settings": None})
        self.pump.flush()
        self.assertNoResult(asked)
        reader.waiting[0].callback(None)
        self.assertEqual({"status": 3, "settings": None}, self.done(asked))

    def test_slow_reader(self) -> None:
        """Whoever writes waits for who reads, a few pieces ahead of it."""
        reader = Reader(slow=True)
        self.follow(reader)
        written: list[int] = []
        for number in range(WIDTH + 2):
            self.write("web", b"%d" % number).addCallback(self.note, number, written)
        self.pump.flush()
        self.assertEqual([("web", b"0")], reader.taken)
        self.assertEqual(list(range(WIDTH)), written)
        reader.waiting.pop().callback(None)
        self.pump.flush()
        self.assertEqual([("web", b"0"), ("web", b"1")], reader.taken)
        self.assertEqual(list(range(WIDTH + 1)), written)

    def test_cancelled(self) -> None:
        """Who cancels has it end there too, and the connection goes on."""
        reader = Reader()
        asked = self.follow(reader)
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.pump.flush()
        self.assertEqual([self.agent.answer], self.cancelled)
        self.agent.answer = {}
        self.assertEqual({}, self.done(self.admin.info()))

    def test_cancelled_task(self) -> None:
        """Who cancels a task waits for its end there, and reads what it still has to say."""
        reader = Reader()
        self.cancelled = []
        inner: Deferred[None] = Deferred()
        self.agent.answer = Deferred(self.cancelled.append)
        self.agent.answer.addErrback(lambda failure: inner.addCallback(lambda _: failure))
        asked = self.admin.run("web", "pack", [], reader)
        self.pump.flush()
        asked.cancel()
        self.pump.flush()
        self.assertEqual(1, len(self.cancelled))
        self.assertNoResult(asked)
        self.write("stdout", b"tidied up")
        self.pump.flush()
        self.assertEqual(b"tidied up", reader.text("stdout"))
        inner.callback(None)
        self.pump.flush()
        self.failureResultOf(asked, CancelledError)

    def test_impatience(self) -> None:
        """Who cancels it again, or has waited for long, waits no more."""
        for impatient in (True, False):
            self.agent.answer = Deferred()
            self.agent.answer.addErrback(lambda failure: Deferred())
            asked = self.admin.run("web", "pack", [], Reader())
            self.pump.flush()
            asked.cancel()
            self.pump.flush()
            self.assertNoResult(asked)
            if impatient:
                asked.cancel()
            else:
                self.clock.advance(LEAVING)
            self.failureResultOf(asked, CancelledError)

    def test_vanished(self) -> None:
        """Who vanishes has it end, too, even if the agent waits for them to read."""
        reader = Reader(slow=True)
        asked = self.follow(reader)
        written = self.write("web", bytes(1_000_000))
        self.pump.flush()
        self.client.transport.abortConnection()  # type: ignore[union-attr]
        self.pump.flush()
        self.failureResultOf(asked, AgentLost)
        self.assertEqual([self.agent.answer], self.cancelled)
        self.failureResultOf(written)

    def test_refusing_reader(self) -> None:
        """A reader that fails ends the stream with its own error, and what it began with it."""
        reader = Reader()
        asked = self.follow(reader)
        reader.fault = OSError("the pipe is broken")
        self.write("web", b"a")
        self.pump.flush()
        self.assertEqual([self.agent.answer], self.cancelled)
        self.assertIn("pipe", str(self.failureResultOf(asked, OSError).value))

    def test_refused(self) -> None:
        """A stream that cannot begin says why."""
        self.agent.answer = NotHere(service="web", machine="m1", hint="")
        asked = self.admin.logs("web", 1, False, Reader())
        self.pump.flush()
        self.failureResultOf(asked, NotHere)


class StrangerTests(ConnectionTestCase):
    """Who does not speak the protocol, or not well."""

    def send(self, data: bytes) -> None:
        """Something comes."""
        if self.client.transport is not None:
            self.client.transport.write(data)
        self.pump.flush()

    def test_another_protocol(self) -> None:
        """What is no AMP is not listened to."""
        self.send(b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual(["it does not speak AMP"], self.refused)
        self.successResultOf(self.admin.lost)

    def test_nonsense(self) -> None:
        """Nor is AMP that makes no sense; no traceback tells of it."""
        for data in (
            b"\0\1a\0\1b\0\0",
            b"\0\7_answer\0\1\x37\0\0",
            b"\0\4_ask\0\1\x31\0\x08_command\0\3Why\0\0",
            b"\0\4_ask\0\1\x31\0\x08_command\0\3Run\0\6stream\0\1x\0\0",
        ):
            self.setUp()
            with capturedLogs() as logs:
                self.send(data)
            self.assertEqual(1, len(self.refused), data)
            self.assertIn("makes no sense", self.refused[0])
            self.assertEqual([], logs)

    def test_silence(self) -> None:
        """Who says nothing is not waited for."""
        self.clock.advance(PATIENCE + 1)
        self.pump.flush()
        self.assertEqual(["it took more than 10 seconds for its first request"], self.refused)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_rest(self) -> None:
        """Who has asked something may rest."""
        self.done(self.admin.info())
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_dribbling(self) -> None:
        """Who sends a request byte by byte has as long for all of it."""
        self.done(self.admin.info())
        for byte in b"\0\4_ask\0\1\x31\0\x08_comm":
            self.send(bytes([byte]))
            self.clock.advance(1)
        self.assertEqual(["it took more than 10 seconds for what it began"], self.refused)

    def test_large(self) -> None:
        """A box that does not end costs no more than it may."""
        for number in range(LARGEST // 60_000 + 2):
            self.send(b"\0\3%03d\xea\x60" % number + bytes(60_000))
        self.assertEqual([f"it sent more than {LARGEST} bytes at once"], self.refused)

    def test_who_does_not_read(self) -> None:
        """Who asks and asks, and reads no answer, is not read from before it does."""
        self.agent.answer = "x" * 10_000
        self.done(self.admin.info())
        self.agent.asked.clear()
        transport = self.server.transport
        transport.producer.pauseProducing()  # type: ignore[union-attr]  # as a full transport does
        for _ in range(50):
            self.admin.info().addErrback(lambda _: None)
        self.pump.flush()
        self.assertEqual([], self.agent.asked)
        transport.producer.resumeProducing()  # type: ignore[union-attr]
        self.pump.flush()
        self.assertEqual(50, len(self.agent.asked))
