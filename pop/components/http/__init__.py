"""A web server inside a framework: servlets answer requests, each below a path of its own.

A servlet is any object with methods C{do_GET(request, response)}, C{do_POST} and so on, which may
be coroutine functions. It is registered under L{HTTP_SERVLET} with its paths in the property
L{HTTP_SERVLET_PATH}; or by whoever requires L{HTTP_SERVICE}, with its C{register_servlet}. The
bundle is L{pop.components.http.basic}, the components of its factory L{FACTORY_HTTP_BASIC} are the
servers.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from pop.components.specifications import Specification

HTTP_SERVICE: Final = "pelix.http.service"
HTTP_SERVLET: Final = "pelix.http.servlet"
HTTP_ERROR_PAGES: Final = "pelix.http.error.pages"
FACTORY_HTTP_BASIC: Final = "pelix.http.service.basic.factory"

# Properties of a server

HTTP_SERVICE_ADDRESS: Final = "pelix.http.address"
HTTP_SERVICE_PORT: Final = "pelix.http.port"
HTTP_ENDPOINT: Final = "pelix.http.endpoint"
"""Where to listen, as Twisted describes endpoints, in the place of an address and a port."""
HTTP_USES_SSL: Final = "pelix.https"
HTTPS_CERT_FILE: Final = "pelix.https.cert_file"
HTTPS_KEY_FILE: Final = "pelix.https.key_file"
HTTP_DEBUG_ERRORS: Final = "pelix.http.debug"
"""Whether pages about errors show tracebacks and paths; else, a number to look for in the log."""
HTTP_SOCKET_TIMEOUT: Final = "pelix.http.socket_timeout"
"""Seconds for a request to arrive, and for a connection to be idle; 0 for no limit."""
HTTP_MAX_CONNECTIONS: Final = "pelix.http.max_connections"
"""Connections at a time; 0 for any number."""
HTTP_AUTH: Final = "pelix.http.auth"
"""Where names and passwords are, as C{file:PATH}, if whoever asks has to give them."""
HTTP_CASE_SENSITIVE_PATHS: Final = "pelix.http.case_sensitive_paths"

# Properties of a servlet

HTTP_SERVLET_PATH: Final = "pelix.http.path"
"""A path, or several."""
HTTP_MAX_BODY_SIZE: Final = "pelix.http.max_body_size"
"""Bytes that the body of a request may have; 0 for any. Of a server, and of a servlet that is to
take more or less than that."""

# What a servlet is told when it is bound

PARAM_ADDRESS: Final = "http.address"
PARAM_PORT: Final = "http.port"
PARAM_HTTPS: Final = "http.https"
PARAM_NAME: Final = "http.name"


# What requirements and registrations can name in the place of texts


@Specification(HTTP_SERVLET)
class Servlet(Protocol):
    """Whatever answers requests, by C{do_GET(request, response)} and its likes: it has those that
    it can answer."""


@Specification(HTTP_SERVICE)
class HTTPService(Protocol):
    """A server, as those see it who bring servlets of their own."""

    def get_access(self) -> tuple[str, int]:
        """Where it listens: an address and a port; empty and 0, if that is not TCP."""

    def is_https(self) -> bool:
        """Whether it speaks TLS."""

    def get_registered_paths(self) -> list[str]:
        """Where there are servlets, in alphabetical order."""

    def get_servlet(self, path: str) -> tuple[Any, dict[str, Any], str] | None:
        """Who answers a path: the servlet, its parameters and its path; or nobody."""

    def register_servlet(
        self, path: str, servlet: Any, parameters: Mapping[str, Any] | None = None
    ) -> bool:
        """Let a servlet answer below a path; whether it accepts that."""

    def unregister(self, path: str | None, servlet: Any = None) -> bool:
        """Let nobody answer at a path any more, or a servlet nowhere; whether that was so."""

    def make_not_found_page(self, path: str) -> str:
        """The page for a path at which nobody answers."""

    def make_exception_page(self, path: str, stack: str) -> str:
        """The page for an error, which shows what it is given."""


@Specification(HTTP_ERROR_PAGES)
class ErrorHandler(Protocol):
    """Who makes pages about errors; where one gives nothing, the server's own are shown."""

    def make_not_found_page(self, path: str) -> str:
        """For a path at which nobody answers."""

    def make_exception_page(self, path: str, stack: str) -> str:
        """For an error.

        @param stack: what may be shown of it.
        """
