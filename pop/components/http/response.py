"""What a servlet answers."""

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.web.http import NO_BODY_CODES, RESPONSES

from pop.components.http.errors import HeadersOnly, HttpError
from pop.components.http.eventstream import MEDIA_TYPE, accepts, event_text
from pop.components.http.flow import Flow
from pop.components.http.inbound import Inbound
from pop.components.http.pages import Pages
from pop.components.outbox import PIECE

__all__ = ["HTTPServletResponse"]


class HTTPServletResponse:
    """One answer: first its code, then its headers, then its body.

    It ends when the servlet's method does. Whatever is written after the client has gone is thrown
    away; a method that waits for something then is cancelled.
    """

    def __init__(self, inbound: Inbound, path: str, pages: Pages) -> None:
        self._inbound = inbound
        self._path = path
        self._pages = pages
        self._flow: Flow | None = None

    def set_response(self, code: int, message: str | None = None) -> None:
        """What came of it: C{200} unless said otherwise."""
        text = RESPONSES.get(code, b"") if message is None else _phrase(message)
        self._inbound.setResponseCode(code, text)

    def set_header(self, name: str, value: Any) -> None:
        """Set a header, in the place of any of that name.

        @raise RuntimeError: they have been sent.
        """
        if self._inbound.startedWriting:
            raise RuntimeError(f"the headers have been sent: {name} cannot be one of them")
        self._inbound.responseHeaders.setRawHeaders(name, [str(value)])

    def is_header_set(self, name: str) -> bool:
        """Whether there is a header of that name."""
        return bool(self._inbound.responseHeaders.hasHeader(name))

    def end_headers(self) -> None:
        """Send the headers now; else, they are sent with the body."""
        if not self._inbound.gone:
            self._inbound.write(b"")

    def write(self, data: bytes | str) -> Deferred[None]:
        """Send a piece of the body.

        @return: fires when there is room for more: whoever sends much had better wait for it.
        """
        if self._inbound.gone or self._inbound.finished:
            return succeed(None)
        if self._flow is None:
            self._flow = Flow(self._inbound)
        return self._flow.write(data.encode() if isinstance(data, str) else data)

    def send_content(
        self,
        http_code: int,
        content: str | bytes,
        mime_type: str | None = "text/html",
        http_message: str | None = None,
        content_length: int | None = -1,
    ) -> None:
        """Send a whole answer.

        @param content_length: of what is sent in all, if more follows; L{None} if nobody knows.
        """
        body = content.encode() if isinstance(content, str) else content
        self.set_response(http_code, http_message)
        if mime_type and not self.is_header_set("Content-Type"):
            is_text = mime_type.startswith("text/") and "charset" not in mime_type
            self.set_header("Content-Type", mime_type + "; charset=utf-8" * is_text)
        if content_length is not None and not self.is_header_set("Content-Length"):
            self.set_header("Content-Length", len(body) if content_length < 0 else content_length)
        if self._flow is not None or len(body) > PIECE:
            self.write(body)
        elif not self._inbound.gone:
            self._inbound.write(body)

    def send_error(self, code: int, details: str = "") -> None:
        """Send a page that says what went wrong; what the headers say of a body that was to come
        does not hold for it."""
        for name in (b"Content-Length", b"Content-Type", b"Content-Encoding"):
            self._inbound.responseHeaders.removeHeader(name)
        self.send_content(code, self._pages.page(code, self._path, details))

    # Events

    def setup_sse(self, strict: bool = True) -> None:
        """Begin an answer of events, which are sent one by one; it ends here if only its headers
        were asked for.

        @param strict: refuse whoever has not asked for events.
        @raise HttpError: so it was.
        """
        asked = self._inbound.requestHeaders.getRawHeaders(b"Accept", [])
        if strict and not accepts(b", ".join(asked).decode("latin-1")):
            raise HttpError(406, f"There are events here: accept {MEDIA_TYPE}.")
        self.set_response(200)
        self.set_header("Content-Type", MEDIA_TYPE)
        self.set_header("Cache-Control", "no-cache")
        self.end_headers()
        if self._inbound.method == b"HEAD":
            raise HeadersOnly

    def send_sse(
        self, event: str | None = None, data: str | None = None, id: str | None = None
    ) -> Deferred[None]:
        """Send an event.

        @return: fires when there is room for more.
        """
        return self.write(event_text(event, data, id))

    # For the server

    def gone(self) -> bool:
        """Whether nobody waits for it any more."""
        return self._inbound.gone

    def reset(self) -> None:
        """Begin anew, if none of it has been sent."""
        headers = self._inbound.responseHeaders
        for name, _ in list(headers.getAllRawHeaders()):
            if name not in (b"Connection", b"Date"):
                headers.removeHeader(name)

    def started(self) -> bool:
        """Whether any of it has been sent."""
        return bool(self._inbound.startedWriting)

    def finish(self) -> None:
        """That was all."""
        inbound = self._inbound
        if inbound.gone or inbound.finished:
            return
        bare = not inbound.startedWriting and inbound.code not in NO_BODY_CODES
        if bare and not self.is_header_set("Content-Length"):
            self.set_header("Content-Length", 0)
        if self._flow is None:
            inbound.finish()
        else:
            self._flow.end(inbound.finish)

    def abandon(self) -> None:
        """That was not all, and no more comes: the client sees it in that the connection ends."""
        if not self._inbound.gone:
            self._inbound.channel.abort()


def _phrase(message: str) -> bytes:
    """On one line, whatever it says."""
    return "".join(filter(str.isprintable, message)).encode("latin-1", "replace")
