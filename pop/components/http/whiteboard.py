"""The servlets that are registered: each is bound at the paths that its properties say."""

from collections.abc import Iterator
from typing import Any

from twisted.logger import Logger

from pop.components import BundleContext, ServiceReference, Tracker
from pop.components.http import HTTP_SERVLET, HTTP_SERVLET_PATH
from pop.components.http.errors import BadServletPath, PathTaken
from pop.components.http.paths import prefix_of
from pop.components.http.servlets import Servlets

log = Logger()


class Whiteboard:
    """Follows registrations, and binds what is registered. Where two want the same path, the one
    that comes later waits until the other goes."""

    def __init__(self, context: BundleContext, servlets: Servlets) -> None:
        self._servlets = servlets
        self._wanted: dict[ServiceReference, list[str]] = {}
        self._waiting: dict[tuple[ServiceReference, str], Any] = {}
        self._tracker = Tracker(
            context,
            HTTP_SERVLET,
            added=self._added,
            modified=self._modified,
            removed=self._removed,
        )

    def open(self) -> None:
        """Bind what there is, and what comes."""
        self._servlets.freed = self._freed
        self._tracker.open()

    def close(self) -> None:
        """Let all of it go."""
        self._servlets.freed = None
        self._tracker.close()

    def _added(self, servlet: Any, reference: ServiceReference) -> None:
        self._wanted[reference] = paths = list(_paths(reference))
        for path in paths:
            self._bind(path, servlet, reference)

    def _modified(self, servlet: Any, reference: ServiceReference) -> None:
        """It leaves where it was first, and then goes to where it wants to be now."""
        before, now = self._wanted[reference], list(_paths(reference))
        self._wanted[reference] = now
        for path in before:
            if path not in now:
                self._unbind(path, servlet, reference)
            elif (binding := self._servlets.get(path)) and binding.servlet is servlet:
                binding.parameters.update(reference.get_properties())
        for path in now:
            if path not in before:
                self._bind(path, servlet, reference)

    def _removed(self, servlet: Any, reference: ServiceReference) -> None:
        for path in self._wanted.pop(reference):
            self._unbind(path, servlet, reference)

    def _bind(self, path: str, servlet: Any, reference: ServiceReference) -> None:
        try:
            self._servlets.bind(path, servlet, reference.get_properties())
        except PathTaken as error:
            log.warn("{reference} waits: {error}", reference=reference, error=error)
            self._waiting[reference, path] = servlet

    def _unbind(self, path: str, servlet: Any, reference: ServiceReference) -> None:
        if self._waiting.pop((reference, path), None) is None:
            binding = self._servlets.get(path)
            if binding is not None and binding.servlet is servlet:
                self._servlets.unbind(path)

    def _freed(self, path: str) -> None:
        """Nobody is at a path any more: the best of those who wait for it gets it."""
        waiting = [reference for reference, wanted in self._waiting if wanted == path]
        if waiting:
            best = min(waiting)
            self._bind(path, self._waiting.pop((best, path)), best)


def _paths(reference: ServiceReference) -> Iterator[str]:
    """Where a servlet wants to be; what is no path is logged."""
    said = reference.get_property(HTTP_SERVLET_PATH)
    for path in dict.fromkeys([said] if isinstance(said, str) else said or ()):
        try:
            yield prefix_of(path)
        except BadServletPath as error:
            log.error("{reference}: {error}", reference=reference, error=error)
