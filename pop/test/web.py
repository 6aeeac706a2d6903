"""A web server whose connections are in memory."""

from collections.abc import Iterable
from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.trial.unittest import SynchronousTestCase

from pop.components.http.channel import Channel
from pop.components.http.pages import Pages
from pop.components.http.server import Server
from pop.components.http.servlets import Servlets
from pop.components.http.site import Site
from pop.components.patience import Patience


class Far(StringTransportWithDisconnection):
    """The far side of a connection.

    @ivar aborted: whether it was closed without regard to what was on its way.
    @ivar room: bytes that it takes at once; L{None} for any.
    """

    protocol: Channel
    aborted = False
    room: int | None = None

    def write(self, data: bytes) -> None:
        """Take some of it, and ask for no more if there is no room."""
        super().write(data)
        if self.room is not None and len(data) > self.room:
            self.protocol.pauseProducing()

    def writeSequence(self, pieces: Iterable[bytes]) -> None:
        """Take them as one."""
        self.write(b"".join(pieces))

    def abortConnection(self) -> None:
        """Close it."""
        self.aborted = True
        self.loseConnection()

    def send(self, *pieces: str | bytes) -> None:
        """Send pieces, each as it is."""
        for piece in pieces:
            if self.connected:
                raw = piece.encode() if isinstance(piece, str) else piece
                self.protocol.dataReceived(raw)

    def take(self) -> str:
        """What was answered since the last time."""
        said: str = self.value().decode()
        self.clear()
        return said

    def ask(self, target: str = "/", method: str = "GET", body: str = "", *headers: str) -> str:
        """What one request is answered with."""
        lines = [f"{method} {target} HTTP/1.1", "Host: test", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*lines, "", ""]) + body)
        return self.take()


def code_of(answer: str) -> int:
    """The code of an answer."""
    return int(answer.split(" ", 2)[1])


def body_of(answer: str) -> str:
    """The body of an answer, as it came."""
    return answer.partition("\r\n\r\n")[2]


def header_of(answer: str, name: str) -> str | None:
    """One of its headers."""
    for line in answer.partition("\r\n\r\n")[0].split("\r\n")[1:]:
        known, _, value = line.partition(": ")
        if known.lower() == name.lower():
            return value
    return None


class WebCase(SynchronousTestCase):
    """A server.

    @ivar custom: what makes its pages about errors.
    """

    debugging = False
    limit = 100
    timeout = 10.0
    most = 0
    guard: Any = None

    def setUp(self) -> None:
        self.clock = Clock()
        self.custom: Any = None
        self.servlets = Servlets(Patience(self.clock, 5), {"http.name": "test"})
        ids = iter(f"id-{n}" for n in range(1, 100))
        server = Server(
            self.servlets,
            Pages(lambda: self.custom),
            lambda: next(ids),
            self.limit,
            self.debugging,
            self.guard,
        )
        answers = server.serve, server.refuse, server.limit_of, server.admit
        self.site = Site(*answers, self.clock, self.timeout, self.most)

    def connect(self) -> Far:
        """A new connection."""
        channel: Any = self.site.buildProtocol(None)
        far = Far()
        far.protocol = channel
        channel.makeConnection(far)
        return far

    def ask(self, target: str = "/", method: str = "GET", body: str = "", *headers: str) -> str:
        """What one request is answered with, on a connection of its own."""
        far = self.connect()
        answer = far.ask(target, method, body, *headers)
        if far.connected:
            far.loseConnection()
        return answer

    def bind(self, path: str = "/", servlet: Any = None, **parameters: Any) -> Any:
        """Let a servlet answer."""
        self.assertTrue(self.servlets.bind(path, servlet, parameters))
        return servlet
