"""Servlets whose methods answer routes: C{@HttpGet("/orders/<id:int>")}.

A piece in angle brackets is an argument of the method of that name: text without a slash, or
C{int}, C{float}, C{uuid}, or C{path}, which has slashes. One that has a default may be missing. Of
several routes that match, the one with the most arguments is taken; among those, the one that says
more.
"""

from collections.abc import Callable, Iterable, Iterator
from inspect import Parameter, isfunction, signature
from typing import Any, NamedTuple, TypeVar

from pop.components.http.errors import BadRoute
from pop.components.http.route import Route

__all__ = ["Http", "HttpDelete", "HttpGet", "HttpHead", "HttpPost", "HttpPut", "RestDispatcher"]

Method = TypeVar("Method", bound=Callable[..., Any])
_MARK = "__pop_routes__"


class Http:
    """Let a method of a L{RestDispatcher} answer a route.

    @param methods: of requests; C{GET} alone unless said otherwise.
    """

    def __init__(self, route: str, methods: Iterable[str] | None = None) -> None:
        if isinstance(methods, str):
            raise TypeError(f"the methods of a route are a list, not {methods!r}")
        self.route = route
        self.methods = tuple(method.upper() for method in methods or ("GET",))

    def __call__(self, method: Method) -> Method:
        if not isfunction(method):
            raise TypeError(f"a route decorates a method, not {method!r}")
        routes = vars(method).setdefault(_MARK, [])
        routes.extend((known, self.route) for known in self.methods)
        return method


class HttpGet(Http):
    """A route for C{GET}, and for C{HEAD} unless that has one of its own."""

    def __init__(self, route: str) -> None:
        super().__init__(route, ["GET"])


class HttpHead(Http):
    """A route for C{HEAD}."""

    def __init__(self, route: str) -> None:
        super().__init__(route, ["HEAD"])


class HttpPost(Http):
    """A route for C{POST}."""

    def __init__(self, route: str) -> None:
        super().__init__(route, ["POST"])


class HttpPut(Http):
    """A route for C{PUT}."""

    def __init__(self, route: str) -> None:
        super().__init__(route, ["PUT"])


class HttpDelete(Http):
    """A route for C{DELETE}."""

    def __init__(self, route: str) -> None:
        super().__init__(route, ["DELETE"])


class _Way(NamedTuple):
    """A route, and the name of the method that answers it."""

    route: Route
    name: str


Ways = dict[str, list[_Way]]
"""By the method of requests."""


class RestDispatcher:
    """A servlet whose methods answer routes below its path.

    They are called with the request, the response and their arguments, and may be coroutine
    functions, or asynchronous generators that yield their answers. Where no route leads, the answer
    is 404; where one does for other methods, 405. A route that cannot be read is refused when the
    class is made.
    """

    _ways: Ways = {}  # noqa: RUF012  # each class has its own

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._ways = _ways(cls)

    def dispatch(self, request: Any, response: Any) -> Any:
        """Call the method that answers a request."""
        ways, path, command = self._ways, request.get_sub_path(), request.get_command()
        for known in (command, "GET") if command == "HEAD" else (command,):
            if found := _best(ways.get(known, ()), path):
                way, arguments = found
                return getattr(self, way.name)(request, response, **arguments)
        if allowed := _allowed(ways, path):
            response.set_header("Allow", ", ".join(allowed))
        response.send_error(405 if allowed else 404)
        return None

    def do_OPTIONS(self, request: Any, response: Any) -> None:
        """What may be asked of a path."""
        if allowed := _allowed(self._ways, request.get_sub_path()):
            response.set_header("Allow", ", ".join(allowed))
            response.set_response(204)
        else:
            response.send_error(404)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = dispatch


def _best(ways: Iterable[_Way], path: str) -> tuple[_Way, dict[str, Any]] | None:
    matching = (
        (len(found), way.route.literal, way, found)
        for way in ways
        if (found := way.route.match(path)) is not None
    )
    best = max(matching, key=lambda found: found[:2], default=None)
    return None if best is None else best[2:]


def _allowed(ways: Ways, path: str) -> list[str]:
    """The methods that have a route to a path."""
    known = {command for command, some in ways.items() if _best(some, path)}
    return sorted(known | {"OPTIONS", *(["HEAD"] if "GET" in known else [])}) if known else []


def _ways(cls: type) -> Ways:
    ways: Ways = {}
    for name, method in _methods(cls):
        optional = _optional(method)
        for command, text in getattr(method, _MARK):
            route = Route(text, optional)
            _check(name, method, route)
            ways.setdefault(command, []).append(_Way(route, name))
    return ways


def _methods(cls: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The methods with routes, each as the class has it."""
    names = {name: None for base in reversed(cls.__mro__) for name in vars(base)}
    for name in names:
        method = getattr(cls, name, None)  # abc's names are there before their values
        if isfunction(method) and hasattr(method, _MARK):
            yield name, method


def _arguments(method: Callable[..., Any]) -> list[Parameter]:
    """All but C{self}, the request and the response."""
    return list(signature(method).parameters.values())[3:]


def _optional(method: Callable[..., Any]) -> set[str]:
    return {each.name for each in _arguments(method) if each.default is not Parameter.empty}


def _check(name: str, method: Callable[..., Any], route: Route) -> None:
    """That the method takes what the route gives, and the route gives what the method needs."""
    known = {each.name: each for each in _arguments(method)}
    takes_any = any(each.kind is Parameter.VAR_KEYWORD for each in known.values())
    for argument in route.names:
        if argument not in known and not takes_any:
            raise BadRoute(route=route.text, reason=f"{name} takes no {argument}")
    several = (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)
    needed = {n for n, e in known.items() if e.default is e.empty and e.kind not in several}
    if missing := needed - set(route.names):
        raise BadRoute(route=route.text, reason=f"{name} needs {min(missing)}, too")
