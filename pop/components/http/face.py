"""A server as a bundle sees it."""

from collections.abc import Mapping
from typing import Any

from pop.components.http import PARAM_ADDRESS, PARAM_HTTPS, PARAM_PORT
from pop.components.http.pages import Pages
from pop.components.http.servlets import Servlets

__all__ = ["HttpService"]


class HttpService:
    """A server, for one bundle: the servlets that it registers go when it lets the server go, or
    stops, should it have forgotten them."""

    def __init__(self, servlets: Servlets, pages: Pages) -> None:
        self._servlets = servlets
        self._pages = pages
        self._own: dict[str, Any] = {}

    def get_access(self) -> tuple[str, int]:
        """Where it listens: an address and a port; empty and 0, if that is not TCP."""
        return self._servlets.server[PARAM_ADDRESS], self._servlets.server[PARAM_PORT]

    def is_https(self) -> bool:
        """Whether it speaks TLS."""
        return bool(self._servlets.server[PARAM_HTTPS])

    def get_registered_paths(self) -> list[str]:
        """Where there are servlets, in alphabetical order."""
        return self._servlets.paths()

    def get_servlet(self, path: str) -> tuple[Any, dict[str, Any], str] | None:
        """Who answers a path: the servlet, its parameters and its path; or nobody."""
        if (binding := self._servlets.find(path)) is None:
            return None
        return binding.servlet, dict(binding.parameters), binding.path

    def register_servlet(
        self, path: str, servlet: Any, parameters: Mapping[str, Any] | None = None
    ) -> bool:
        """Let a servlet answer below a path; whether it accepts that.

        @raise BadServletPath: it is none.
        @raise PathTaken: another does already.
        """
        known = self._servlets.get(path)
        if not self._servlets.bind(path, servlet, parameters):
            return False
        if known is None:
            self._own[path] = servlet
        return True

    def unregister(self, path: str | None, servlet: Any = None) -> bool:
        """Let nobody answer at a path any more, or a servlet nowhere; whether that was so."""
        if servlet is not None:
            return self._servlets.unbind_servlet(servlet)
        return bool(path) and self._servlets.unbind(path)

    def make_not_found_page(self, path: str) -> str:
        """The page for a path at which nobody answers."""
        return self._pages.page(404, path)

    def make_exception_page(self, path: str, stack: str) -> str:
        """The page for an error, which shows what it is given."""
        return self._pages.page(500, path, stack)

    def release(self) -> None:
        """For the server: the bundle has let it go."""
        own, self._own = self._own, {}
        for path, servlet in own.items():
            binding = self._servlets.get(path)
            if binding is not None and binding.servlet is servlet:
                self._servlets.unbind(path)
