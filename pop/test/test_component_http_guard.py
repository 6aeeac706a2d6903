"""A web server that asks for names and passwords."""

from base64 import b64encode
from pathlib import Path
from typing import Any

from twisted.cred.checkers import ICredentialsChecker, InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import LoginFailed
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from pop.components import Phase
from pop.components import http as names
from pop.components.http.guard import Guard
from pop.components.http.settings import read_settings
from pop.test.test_component_http_basic import ServerCase
from pop.test.web import WebCase, body_of, code_of, header_of


def said(user: str = "me", password: str = "secret", scheme: str = "Basic") -> str:
    """A header with a name and a password."""
    return f"Authorization: {scheme} {b64encode(f'{user}:{password}'.encode()).decode()}"


@implementer(ICredentialsChecker)
class Unsure:
    """Somebody who looks passwords up elsewhere."""

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self) -> None:
        self.asked: Deferred[Any] = Deferred()
        self.times = 0

    def requestAvatarId(self, credentials: Any) -> Deferred[Any]:
        """Later."""
        self.times += 1
        return self.asked


class Named:
    """Answers with the name of whoever asks."""

    def do_GET(self, request: Any, response: Any) -> None:
        """The name."""
        response.send_content(200, str(request.get_user()), "text/plain")


class GuardTests(WebCase):
    """Requests of those who know a password, and of others."""

    def setUp(self) -> None:
        known = {"me": b"secret", "you": "two words: \u00fc".encode()}
        self.guard = Guard(InMemoryUsernamePasswordDatabaseDontUse(**known))
        super().setUp()
        self.bind("/", Named())

    def test_known(self) -> None:
        """Who knows a name and its password is answered, and the servlet told who it is."""
        self.assertEqual("me", body_of(self.ask("/", "GET", "", said())))
        answer = self.ask("/", "GET", "", said("you", "two words: \u00fc", "BASIC"))
        self.assertEqual("you", body_of(answer))

    def test_others(self) -> None:
        """All others are asked for one, whatever they ask and however they say it, and do not learn
        what there is; the log names those who have tried."""
        tried = [said(password="x"), said("nobody")]
        nonsense = [
            "X: y",
            said("", ""),
            "Authorization: Basic ~",
            said(scheme="Digest"),
            "Authorization: Basic",
        ]
        for header in [*tried, *nonsense]:
            with capturedLogs() as logged:
                for path in ("/", "/nothing"):
                    answer = self.ask(path, "GET", "", header)
                    self.assertEqual(401, code_of(answer), header)
                    challenge = header_of(answer, "WWW-Authenticate") or ""
                    self.assertTrue(challenge.startswith('Basic realm="'))
            self.assertEqual(2 * (header in tried), len(logged), header)

    def test_long_name(self) -> None:
        """Nobody fills the log with a name."""
        with capturedLogs() as logged:
            self.ask("/", "GET", "", said("n" * 9000))
        self.assertEqual("n" * 64, logged[0]["user"])

    def test_later(self) -> None:
        """Whoever knows may take their time; if they fail, nobody is let in, and the log says why;
        a client that goes meanwhile harms nobody."""
        for end in ("answer", "fail", "leave"):
            checker = Unsure()
            self.guard = Guard(checker)
            super().setUp()
            self.bind("/", Named())
            far = self.connect()
            self.assertEqual("", far.ask("/", "GET", "", said()))
            if end == "answer":
                checker.asked.callback(b"me")
                self.assertEqual("me", body_of(far.take()))
            elif end == "fail":
                checker.asked.errback(ValueError("no disk"))
                self.assertEqual(401, code_of(far.take()))
                self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))
            far.loseConnection()


class Keen:
    """Takes bodies of any size."""

    def do_POST(self, request: Any, response: Any) -> None:
        """How long it is."""
        response.send_content(201, f"{len(request.read_data())}", "text/plain")


class BodyTests(WebCase):
    """Requests with bodies."""

    head = "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 300000\r\n"

    def setUp(self) -> None:
        self.checker = Unsure()
        self.guard = Guard(self.checker)
        super().setUp()
        self.bind("/", Keen(), **{names.HTTP_MAX_BODY_SIZE: 0})
        self.far = self.connect()

    def tearDown(self) -> None:
        if self.far.connected:
            self.far.loseConnection()
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_refused(self) -> None:
        """Who may not ask is told so before the body comes, and nothing is kept of it."""
        self.far.send(f"{self.head}\r\n")
        self.assertEqual(401, code_of(self.far.take()))
        self.far.send("x" * 300_000)
        self.assertEqual("", self.far.take())

    def test_not_yet(self) -> None:
        """Until it is known whether somebody may ask, nothing is read from them."""
        self.far.send(f"{self.head}{said()}\r\n\r\n" + "x" * 1000)
        self.assertEqual(("", "paused"), (self.far.take(), self.far.producerState))
        self.checker.asked.callback(b"me")
        self.assertEqual("producing", self.far.producerState)
        self.assertEqual("HTTP/1.1 100 Continue\r\n\r\n", self.far.take())
        self.far.send("x" * 299_000)
        self.assertEqual("300000", body_of(self.far.take()))

    def test_no(self) -> None:
        """If then they may not, what has come of it is thrown away."""
        self.far.send(f"{self.head}{said()}\r\n\r\n" + "x" * 1000)
        self.checker.asked.errback(LoginFailed())
        self.assertEqual((401, "producing"), (code_of(self.far.take()), self.far.producerState))
        self.far.send("x" * 299_000, "GET / HTTP/1.1\r\n\r\n")
        self.assertEqual("", self.far.take())

    def test_chunked(self) -> None:
        """So it is if nobody has said how long it will be; and nobody is asked twice."""
        chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
        self.checker.asked.callback(b"me")
        self.far.send(f"{chunked}{said()}\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        self.assertEqual("3", body_of(self.far.take()))
        self.assertEqual(1, self.checker.times)
        self.far.send(f"{chunked}\r\n3\r\n")
        self.assertEqual(401, code_of(self.far.take()))

    def test_late(self) -> None:
        """If whoever knows takes too long, or comes to know too late, nothing is done any more."""
        self.far.send(f"{self.head}{said()}\r\n\r\n")
        self.clock.advance(self.timeout)
        self.assertEqual(408, code_of(self.far.take()))
        self.checker.asked.callback(b"me")
        self.assertEqual("", self.far.take())

    def test_gone(self) -> None:
        """Who goes meanwhile is not waited for."""
        self.far.send(f"{self.head}{said()}\r\n\r\nx")
        self.far.loseConnection()
        self.assertEqual("", self.far.take())


class PropertyTests(ServerCase):
    """The property of a server."""

    def test_file(self) -> None:
        """It names a file with names and passwords, which is read whenever somebody asks."""
        path = Path(self.mktemp())
        path.write_text("me:secret\n")
        self.register(Named(), "/a")
        self.make(auth=f"file:{path}", address="127.0.0.1")
        self.assertEqual(401, self.code("/a"))
        self.assertEqual(200, self.code("/a", said()))
        path.write_text("me:other\n")
        self.assertEqual(401, self.code("/a", said()))

    def test_given_later(self) -> None:
        """A server that listens already asks for passwords as soon as it is told to, and listens
        no more if they are nowhere; those who were connected before are, no longer."""
        path = Path(self.mktemp())
        path.write_text("me:secret\n")
        self.register(Named(), "/a")
        component = self.make(address="127.0.0.1")
        far = self.connect()
        self.assertEqual(200, code_of(far.ask("/a")))
        component.set_properties({names.HTTP_AUTH: f"file:{path}"})
        self.assertFalse(far.connected)
        self.assertEqual(Phase.VALID, component.state)
        self.assertEqual([401, 200], [self.code("/a"), self.code("/a", said())])
        component.set_properties({names.HTTP_AUTH: "file:nowhere"})
        self.assertEqual(Phase.ERRONEOUS, component.state)
        self.assertIn("file:nowhere", component.error_trace)

    def test_missing(self) -> None:
        """A server without its file does not listen, and says why."""
        component = self.make(auth="file:nowhere")
        self.assertIn("file:nowhere", component.error_trace)
        self.assertEqual([], self.reactor.tcpServers)

    def test_in_clear(self) -> None:
        """The log says so if others can read passwords."""
        path = Path(self.mktemp())
        path.write_text("me:secret\n")
        with capturedLogs() as logged:
            self.make(auth=f"file:{path}")
        self.assertIn("use TLS", str(logged))


class PublicTests(SynchronousTestCase):
    """Who could read what people send."""

    def test_public(self) -> None:
        """Others can, unless it comes by TLS or from the same machine."""
        given = {names.HTTP_SOCKET_TIMEOUT: 1, names.HTTP_MAX_BODY_SIZE: 1}
        given[names.HTTP_MAX_CONNECTIONS] = 1
        for endpoint, public in (
            ("tcp:8080", True),
            ("tcp:8080:interface=127.0.0.1", False),
            ("unix:/x", False),
            ("ssl:8443:privateKey=x", False),
        ):
            settings = read_settings("web", {**given, names.HTTP_ENDPOINT: endpoint})
            self.assertEqual(public, settings.public, endpoint)
