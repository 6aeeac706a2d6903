"""A request as it comes in, and the way that its answer takes."""

from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import Any

from twisted.internet.defer import Deferred
from twisted.web.http import Request

IN_MEMORY = 1 << 20
"""Bytes of a body; what is longer is kept in a file."""


class Inbound(Request):
    """A request, and the way its answer takes.

    @ivar limit: bytes that its body may have; L{None} for any.
    @ivar running: what answers it.
    @ivar flow: what sends the answer, if it is long.
    @ivar asker: the name of whoever asks, if it had to be given.
    @ivar admitted: whether whoever asks was let in before its body came.
    @ivar gone: whether nobody waits for the answer any more.
    """

    channel: Any
    content: Any
    limit: int | None = None
    running: Deferred[Any] | None = None
    flow: Any = None
    asker: str | None = None
    admitted = False
    gone = False

    def gotLength(self, length: int | None) -> None:
        """A place for the body."""
        self.content = BytesIO() if length == 0 else SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115

    def handleContentChunk(self, data: bytes) -> None:
        """A piece of the body, which may be more than was announced."""
        if self.finished or self.gone:
            return
        if self.limit is not None and self.content.tell() + len(data) > self.limit:
            self.channel.refuse(413)
        else:
            self.content.write(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """All of it is there. Forms are not read: they are a servlet's to read, or not."""
        self.content.seek(0)
        self.method, self.uri, self.clientproto = command, path, version
        self.path, self.args = path.partition(b"?")[0], {}
        self.process()

    def process(self) -> None:
        """Answer it."""
        self.setHeader(b"Date", self.channel.factory.date())
        self.channel.factory.serve(self)

    def refuse(self, code: int) -> None:
        """Answer before all of it is there."""
        self.clientproto = b"HTTP/1.1"
        self.setHeader(b"Connection", b"close")
        self.setHeader(b"Date", self.channel.factory.date())
        self.channel.factory.refuse(self, code)

    def connectionLost(self, reason: Any) -> None:
        """Whoever answers need not go on."""
        self.gone = True
        super().connectionLost(reason)
        if self.running is not None:  # first: else, it would go on writing
            self.running.cancel()
        if self.flow is not None:
            self.flow.stop()
