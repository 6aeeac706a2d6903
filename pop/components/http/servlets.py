"""The servlets of a server: who answers below which path."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from pop.components.http import PARAM_NAME
from pop.components.http.errors import NotAServlet, PathTaken
from pop.components.http.paths import Prefixes, prefix_of
from pop.components.patience import Patience

log = Logger()


@dataclass(eq=False)
class Binding:
    """A servlet at a path.

    @ivar parameters: what it was registered with, and what it was told of the server.
    @ivar waits: how many of its answers are still to come, whether it wants that.
    """

    path: str
    servlet: Any
    parameters: dict[str, Any] = field(default_factory=dict)
    waits: int = 0
    refused: bool = False

    @property
    def ready(self) -> bool:
        """Whether it can be asked."""
        return not self.waits and not self.refused


class Servlets:
    """All servlets of one server.

    A servlet may have methods that are called with a path and its parameters: C{accept_binding},
    which may refuse it; C{bound_to}, which may, too, and may take its time; C{unbound_from}.

    @param server: what servlets are told of it.
    @ivar freed: is told of each path at which nobody answers any more.
    """

    def __init__(
        self, patience: Patience, server: Mapping[str, Any], case_sensitive: bool = True
    ) -> None:
        self._patience = patience
        self.server = dict(server)
        self.freed: Callable[[str], None] | None = None
        self._bindings: Prefixes[Binding] = Prefixes(case_sensitive)

    def paths(self) -> list[str]:
        """Where there are servlets, in alphabetical order."""
        return sorted(binding.path for binding in self._bindings.values())

    def find(self, path: str) -> Binding | None:
        """Who answers a path: the servlet with the longest part of it."""
        return self._bindings.find(path)

    def get(self, path: str) -> Binding | None:
        """Who is at exactly this path.

        @raise BadServletPath: it is none.
        """
        return self._bindings.get(prefix_of(path))

    def same(self, path: str, other: str) -> bool:
        """Whether two paths are one, as this server tells them apart."""
        return self._bindings.same(path, other)

    def bind(self, path: Any, servlet: Any, parameters: Mapping[str, Any] | None = None) -> bool:
        """Let a servlet answer below a path; whether it accepts that.

        @raise BadServletPath: it is none.
        @raise PathTaken: another does already.
        """
        prefix = prefix_of(path)
        if servlet is None:
            raise NotAServlet(servlet=servlet)
        if (known := self._bindings.get(prefix)) is not None and known.servlet is servlet:
            return True
        binding = Binding(prefix, servlet, self._told(parameters))
        if not self._accepts(binding, "accept_binding"):
            return False
        if known is not None:
            raise PathTaken(path=prefix, servlet=repr(known.servlet))
        self._bindings.set(prefix, binding)
        return self._accepts(binding, "bound_to")

    def renew(self, binding: Binding, parameters: Mapping[str, Any]) -> None:
        """Give a servlet other parameters: what they say no more does not hold any more."""
        binding.parameters.clear()
        binding.parameters.update(self._told(parameters))

    def _told(self, parameters: Mapping[str, Any] | None) -> dict[str, Any]:
        return {**(parameters or {}), **self.server}

    def unbind(self, path: Any) -> bool:
        """Let nobody answer at a path any more; whether somebody did."""
        binding = self.get(path)
        if binding is None:
            return False
        self._bindings.discard(binding.path)
        self._call(binding, "unbound_from")
        self._tell_freed(binding)
        return True

    def unbind_servlet(self, servlet: Any) -> bool:
        """Let a servlet answer nowhere any more; whether it did."""
        found = [each.path for each in self._bindings.values() if each.servlet is servlet]
        return any([self.unbind(path) for path in found])

    def clear(self) -> None:
        """Let nobody answer any more."""
        for path in self.paths():
            self.unbind(path)

    def _forget(self, binding: Binding) -> None:
        if self._bindings.get(binding.path) is binding:
            self._bindings.discard(binding.path)
            self._tell_freed(binding)

    def _tell_freed(self, binding: Binding) -> None:
        if self.freed is not None:
            self.freed(binding.path)

    def _accepts(self, binding: Binding, method: str) -> bool:
        """Whether a servlet says yes, or nothing; until it has, nobody asks it anything."""
        result = self._call(binding, method, False)
        binding.waits += 1
        if isinstance(result, Deferred):
            result.addCallback(self._answered, binding)
        else:
            self._answered(result, binding)
        return not binding.refused

    def _answered(self, result: Any, binding: Binding) -> None:
        binding.waits -= 1
        if result is not None and not result:
            binding.refused = True
            self._forget(binding)

    def _call(self, binding: Binding, method: str, failed: Any = None) -> Any:
        """What a servlet's method gives, or a Deferred of that; what it raises is logged."""
        if (call := getattr(binding.servlet, method, None)) is None:
            return None
        who = f"{method} of the servlet at {binding.path}"

        def complain(failure: Failure) -> Any:
            server = self.server.get(PARAM_NAME)
            log.failure("{who} failed, in {server}", failure, who=who, server=server)
            return failed

        try:
            result = call(binding.path, binding.parameters)
            waiting = self._patience.deferred(who, result)
        except Exception:
            return complain(Failure())
        return result if waiting is None else waiting.addErrback(complain)
