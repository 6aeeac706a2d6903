"""What people are shown when something goes wrong."""

from collections.abc import Callable
from html import escape
from http import HTTPStatus
from typing import Any

from twisted.logger import Logger

log = Logger()
_PAGE = """<!DOCTYPE html>
<html>
<head><title>{code} {title}</title></head>
<body>
<h1>{title}</h1>
<p>{sentence} <code>{path}</code></p>
{details}</body>
</html>
"""
_SENTENCES = {
    400: "The request cannot be read.",
    401: "Nobody may ask this without saying who asks:",
    403: "This may not be asked:",
    404: "Nobody answers at this path:",
    405: "This cannot be asked of this path:",
    406: "There is nothing of the kind that was asked for:",
    408: "The request took too long to arrive.",
    413: "The body of the request is too large.",
    500: "An error prevented an answer at this path:",
    503: "This cannot be answered just now:",
}


class Pages:
    """Pages about errors.

    Others may make those for 404 and 500: whatever is registered under
    L{pop.components.http.HTTP_ERROR_PAGES}, with the methods C{make_not_found_page(path)} and
    C{make_exception_page(path, details)}.

    @param custom: gives that, or L{None}.
    """

    def __init__(self, custom: Callable[[], Any] = lambda: None) -> None:
        self._custom = custom

    def page(self, code: int, path: str, details: str = "") -> str:
        """The page for a code.

        @param details: what else people are told, as text.
        """
        return self._made(code, path, details) or _page(code, path, details)

    def _made(self, code: int, path: str, details: str) -> str | None:
        """What others make of it; if they fail, that is no reason to tell people less."""
        if code not in (404, 500) or (custom := self._custom()) is None:
            return None
        try:
            made = (
                custom.make_not_found_page(path)
                if code == 404
                else custom.make_exception_page(path, details)
            )
        except Exception:
            log.failure("No page for {code} could be made by {custom}", code=code, custom=custom)
            return None
        return str(made) if made else None


def _page(code: int, path: str, details: str) -> str:
    try:
        title = HTTPStatus(code).phrase
    except ValueError:
        title = "Error"
    return _PAGE.format(
        code=code,
        title=title,
        sentence=_SENTENCES.get(code, "This could not be answered:"),
        path=escape(path),
        details=f"<pre>{escape(details)}</pre>\n" if details else "",
    )
