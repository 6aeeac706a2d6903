"""What can go wrong with a web server: each docstring is what people read."""

from pop.components.errors import BundleException


class BadTarget(BundleException, ValueError):
    """The path {target} of a request is refused: {reason}."""


class BadServletPath(BundleException, ValueError):
    """A servlet cannot be reached at {path!r}: a path begins with a slash, and has neither a
    query nor steps such as ".."."""


class NotAServlet(BundleException, ValueError):
    """{servlet} cannot answer requests: it is no servlet."""


class PathTaken(BundleException, ValueError):
    """Another servlet answers at {path} already: {servlet}."""


class BadRoute(BundleException, ValueError):
    """The route {route} cannot be read: {reason}."""


class HttpError(Exception):
    """Raised by a servlet that answers with a page about an error, which is not its own.

    @param code: of the answer.
    @param details: what else people are told.
    """

    def __init__(self, code: int, details: str = "") -> None:
        super().__init__(code, details)
        self.code = code
        self.details = details


class HeadersOnly(Exception):
    """Raised in a servlet that has sent its headers, when nobody asked for more."""


class NoReactor(BundleException):
    """The web server {server} cannot listen: its framework was made without a reactor. Make it with
    create_framework(..., clock=reactor)."""


class BadSetting(BundleException, ValueError):
    """The property {name} of the web server {server} cannot be {value!r}: {reason}."""


class CannotListen(BundleException):
    """The web server {server} cannot listen at {where}: {reason}."""
