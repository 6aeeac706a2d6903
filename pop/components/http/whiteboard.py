"""The servlets that are registered: each is bound at the paths that its properties say."""

from typing import Any

from twisted.logger import Logger

from pop.components import BundleContext, ServiceReference, Tracker
from pop.components.http import HTTP_SERVLET, HTTP_SERVLET_PATH
from pop.components.http.errors import BadServletPath, PathTaken
from pop.components.http.paths import prefix_of
from pop.components.http.servlets import Binding, Servlets

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
        self._wanted[reference] = paths = _paths(reference)
        for path in paths:
            self._bind(path, servlet, reference)

    def _modified(self, servlet: Any, reference: ServiceReference) -> None:
        """It leaves where it was first, and then goes to where it wants to be now."""
        before, now = self._wanted[reference], _paths(reference)
        self._wanted[reference] = now
        for path in before:
            if path not in now:
                self._unbind(path, servlet, reference)
            elif (reference, path) not in self._waiting and (binding := self._at(path, servlet)):
                self._servlets.renew(binding, reference.get_properties())
        for path in now:
            if path not in before:
                self._bind(path, servlet, reference)

    def _removed(self, servlet: Any, reference: ServiceReference) -> None:
        for path in self._wanted.pop(reference):
            self._unbind(path, servlet, reference)

    def _at(self, path: str, servlet: Any) -> Binding | None:
        """Where a servlet is at a path, if it is."""
        binding = self._servlets.get(path)
        return binding if binding is not None and binding.servlet is servlet else None

    def _bind(self, path: str, servlet: Any, reference: ServiceReference) -> None:
        if self._at(path, servlet):  # by another registration, which may go first
            self._waiting[reference, path] = servlet
            return
        try:
            self._servlets.bind(path, servlet, reference.get_properties())
        except PathTaken as error:
            log.warn("{reference} waits: {error}", reference=reference, error=error)
            self._waiting[reference, path] = servlet

    def _unbind(self, path: str, servlet: Any, reference: ServiceReference) -> None:
        waited = self._waiting.pop((reference, path), None) is not None
        if not waited and self._at(path, servlet):
            self._servlets.unbind(path)

    def _freed(self, path: str) -> None:
        """Nobody is at a path any more: the best of those who wait for it gets it."""
        waiting = [each for each in self._waiting if self._servlets.same(each[1], path)]
        if waiting:
            best, wanted = each = min(waiting)
            self._bind(wanted, self._waiting.pop(each), best)


def _paths(reference: ServiceReference) -> list[str]:
    """Where a servlet wants to be; what is no path is logged."""
    said = reference.get_property(HTTP_SERVLET_PATH)
    several = said if isinstance(said, list | tuple | set | frozenset) else [said]
    paths: dict[str, None] = {}
    for path in several if said is not None else ():
        try:
            paths[prefix_of(path)] = None
        except BadServletPath as error:
            log.error("{reference}: {error}", reference=reference, error=error)
    return list(paths)
