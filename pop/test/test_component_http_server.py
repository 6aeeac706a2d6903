"""What a web server answers."""

from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from pop.components.http.errors import HttpError
from pop.test.web import WebCase, body_of, code_of, header_of


class Echo:
    """Answers with what it was asked."""

    def do_GET(self, request: Any, response: Any) -> None:
        """Paths and the query."""
        said = request.get_path(), request.get_prefix_path(), request.get_sub_path()
        response.send_content(200, f"{said} {request.get_query()}", "text/plain")

    def do_POST(self, request: Any, response: Any) -> None:
        """The body."""
        response.send_content(201, request.read_data().decode()[::-1], "text/plain")


class Slow:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.waiting: Deferred[Any] = Deferred()
        self.ended = ""

    async def do_GET(self, request: Any, response: Any) -> None:
        """Wait."""
        try:
            said = await self.waiting
        except CancelledError:
            self.ended = "cancelled"
            raise
        response.send_content(200, said)
        self.ended = "answered"


class Broken:
    """Fails, before it has answered or thereafter."""

    def do_GET(self, request: Any, response: Any) -> None:
        """Fail at once."""
        response.set_header("Set-Cookie", "half=done")
        raise RuntimeError("the password is <secret>")

    async def do_POST(self, request: Any, response: Any) -> None:
        """Fail in the midst of it."""
        await response.write("first half")
        raise RuntimeError("no more")


class AnswerTests(WebCase):
    """Servlets are asked."""

    def test_asked(self) -> None:
        """The servlet with the deepest path is asked, and told what is left of the path."""
        self.bind("/", Echo())
        self.bind("/a/b", Echo())
        for target, said in {
            "/a/b/c%20d?x=1&x=2&y=": "('/a/b/c d', '/a/b', '/c d') {'x': ['1', '2'], 'y': ['']}",
            "/a/b": "('/a/b', '/a/b', '/') {}",
            "/a/bc": "('/a/bc', '/', '/a/bc') {}",
            "/a/../a/b/": "('/a/b/', '/a/b', '/') {}",
        }.items():
            answer = self.ask(target)
            self.assertEqual(said, body_of(answer))
            self.assertEqual("text/plain; charset=utf-8", header_of(answer, "Content-Type"))

    def test_nobody(self) -> None:
        """Where nobody answers, that is said with a page, which shows the path as text."""
        self.bind("/secret", Echo())
        answer = self.ask("/<script>")
        self.assertNotIn("secret", answer)
        self.assertEqual(404, code_of(answer))
        self.assertIn("<code>/&lt;script&gt;</code>", answer)

    def test_bad_path(self) -> None:
        """A path that leads out of the root is refused, whoever answers at the root."""
        self.bind("/", Echo())
        for target in ("/..", "/%2e%2e/x", "/a%00b", "nonsense"):
            self.assertEqual(400, code_of(self.ask(target)), target)

    def test_case(self) -> None:
        """Upper and lower case are different paths."""
        self.bind("/Admin", Echo())
        self.assertEqual([200, 404], [code_of(self.ask(path)) for path in ("/Admin", "/admin")])

    def test_method(self) -> None:
        """What a servlet has no method for, is refused with what it has one for. iPOPO says that
        there is nothing at that path."""
        self.bind("/", Echo())
        for method in ("PUT", "get", "__class__"):
            answer = self.ask("/", method)
            self.assertEqual(405, code_of(answer), method)
            self.assertEqual("GET, HEAD, POST, OPTIONS", header_of(answer, "Allow"))
        answer = self.ask("/", "OPTIONS")
        self.assertEqual(204, code_of(answer))
        self.assertEqual("GET, HEAD, POST, OPTIONS", header_of(answer, "Allow"))

    def test_method_names(self) -> None:
        """Methods have names in upper case: other attributes of a servlet are out of reach."""

        class Careless(Echo):
            do_everything = do__PRIVATE = Echo.do_GET

        self.bind("/", Careless())
        for method in ("everything", "_PRIVATE", "GET-x"):
            self.assertIn(code_of(self.ask("/", method)), (400, 405), method)

    def test_head(self) -> None:
        """Who can answer GET can answer HEAD: with the headers, without the body."""
        self.bind("/", Echo())
        answer = self.ask("/", "HEAD")
        self.assertEqual("", body_of(answer))
        self.assertEqual("18", header_of(answer, "Content-Length"))

    def test_body(self) -> None:
        """A servlet gets the body, in whatever pieces it comes; without one, it is empty."""
        self.bind("/", Echo())
        self.assertEqual("cba", body_of(self.ask("/", "POST", "abc")))
        self.assertEqual("", body_of(self.ask("/", "POST")))
        far = self.connect()
        head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        far.send(*head, "2\r\nab\r\n", "1\r\nc", "\r\n0\r\n\r\n")
        self.assertEqual("cba", body_of(far.take()))

    def test_nothing_said(self) -> None:
        """A servlet that says nothing has said that all is well."""

        class Silent:
            def do_GET(self, request: Any, response: Any) -> None:
                """Nothing."""

        self.bind("/", Silent())
        answer = self.ask()
        self.assertEqual([200, "0"], [code_of(answer), header_of(answer, "Content-Length")])

    def test_slow(self) -> None:
        """A servlet may take its time; others are answered meanwhile."""
        slow = self.bind("/slow", Slow())
        self.bind("/", Echo())
        far = self.connect()
        self.assertEqual("", far.ask("/slow"))
        self.assertEqual(200, code_of(self.ask("/")))
        self.clock.advance(100)
        slow.waiting.callback("at last")
        self.assertEqual("at last", body_of(far.take()))

    def test_gone(self) -> None:
        """A servlet that waits for something is cancelled when nobody waits for its answer."""
        slow = self.bind("/", Slow())
        far = self.connect()
        far.ask("/")
        far.loseConnection()
        self.assertEqual("cancelled", slow.ended)

    def test_not_ready(self) -> None:
        """A servlet that has not said yet that it can be bound is not asked."""
        waiting: Deferred[Any] = Deferred()

        class Later(Echo):
            def bound_to(self, path: str, parameters: Any) -> Deferred[Any]:
                return waiting

        self.bind("/", Later())
        answer = self.ask()
        self.assertEqual([503, "1"], [code_of(answer), header_of(answer, "Retry-After")])
        waiting.callback(None)
        self.assertEqual(200, code_of(self.ask()))

    def test_date(self) -> None:
        """Each answer says when it was given, whatever came of it."""
        self.bind("/broken", Broken())
        self.clock.advance(1_000_000_000)
        for target in ("/x", "/..", "/broken"):
            said = header_of(self.ask(target), "Date")
            self.assertEqual("Sun, 09 Sep 2001 01:46:40 GMT", said)
        self.assertEqual(1, len(self.flushLoggedErrors(RuntimeError)))

    def test_any_bytes(self) -> None:
        """A header need not be UTF-8: each byte of it is a character, wherever it is asked for."""

        class Asks:
            def do_GET(self, request: Any, response: Any) -> None:
                said = request.get_header("X-Name")
                response.send_content(200, f"{said} {request.get_headers()['x-name'] == said}")

            def do_POST(self, request: Any, response: Any) -> None:
                response.setup_sse()

        self.bind("/", Asks())
        for method, said in {"GET": "é True", "POST": "There are events here"}.items():
            far = self.connect()
            far.send(f"{method} / HTTP/1.1\r\nX-Name: é\r\nAccept: é\r\n\r\n".encode("latin-1"))
            self.assertIn(said, body_of(far.take()))

    def test_headers(self) -> None:
        """What a servlet says cannot begin a header of its own."""

        class Evil:
            def do_GET(self, request: Any, response: Any) -> None:
                response.set_response(200, "fine\r\nSet-Cookie: a=b")
                response.set_header("X-A", "b\r\nSet-Cookie: c=d")
                response.end_headers()

        self.bind("/", Evil())
        self.assertIsNone(header_of(self.ask(), "Set-Cookie"))


class TroubleTests(WebCase):
    """Servlets fail."""

    def test_failed(self) -> None:
        """Who asked is told where in the log to look, and nothing else; the headers that the
        servlet had set are forgotten."""
        self.bind("/", Broken())
        answer = self.ask()
        self.assertEqual(500, code_of(answer))
        self.assertIn("<pre>Error id-1</pre>", answer)
        self.assertNotIn("secret", answer)
        self.assertIsNone(header_of(answer, "Set-Cookie"))
        self.assertEqual(1, len(self.flushLoggedErrors(RuntimeError)))

    def test_failed_late(self) -> None:
        """An answer that is half sent is not ended as if it were whole."""
        self.bind("/", Broken())
        far = self.connect()
        answer = far.ask("/", "POST")
        self.assertIn("first half", answer)
        self.assertFalse(answer.endswith("0\r\n\r\n"))
        self.assertTrue(far.aborted)
        self.assertEqual(1, len(self.flushLoggedErrors(RuntimeError)))

    def test_own(self) -> None:
        """A servlet may answer with a page about an error that is none of its own."""

        class Guarded:
            async def do_GET(self, request: Any, response: Any) -> None:
                raise HttpError(403, "Not <you>.")

        self.bind("/", Guarded())
        answer = self.ask()
        self.assertEqual(403, code_of(answer))
        self.assertIn("<pre>Not &lt;you&gt;.</pre>", answer)

    def test_announced(self) -> None:
        """What a servlet has said of the body that it did not send does not hold for the page in
        its place: the connection goes on with the next answer. Other headers stay."""

        class Late(Echo):
            def do_GET(self, request: Any, response: Any) -> None:
                response.set_header("Content-Length", 5)
                response.set_header("Content-Type", "application/json")
                response.set_header("Content-Encoding", "gzip")
                response.set_header("WWW-Authenticate", "Basic")
                raise HttpError(401)

        self.bind("/", Late())
        far = self.connect()
        answer = far.ask()
        self.assertEqual(f"{len(body_of(answer))}", header_of(answer, "Content-Length"))
        self.assertEqual("text/html; charset=utf-8", header_of(answer, "Content-Type"))
        self.assertIsNone(header_of(answer, "Content-Encoding"))
        self.assertEqual("Basic", header_of(answer, "WWW-Authenticate"))
        self.assertEqual(201, code_of(far.ask("/", "POST", "abc")))

    def test_custom(self) -> None:
        """Others may make the pages; if they fail, ours are shown."""

        class Custom:
            def make_not_found_page(self, path: str) -> str:
                return f"no {path} here"

            def make_exception_page(self, path: str, details: str) -> str:
                raise ValueError("no page")

        self.custom = Custom()
        self.bind("/broken", Broken())
        self.assertEqual("no /x here", body_of(self.ask("/x")))
        self.assertIn("Error id-1", self.ask("/broken"))
        self.assertEqual(1, len(self.flushLoggedErrors(RuntimeError)))
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))


class DebugTests(WebCase):
    """A server for developers."""

    debugging = True

    def test_failed(self) -> None:
        """The traceback is shown, as text."""
        self.bind("/", Broken())
        self.assertIn("the password is &lt;secret&gt;", self.ask())
        self.assertEqual(1, len(self.flushLoggedErrors(RuntimeError)))

    def test_nobody(self) -> None:
        """The paths that there are are shown."""
        self.bind("/here", Broken())
        self.assertIn("/here", self.ask("/there"))
