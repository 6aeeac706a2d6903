"""Answers of a web server that take longer than the client."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.logger import capturedLogs

from pop.components.http.flow import MOST
from pop.components.http.routing import HttpGet, RestDispatcher
from pop.components.outbox import PIECE
from pop.test.test_component_http_server import Echo
from pop.test.web import WebCase, body_of, code_of, header_of


class FlowTests(WebCase):
    """Answers that are longer than the client is fast."""

    def setUp(self) -> None:
        super().setUp()
        self.wrote: list[int] = []
        self.ended = ""
        test = self

        class Much:
            async def do_GET(self, request: Any, response: Any) -> None:
                """Write as long as there is room."""
                try:
                    for n in range(4):
                        if n == 2:
                            far.protocol.pauseProducing()
                        await response.write(f"{n}")
                        test.wrote.append(n)
                except CancelledError:
                    test.ended = "cancelled"
                    raise

        self.bind("/", Much())
        self.far = far = self.connect()
        self.first = far.ask()

    def test_room(self) -> None:
        """Who writes much waits while the client is slow, and none of it is lost."""
        self.assertEqual([0, 1], self.wrote)
        self.far.protocol.resumeProducing()
        self.assertEqual([0, 1, 2, 3], self.wrote)
        self.assertTrue((self.first + self.far.take()).endswith("1\r\n3\r\n0\r\n\r\n"))
        self.assertEqual(200, code_of(self.far.ask()))

    def test_gone(self) -> None:
        """Who waits for a client that is gone waits no more."""
        self.far.loseConnection()
        self.assertEqual([0, 1], self.wrote)
        self.assertEqual("cancelled", self.ended)


class Pieces:
    """Yields its answer, a piece at a time.

    @ivar did: what it has yielded, and how it ended.
    """

    def __init__(self, fails: Exception | None = None) -> None:
        self.did: list[str] = []
        self.waiting: Deferred[None] = succeed(None)
        self._fails = fails

    async def do_GET(self, request: Any, response: Any) -> AsyncIterator[str | bytes]:
        """Three pieces, or less."""
        response.set_header("Content-Type", "text/plain")
        try:
            for piece in ("one", b"two", "three"):
                await self.waiting
                self.did.append(str(piece))
                yield piece
                if self._fails is not None:
                    raise self._fails
        finally:
            self.did.append("ended")


class PiecesTests(WebCase):
    """Answers that are yielded: what the client does not read is not made, either."""

    def setUp(self) -> None:
        super().setUp()
        self.pieces = self.bind("/", Pieces())

    def test_whole(self) -> None:
        """All that is yielded is the answer, and another may follow."""
        far = self.connect()
        for _ in range(2):
            said = far.ask()
            self.assertEqual("text/plain", header_of(said, "Content-Type"))
            self.assertTrue(said.endswith("3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n"))

    def test_room(self) -> None:
        """While the client is slow, nothing more is yielded."""
        far = self.connect()
        far.room = 1
        far.ask()
        self.assertEqual(["one"], self.pieces.did)
        far.room = None
        far.protocol.resumeProducing()
        self.assertTrue(far.take().endswith("three\r\n0\r\n\r\n"))

    def test_gone(self) -> None:
        """When the client is gone, whatever is waited for, it ends."""
        far = self.connect()
        far.room = 1
        far.ask()
        far.loseConnection()
        self.assertEqual(["one", "ended"], self.pieces.did)
        self.pieces.waiting = Deferred()
        far = self.connect()
        far.ask()
        far.loseConnection()
        self.assertEqual("ended", self.pieces.did.pop())
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_deaf(self) -> None:
        """A servlet that takes no notice of it is not asked for more, either."""
        made: list[str] = []

        class Deaf:
            async def do_GET(self, request: Any, response: Any) -> AsyncIterator[str]:
                asked: Deferred[None] = Deferred()
                while len(made) < 9:
                    with contextlib.suppress(CancelledError):
                        await asked
                    made.append("more")
                    yield "more"

        self.bind("/deaf", Deaf())
        far = self.connect()
        far.ask("/deaf")
        far.loseConnection()
        self.assertEqual(["more"], made)

    def test_head(self) -> None:
        """Who asks for the headers alone has them with the first piece; no other is made."""
        said = self.ask(method="HEAD")
        self.assertEqual((200, ""), (code_of(said), body_of(said)))
        self.assertEqual("text/plain", header_of(said, "Content-Type"))
        self.assertEqual(["one", "ended"], self.pieces.did)

    def test_failed(self) -> None:
        """If it fails on the way, the client sees that not all has come; if it has yielded nothing
        yet, that is said as of any servlet."""
        self.bind("/fails", Pieces(ValueError("why")))
        far = self.connect()
        self.assertIn("one", far.ask("/fails"))
        self.assertTrue(far.aborted)
        self.pieces.waiting = fail(KeyError("early"))
        self.assertEqual(500, code_of(self.ask()))
        self.assertEqual(2, len(self.flushLoggedErrors(ValueError, KeyError)))

    def test_routes(self) -> None:
        """A method that answers a route may yield its answer, too."""

        class Routes(RestDispatcher):
            @HttpGet("/<number:int>")
            async def numbers(self, request: Any, response: Any, number: int) -> Any:
                for each in range(number):
                    yield f"{each}\n"

        self.bind("/routes", Routes())
        self.assertIn("2\r\n2\n", self.ask("/routes/3"))
        self.assertEqual("0", header_of(self.ask("/routes/0"), "Content-Length"))


class NewsTests(WebCase):
    """Answers that others write, too, than the servlet's method."""

    def setUp(self) -> None:
        super().setUp()
        self.responses: list[Any] = []
        test = self

        class News:
            async def do_GET(self, request: Any, response: Any) -> None:
                response.setup_sse(strict=False)
                test.responses.append(response)
                await Deferred()

        self.bind("/", News())
        self.far = self.connect()
        self.far.ask()
        [self.response] = self.responses
        self.response.write("")
        self.far.protocol.pauseProducing()

    def test_gone(self) -> None:
        """Who else has sent something waits no more, either, when the client is gone."""
        waiting = [self.response.send_sse(data="x"), self.response.write("y")]
        for each in waiting:
            self.assertNoResult(each)
        self.far.loseConnection()
        for each in waiting:
            self.assertIsNone(self.successResultOf(each))
        self.assertIsNone(self.successResultOf(self.response.write("z")))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_cancelled(self) -> None:
        """Whoever waits no more may say so at any time, even while the others are told."""
        first, second, third = (self.response.write(f"{n}") for n in range(3))
        first.addCallback(lambda _: second.cancel())
        self.far.protocol.resumeProducing()
        self.failureResultOf(second, CancelledError)
        self.successResultOf(third)
        self.far.loseConnection()


class LongTests(WebCase):
    """Answers that are sent in one go, to clients that take their time."""

    size = 200_000

    def setUp(self) -> None:
        super().setUp()
        test = self

        class Long:
            def do_GET(self, request: Any, response: Any) -> None:
                """As much as there is."""
                response.send_content(200, b"~" * test.size, "text/plain")

        self.bind("/long", Long())
        self.bind("/", Echo())
        self.far = self.connect()
        self.far.room = 1
        self.far.send("GET /long HTTP/1.1\r\n\r\nGET /next HTTP/1.1\r\n\r\n")

    def test_whole(self) -> None:
        """It may take any time, as long as the client goes on; its next answer comes then."""
        said = self.far.take()
        self.assertLess(len(said), self.size)
        while len(said) < self.size:
            self.clock.advance(9)
            self.far.protocol.resumeProducing()
            more = self.far.take()
            self.assertTrue(more)
            said += more
        self.assertEqual(self.size, said.count("~"))
        self.far.protocol.resumeProducing()
        self.assertIn("/next", said + self.far.take())
        self.far.loseConnection()
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_one_after_the_other(self) -> None:
        """An answer waits until the client has read the one before."""
        far = self.connect()
        far.room = 1
        far.send("GET / HTTP/1.1\r\n\r\nGET /long HTTP/1.1\r\n\r\n")
        self.assertNotIn("~", far.take())
        far.protocol.resumeProducing()
        self.assertIn("~", far.take())
        for each in (far, self.far):
            each.loseConnection()

    def test_not_waited_for(self) -> None:
        """Nothing is lost of what a servlet writes without regard to whether there is room."""

        class Hasty:
            async def do_GET(self, request: Any, response: Any) -> None:
                await response.write("first")
                for _ in range(3):
                    response.write("~" * 1000)

        self.bind("/hasty", Hasty())
        far = self.connect()
        far.room = 1
        said = far.ask("/hasty")
        for _ in range(4):
            far.protocol.resumeProducing()
            said += far.take()
        self.assertEqual(3000, said.count("~"))
        self.assertTrue(said.endswith("\r\n0\r\n\r\n"))
        for each in (far, self.far):
            each.loseConnection()

    def test_never_waits(self) -> None:
        """If somebody writes on and on for a client that reads too slowly, it is let go, and the
        log says why; one large answer is not that."""
        responses = []

        class News:
            async def do_GET(self, request: Any, response: Any) -> None:
                responses.append(response)
                await Deferred()

        self.bind("/news", News())
        far = self.connect()
        far.room = 1
        far.ask("/news")
        [response] = responses
        response.write("~" * (MOST + PIECE))
        lost = far.loseConnection
        far.loseConnection = lambda: None  # type: ignore[method-assign]  # as sockets do: later
        with capturedLogs() as logged:
            self.assertFalse(far.aborted)
            waiting = [response.write(each) for each in ("more", "and more", "and more")]
            self.assertTrue(far.aborted)
            lost()
            waiting.append(response.write("and more"))
        self.assertEqual((1, "/news"), (len(logged), logged[0]["uri"]))
        for each in waiting:
            self.successResultOf(each)
        self.far.loseConnection()

    def test_not_read(self) -> None:
        """A client that reads nothing for too long is let go, with what was to be sent to it."""
        self.clock.advance(9)
        self.assertTrue(self.far.connected)
        self.clock.advance(1)
        self.assertTrue(self.far.aborted)
        self.assertEqual([], self.clock.getDelayedCalls())
