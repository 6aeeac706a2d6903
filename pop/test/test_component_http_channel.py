"""Connections to a web server."""

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from pop.components.http.eventstream import event_text
from pop.test.test_component_http_server import Echo, Slow
from pop.test.web import Far, WebCase, body_of, code_of, header_of

HEAD = "POST / HTTP/1.1\r\nHost: x\r\n"


class KeepTests(WebCase):
    """Connections that are kept."""

    def test_kept(self) -> None:
        """Any number of requests may follow each other on one connection."""
        self.bind("/", Echo())
        far = self.connect()
        for n in range(3):
            self.assertEqual(200, code_of(far.ask(f"/{n}")))
        self.assertEqual("cba", body_of(far.ask("/", "POST", "abc")))
        self.assertTrue(far.connected)

    def test_pipeline(self) -> None:
        """Requests that are sent at once are answered in that order, one after the other."""
        slow = self.bind("/slow", Slow())
        self.bind("/", Echo())
        far = self.connect()
        far.send("GET /slow HTTP/1.1\r\n\r\nGET /fast HTTP/1.1\r\n\r\n")
        self.assertEqual("", far.take())
        slow.waiting.callback("slow")
        said = far.take()
        self.assertLess(said.index("slow"), said.index("/fast"))

    def test_close(self) -> None:
        """Who asks for the end of the connection, or knows no other, gets it."""
        self.bind("/", Echo())
        far = self.connect()
        self.assertEqual(
            "close", header_of(far.ask("/", "GET", "", "Connection: close"), "Connection")
        )
        self.assertFalse(far.connected)
        far = self.connect()
        far.send("GET / HTTP/1.0\r\n\r\n")
        self.assertEqual(200, code_of(far.take()))
        self.assertFalse(far.connected)

    def test_idle(self) -> None:
        """A connection on which nothing happens is closed, without a word."""
        self.bind("/", Echo())
        far = self.connect()
        self.clock.advance(9)
        far.ask()
        self.clock.advance(9)
        self.assertTrue(far.connected)
        self.clock.advance(1)
        self.assertEqual("", far.take())
        self.assertFalse(far.connected)
        self.assertEqual([], self.clock.getDelayedCalls())


class LimitTests(WebCase):
    """How large a request may be."""

    def refused(self, far: Far, code: int) -> None:
        """A connection has an answer with a code, and ends when it has been read."""
        answer = far.take()
        self.assertEqual(code, code_of(answer))
        self.assertEqual("close", header_of(answer, "Connection"))
        self.assertEqual(1, answer.count("HTTP/1.1"))
        far.send("x" * 100)
        self.assertEqual("", far.take())
        self.assertTrue(far.connected)
        self.clock.advance(5)
        self.assertFalse(far.connected)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_announced(self) -> None:
        """A body that is said to be too large is refused before it comes; who sends it all the same
        can read that."""
        self.bind("/", Echo())
        far = self.connect()
        far.send(HEAD + "Expect: 100-continue\r\nContent-Length: 101\r\n\r\n")
        self.refused(far, 413)

    def test_not_announced(self) -> None:
        """One whose length nobody has said is refused when it has become too large."""
        self.bind("/", Echo())
        far = self.connect()
        far.send(HEAD + "Transfer-Encoding: chunked\r\n\r\n")
        far.send("32\r\n", "x" * 50, "\r\n32\r\n", "x" * 50)
        self.assertEqual("", far.take())
        far.send("\r\n1\r\nx\r\n1\r\nx\r\n0\r\n\r\n")
        self.refused(far, 413)

    def test_exact(self) -> None:
        """What is just as large as it may be is not refused."""
        self.bind("/", Echo())
        self.assertEqual(201, code_of(self.ask("/", "POST", "x" * 100)))

    def test_own(self) -> None:
        """A servlet may have a limit of its own, larger or smaller, or none."""
        self.bind("/", Echo())
        self.bind("/small", Echo(), **{"pelix.http.max_body_size": 10})
        self.bind("/large", Echo(), **{"pelix.http.max_body_size": 0})
        codes = [
            code_of(self.ask(target, "POST", "x" * count))
            for target, count in (("/small", 10), ("/small", 11), ("/large", 100_000), ("/..", 101))
        ]
        self.assertEqual([201, 413, 201, 413], codes)
        self.clock.advance(10)

    def test_head(self) -> None:
        """A line without an end is refused, as are too many headers."""
        far = self.connect()
        far.send("GET /" + "x" * 20_000)
        self.refused(far, 414)
        far = self.connect()
        far.send("GET / HTTP/1.1\r\nX-Y: " + "x" * 20_000)
        self.refused(far, 431)
        far = self.connect()
        far.send("GET / HTTP/1.1\r\n", *["X-Y: z\r\n"] * 502)
        self.refused(far, 400)


class SlowTests(WebCase):
    """How slow a request may be."""

    limit = 0

    def test_stalled(self) -> None:
        """A request that does not go on is answered that it took too long."""
        self.bind("/", Echo())
        for part in ("GET", "GET / HTTP/1.1\r\nHost:", HEAD + "Content-Length: 9\r\n\r\nabc"):
            far = self.connect()
            far.send(part)
            self.clock.advance(9)
            self.assertEqual("", far.take())
            self.clock.advance(1)
            self.assertEqual(408, code_of(far.take()), part)
            self.clock.advance(5)
            self.assertFalse(far.connected)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_dripping(self) -> None:
        """Nor does a byte now and then help, which keeps a thread of iPOPO busy for ever."""
        self.bind("/", Echo())
        for head in ("GET /", HEAD + "X-Y: ", HEAD + "Content-Length: 9999\r\n\r\n"):
            far = self.connect()
            far.send(head)
            for _ in range(10):
                self.assertEqual("", far.take())
                self.clock.advance(1)
                far.send("x")
            self.assertEqual(408, code_of(far.take()), head)
            far.loseConnection()

    def test_long(self) -> None:
        """A large body may take longer, as long as it comes."""
        self.bind("/", Echo())
        far = self.connect()
        far.send(HEAD + "Content-Length: 20000\r\n\r\n")
        for _ in range(20):
            self.clock.advance(1.9)
            far.send("x" * 1000)
        self.assertEqual(201, code_of(far.take()))

    def test_answering(self) -> None:
        """An answer may take any time, even if the next request has begun."""
        slow = self.bind("/", Slow())
        self.bind("/next", Echo())
        far = self.connect()
        far.send("GET /", " HTTP/1.1\r\n\r\n")
        far.send("GET /ne")
        self.clock.advance(1000)
        self.assertTrue(far.connected)
        slow.waiting.callback("now")
        self.assertIn("now", far.take())
        far.send("xt HTTP/1.1\r\n\r\n")
        self.assertEqual(200, code_of(far.take()))


CHUNKED = HEAD + "Transfer-Encoding: chunked\r\n\r\n"
REQUESTS = [
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /a/../b?c HTTP/1.1\r\n\r\n",
    "GET /.. HTTP/1.1\r\n\r\n",
    "PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
    HEAD + "Content-Length: 5\r\n\r\nab\r\nc",
    HEAD + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab",
    HEAD + "Content-Length: 101\r\n\r\n" + "x" * 101,
    CHUNKED + "3\r\nabc\r\n0\r\n\r\n",
    CHUNKED + "65\r\n" + "x" * 101 + "\r\n0\r\n\r\n",
    CHUNKED + "nonsense\r\n",
    HEAD + "Connection: close\r\n\r\n",
    HEAD + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    HEAD + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "\x16\x03\x01\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
]


class PiecesTests(WebCase):
    """What arrives in pieces."""

    @given(
        st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=3),
        st.lists(st.integers(0, 400), max_size=6),
    )
    def test_pieces(self, requests: list[str], cuts: list[int]) -> None:
        """However requests are cut into pieces, the answers are the same; and whatever they are, a
        connection that ends leaves nothing behind."""
        self.servlets.clear()
        self.bind("/", Echo())
        text = "".join(requests)
        places = sorted({0, *(cut for cut in cuts if cut < len(text)), len(text)})
        said = []
        for pieces in ([text], [text[a:b] for a, b in pairwise(places)]):
            far = self.connect()
            far.send(*pieces)
            said.append(far.take())
            if far.connected:
                far.loseConnection()
        self.assertEqual(said[0], said[1])
        self.assertEqual([], self.clock.getDelayedCalls())
        self.assertEqual(set(), self.site.channels)


class EventTests(WebCase):
    """Answers of events."""

    def setUp(self) -> None:
        super().setUp()
        test = self
        self.news: Deferred[str] = Deferred()

        class News:
            async def do_GET(self, request: Any, response: Any) -> None:
                """News as they come."""
                response.setup_sse()
                while (said := await test.news) != "end":
                    test.news = Deferred()
                    await response.send_sse("news", said, id="7")

        self.bind("/", News())

    def test_sent(self) -> None:
        """Each event is sent when it happens, whatever lines it has."""
        far = self.connect()
        answer = far.ask("/", "GET", "", "Accept: text/event-stream")
        self.assertEqual("text/event-stream", header_of(answer, "Content-Type"))
        self.clock.advance(1000)
        self.news.callback("one\r\ntwo\rdata: three")
        said = "id: 7\nevent: news\ndata: one\ndata: two\ndata: data: three\n\n"
        self.assertEqual(f"{len(said):x}\r\n{said}\r\n", far.take())
        self.news.callback("end")
        self.assertEqual("0\r\n\r\n", far.take())
        self.assertTrue(far.connected)

    def test_head(self) -> None:
        """Who asks for the headers alone has them, and does not wait for events that it would not
        be sent; the connection is good for the next request."""
        far = self.connect()
        for _ in range(2):
            said = far.ask("/", "HEAD", "", "Accept: text/event-stream")
            self.assertEqual("text/event-stream", header_of(said, "Content-Type"))
        self.assertFalse(far.protocol.handling)
        far.loseConnection()

    def test_asked(self) -> None:
        """Who has not asked for events gets none, and is told so."""
        for headers in ([], ["Accept: text/html, application/json"]):
            self.assertEqual(406, code_of(self.ask("/", "GET", "", *headers)))
        far = self.connect()
        self.assertEqual(200, code_of(far.ask("/", "GET", "", "Accept: text/html, */*;q=0.1")))
        far.loseConnection()

    def test_lines(self) -> None:
        """The name and the id of an event cannot begin lines of their own."""
        self.assertEqual("id: \ndata: \n\n", event_text(id=""))
        for bad in ("a\nb", "a\rb", "\0"):
            self.assertRaises(ValueError, event_text, bad)
            self.assertRaises(ValueError, event_text, None, "x", bad)
