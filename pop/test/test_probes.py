"""Health checks are carried out: one suite for the real ones and the fake, then each kind."""

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from twisted.internet import protocol
from twisted.internet.defer import Deferred, fail
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import DNSLookupError, NoRouteError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock, deferLater
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from pop.errors import CheckFailed
from pop.probes import Probes, Run
from pop.program import Launch, Program
from pop.test.conformance import Promise, in_time, in_world
from pop.test.errands import Errands
from pop.testing import HANGS, FakeProbes
from txzookeeper.dialer import plain_endpoint

LAUNCH = Launch(Program(("true",)))
PASSES = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
FAILS = b"HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\nno database\n"


class Server(protocol.Protocol):
    """Says what it is told to say to each question, and keeps what it heard.

    @ivar ended: fires when the other side has gone, with how.
    """

    def __init__(self, says: bytes | None, closes: bool) -> None:
        self._says = says
        self._closes = closes
        self.heard = b""
        self.ended: Deferred[Any] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        """Answer a question at its end."""
        self.heard += data
        if self._says is not None and self.heard.endswith(b"\r\n\r\n"):
            assert self.transport
            self.transport.write(self._says)
            if self._closes:
                self.transport.loseConnection()

    def connectionLost(self, reason: Any = None) -> None:
        """The end."""
        self.ended.callback(type(reason.value).__name__)


class Servers:
    """Real servers on free ports, for one test; gone after it, with all connections."""

    def __init__(self, case: TestCase) -> None:
        self._case = case
        self.visits: list[Server] = []

    async def listen(self, says: bytes | None, closes: bool = True, at: str = "127.0.0.1") -> int:
        """Start one that says so, or nothing; gives the port."""
        from twisted.internet import reactor

        factory = protocol.Factory()
        factory.noisy = False

        def build(_: Any) -> Server:
            self.visits.append(Server(says, closes))
            return self.visits[-1]

        factory.buildProtocol = build  # type: ignore[method-assign,assignment]
        place = f"tcp:0:interface={at.replace(':', chr(92) + ':')}"
        port = await serverFromString(reactor, place).listen(factory)
        self._case.addCleanup(self._end)
        self._case.addCleanup(port.stopListening)
        return int(port.getHost().port)

    async def refuse(self) -> int:
        """A port at which nobody listens."""
        from twisted.internet import reactor

        port = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(
            protocol.Factory.forProtocol(protocol.Protocol)
        )
        number = int(port.getHost().port)
        await port.stopListening()
        return number

    async def _end(self) -> None:
        for visit in self.visits:
            if not visit.ended.called:
                assert visit.transport
                visit.transport.loseConnection()
            await visit.ended


class World(Protocol):
    """Probes, and something that passes, fails, or does not answer."""

    async def ask(self, does: str, timeout: float = 10.0) -> None: ...
    def run(self, promise: Promise) -> Deferred[None]: ...


class RealWorld:
    """Real probes, of one kind."""

    def __init__(self, case: TestCase, run: Run | None = None) -> None:
        from twisted.internet import reactor

        self.servers = Servers(case)
        self.probes = Probes(reactor, plain_endpoint(reactor), run or _no_commands)

    async def ask(self, does: str, timeout: float = 10.0) -> None:
        """Check something that does so."""
        await self.probes.probe("web", LAUNCH, await self.describe(does), timeout)

    async def describe(self, does: str) -> str:
        """A check of something that does so."""
        raise NotImplementedError

    def run(self, promise: Promise) -> Deferred[None]:
        """Keep a promise."""
        return Deferred.fromCoroutine(promise)


async def _no_commands(*_: object) -> str | None:
    raise NotImplementedError


class HttpWorld(RealWorld):
    """Checks by HTTP."""

    async def describe(self, does: str) -> str:
        """See L{RealWorld.describe}."""
        answer = {"passes": PASSES, "fails": FAILS, HANGS: None}[does]
        return f"http://127.0.0.1:{await self.servers.listen(answer)}/"


class CommandWorld(RealWorld):
    """Checks by commands."""

    def __init__(self, case: TestCase) -> None:
        super().__init__(case, Errands(case).commands.run)

    async def describe(self, does: str) -> str:
        """See L{RealWorld.describe}."""
        return f"command:{ {'passes': 'true', 'fails': 'false', HANGS: 'sleep 600'}[does] }"


class FakeWorld:
    """Checks that come out as they are told to, in virtual time."""

    def __init__(self, case: TestCase) -> None:
        self._clock = Clock()
        self._probes = FakeProbes(self._clock)
        self._probes.faults = {"tcp:2": "is broken", "tcp:3": HANGS}

    async def ask(self, does: str, timeout: float = 10.0) -> None:
        """Check something that does so."""
        description = {"passes": "tcp:1", "fails": "tcp:2", HANGS: "tcp:3"}[does]
        await self._probes.probe("web", LAUNCH, description, timeout)

    def run(self, promise: Promise) -> Deferred[None]:
        """Keep a promise, within so many turns."""
        return in_time(self._clock, promise)


async def fault(asked: Coroutine[Any, Any, None]) -> str:
    """The sentence of a check that must fail."""
    try:
        await asked
    except CheckFailed as error:
        return str(error)
    raise AssertionError("it passed")


def probe_tests(fixture: Callable[[TestCase], World]) -> type[TestCase]:
    """Make the tests of probes; give the class a name by inheriting from it."""

    class ProbeTests(TestCase):
        timeout = 20

        def setUp(self) -> None:
            self.world = fixture(self)

        @in_world
        async def test_passes(self) -> None:
            """What is as it should be passes."""
            await self.world.ask("passes")

        @in_world
        async def test_quiet(self) -> None:
            """A check, of which there are many, leaves no line in the log of its connection."""
            with capturedLogs() as events:
                await self.world.ask("passes")
            lines = [formatEvent(event) for event in events]
            self.assertEqual([], [line for line in lines if "ing factory" in line])

        @in_world
        async def test_fails(self) -> None:
            """What is not does not: a sentence says what was checked, and what is wrong."""
            said = await fault(self.world.ask("fails"))
            self.assertRegex(said, r"^(tcp|http|command):\S+ [a-z].*[^.]\.$")

        @in_world
        async def test_again(self) -> None:
            """Each comes out as things are then."""
            await self.world.ask("passes")
            await fault(self.world.ask("fails"))
            await self.world.ask("passes")

        @in_world
        async def test_too_late(self) -> None:
            """What does not answer in time has failed, and how much time it had is said."""
            said = await fault(self.world.ask(HANGS, 0.2))
            self.assertRegex(said, r"^(tcp|http|command):.* did not (end|answer) within 0\.2 s\.$")

        @in_world
        async def test_cancelled(self) -> None:
            """Whoever does not want to know any more is not told of a failed check."""
            asked = Deferred.fromCoroutine(self.world.ask(HANGS))
            asked.cancel()
            with self.assertRaises(Exception) as caught:
                await asked
            self.assertNotIsInstance(caught.exception, CheckFailed)

    return ProbeTests


class FakeProbeTests(probe_tests(FakeWorld)):  # type: ignore[misc]
    """The fake, in virtual time."""


class HttpProbeTests(probe_tests(HttpWorld)):  # type: ignore[misc]
    """Checks of a real server by HTTP."""


class CommandProbeTests(probe_tests(CommandWorld)):  # type: ignore[misc]
    """Checks by real commands."""


class Tests(TestCase):
    """Real probes and real servers."""

    timeout = 20

    def setUp(self) -> None:
        self.world = RealWorld(self)
        self.servers = self.world.servers

    async def ask(self, description: str, timeout: float = 10.0) -> None:
        """Check something."""
        await self.world.probes.probe("web", LAUNCH, description, timeout)


class TcpTests(Tests):
    """Connections."""

    async def test_accepted(self) -> None:
        """It passes where somebody listens, and leaves at once without a word."""
        await self.ask(f"tcp:{await self.servers.listen(None)}")
        await turn(lambda: self.servers.visits)
        [visit] = self.servers.visits
        await visit.ended
        self.assertEqual(b"", visit.heard)

    async def test_refused(self) -> None:
        """It fails where nobody does."""
        port = await self.servers.refuse()
        self.assertEqual(f"tcp:{port} refuses connections.", await fault(self.ask(f"tcp:{port}")))

    async def test_names(self) -> None:
        """A host may be named, or an address of either kind."""
        port = await self.servers.listen(None)
        await self.ask(f"tcp:localhost:{port}")
        await self.ask(f"tcp:127.0.0.1:{port}")

    async def test_unreachable(self) -> None:
        """What the network says is passed on."""
        for error, said in (
            (DNSLookupError(), "tcp:web:80 cannot be reached: there is no host web."),
            (NoRouteError(osError=113), "tcp:web:80 cannot be reached: No route to host: 113."),
        ):
            self.world.probes = Probes(Clock(), Nowhere(error), _no_commands)
            self.assertEqual(said, await fault(self.ask("tcp:web:80")))


@implementer(IStreamClientEndpoint)
class Nowhere:
    """A way that leads nowhere."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __call__(self, host: str, port: int) -> IStreamClientEndpoint:
        """It is the way to every place."""
        return self

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """See L{IStreamClientEndpoint}."""
        return fail(self._error)


class HttpTests(Tests):
    """Requests."""

    async def test_request(self) -> None:
        """The path and the host are asked for, and the server is read to its end."""
        port = await self.servers.listen(PASSES)
        await self.ask(f"http://localhost:{port}/health?x=1")
        [visit] = self.servers.visits
        self.assertTrue(visit.heard.startswith(b"GET /health?x=1 HTTP/1.1\r\n"))
        self.assertIn(b"\r\nHost: localhost:%d\r\n" % port, visit.heard)
        self.assertEqual("ConnectionDone", await visit.ended)

    async def test_persistent(self) -> None:
        """A server that keeps the connection is not waited for."""
        await self.ask(f"http://127.0.0.1:{await self.servers.listen(PASSES, closes=False)}")

    async def test_answered(self) -> None:
        """What it answered is said."""
        port = await self.servers.listen(FAILS)
        expected = f"http://127.0.0.1:{port}/ answered 503 Busy: no database."
        self.assertEqual(expected, await fault(self.ask(f"http://127.0.0.1:{port}/")))

    async def test_endless(self) -> None:
        """A server that answers and never ends has answered."""
        endless = b"HTTP/1.1 %s\r\n\r\nevent: 1\n"
        port = await self.servers.listen(endless % b"200 OK", closes=False)
        await self.ask(f"http://127.0.0.1:{port}/", 0.1)
        port = await self.servers.listen(endless % b"500 No", closes=False)
        said = await fault(self.ask(f"http://127.0.0.1:{port}/", 0.1))
        self.assertIn("answered 500 No: event: 1", said)

    async def test_silent(self) -> None:
        """The connection to a server that is too late is given up: they must not pile up."""
        port = await self.servers.listen(None)
        said = await fault(self.ask(f"http://127.0.0.1:{port}/", 0.1))
        self.assertIn("did not answer within 0.1 s", said)
        await self.servers.visits[0].ended

    async def test_hung_up(self) -> None:
        """A server that closes the connection without a word has failed."""
        port = await self.servers.listen(b"")
        said = await fault(self.ask(f"http://127.0.0.1:{port}/"))
        self.assertIn("closed the connection without an answer", said)

    async def test_large(self) -> None:
        """A page may be of any size."""
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n"
        await self.ask(f"http://127.0.0.1:{await self.servers.listen(head + b'x' * 3_000_000)}/")

    async def test_long_description(self) -> None:
        """A long one is cut off where it is shown."""
        port = await self.servers.refuse()
        said = await fault(self.ask(f"http://127.0.0.1:{port}/" + "x" * 1000))
        self.assertRegex(said, r"x\.\.\. refuses connections\.$")
        self.assertLess(len(said), 120)


async def turn(until: Callable[[], object]) -> None:
    """Let the reactor go round until something is so."""
    from twisted.internet import reactor

    while not until():
        await deferLater(reactor, 0)
