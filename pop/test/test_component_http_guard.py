"""A web server that asks for names and passwords."""

from base64 import b64encode
from pathlib import Path
from typing import Any

from twisted.cred.checkers import ICredentialsChecker, InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.credentials import IUsernamePassword
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

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

    def requestAvatarId(self, credentials: Any) -> Deferred[Any]:
        """Later."""
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
