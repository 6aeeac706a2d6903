"""Servlets whose methods answer routes."""

from abc import ABC, abstractmethod
from typing import Any

from pop.components.http.errors import BadRoute
from pop.components.http.routing import (
    Http,
    HttpDelete,
    HttpGet,
    HttpHead,
    HttpPost,
    HttpPut,
    RestDispatcher,
)
from pop.test.web import WebCase, body_of, code_of, header_of


class Orders(RestDispatcher):
    """Routes."""

    @HttpGet("/")
    def all(self, request: Any, response: Any) -> None:
        """All."""
        response.send_content(200, "all")

    @HttpGet("/<id:int>")
    @HttpDelete("/gone/<id:int>")
    def one(self, request: Any, response: Any, id: int) -> None:
        """One."""
        response.send_content(200, f"{request.get_command()} {id!r}")

    @HttpGet("/<id:int>/<part>")
    async def part(self, request: Any, response: Any, part: str, id: int) -> None:
        """Part of one."""
        response.send_content(200, f"{part!r} of {id!r}")

    @HttpGet("/new")
    def new(self, request: Any, response: Any) -> None:
        """A form."""
        response.send_content(200, "new")

    @HttpGet("/<name>")
    def named(self, request: Any, response: Any, name: str) -> None:
        """By name."""
        response.send_content(200, f"named {name}")

    @HttpGet("/pages/<n:int>")
    @HttpPut("/pages/<n:int>")
    def page(self, request: Any, response: Any, n: int = 1) -> None:
        """A page."""
        response.send_content(200, f"page {n}")

    @Http("/all", ["get", "POST"])
    @HttpHead("/all")
    def every(self, request: Any, response: Any) -> None:
        """By any method."""
        response.send_content(200, request.get_command())


class RoutingTests(WebCase):
    """Routes of servlets."""

    def said(self, target: str, method: str = "GET") -> str:
        """The body of what is answered."""
        return body_of(self.ask(target, method))

    def setUp(self) -> None:
        super().setUp()
        self.bind("/orders", Orders())

    def test_best(self) -> None:
        """The route with the most arguments is taken; among those, the one that says more."""
        self.assertEqual("all", self.said("/orders"))
        self.assertEqual("GET 7", self.said("/orders/7"))
        self.assertEqual("named x7", self.said("/orders/x7"))
        self.assertEqual("named new", self.said("/orders/new"))
        self.assertEqual("'a' of 7", self.said("/orders/7/a"))

    def test_default(self) -> None:
        """An argument that has a default may be missing."""
        self.assertEqual("page 3", self.said("/orders/pages/3"))
        self.assertEqual("named pages", self.said("/orders/pages"))
        self.assertEqual("page 1", self.said("/orders/pages", "PUT"))

    def test_methods(self) -> None:
        """Each route is for its own methods; where there is one for others only, they are named.
        iPOPO gives all routes of one Python method all their methods, and says 404."""
        self.assertEqual("DELETE 7", self.said("/orders/gone/7", "DELETE"))
        self.assertEqual("'POST'", repr(self.said("/orders/all", "POST")))
        for method in ("DELETE", "OPTIONS"):
            answer = self.ask("/orders/7", method)
            self.assertEqual(204 if method == "OPTIONS" else 405, code_of(answer))
            self.assertEqual("GET, HEAD, OPTIONS", header_of(answer, "Allow"))
        self.assertEqual(200, code_of(self.ask("/orders/7", "HEAD")))

    def test_no_route(self) -> None:
        """Where no route leads, there is nothing; nor where text is not what a route wants."""
        for target in ("/orders/7/a/b", "/orders/gone/x/y", "/orders/pages/x/y"):
            self.assertEqual(404, code_of(self.ask(target)), target)
        self.assertEqual(404, code_of(self.ask("/orders/x/y", "OPTIONS")))

    def test_inherited(self) -> None:
        """A subclass has the routes of its parents, answered by its own methods."""

        class More(Orders):
            def all(self, request: Any, response: Any) -> None:
                """Not a route any more."""

            @HttpPost("/")
            def add(self, request: Any, response: Any) -> None:
                """Add one."""
                response.send_content(201, "added")

        self.bind("/more", More())
        self.assertEqual("added", self.said("/more", "POST"))
        self.assertEqual("GET 7", self.said("/more/7"))
        self.assertEqual(405, code_of(self.ask("/more")))

    def test_abstract(self) -> None:
        """A servlet with routes may be an abstract class, too."""

        class Shop(RestDispatcher, ABC):
            @HttpGet("/")
            @abstractmethod
            def all(self, request: Any, response: Any) -> None:
                """All."""

        class Open(Shop):
            @HttpGet("/")
            def all(self, request: Any, response: Any) -> None:
                """All."""
                response.send_content(200, "open")

        self.bind("/shop", Open())
        self.assertEqual("open", self.said("/shop"))

    def test_bad(self) -> None:
        """A route that its method cannot answer is refused when the class is made, by name."""
        for route, reason in {"/<x>": "takes no x", "/": "needs id, too"}.items():
            with self.assertRaises(BadRoute) as caught:

                class Bad(RestDispatcher):
                    @HttpGet(route)
                    def one(self, request: Any, response: Any, id: int) -> None:
                        """One."""

            self.assertIn(route, str(caught.exception))
            self.assertIn(reason, str(caught.exception))
        self.assertRaises(TypeError, Http, "/", "GET")
        self.assertRaises(TypeError, HttpGet("/"), 1)
