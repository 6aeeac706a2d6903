"""Servlets that are registered come to the web servers that there are."""

from typing import Any

from pop.components import http as names
from pop.test.test_component_http_basic import ServerCase
from pop.test.test_component_http_server import Echo, Slow
from pop.test.web import body_of, code_of


class RegisteredTests(ServerCase):
    """Servlets that are registered."""

    def setUp(self) -> None:
        super().setUp()
        self.make()

    def test_paths(self) -> None:
        """A servlet answers at its paths, as long as it is registered."""
        registration = self.register(Echo(), "/a", "/b")
        self.assertEqual([200, 200, 404], [self.code(path) for path in ("/a", "/b", "/c")])
        registration.unregister()
        self.assertEqual([404, 404], [self.code(path) for path in ("/a", "/b")])

    def test_changed(self) -> None:
        """When its paths change, it leaves the old ones before it comes to the new ones; where it
        stays, it is told nothing."""
        told: list[str] = []

        class Servlet(Echo):
            def bound_to(self, path: str, parameters: Any) -> None:
                told.append(f"to {path}")

            def unbound_from(self, path: str, parameters: Any) -> None:
                told.append(f"from {path}")

        registration = self.register(Servlet(), "/a", "/b")
        registration.set_properties({names.HTTP_SERVLET_PATH: ["/b", "/c"]})
        self.assertEqual(["to /a", "to /b", "from /a", "to /c"], told)
        self.assertEqual([404, 200, 200], [self.code(path) for path in ("/a", "/b", "/c")])

    def test_limit(self) -> None:
        """Another limit for bodies holds at once."""
        registration = self.register(Echo(), "/a", **{names.HTTP_MAX_BODY_SIZE: 1})
        far = self.connect()
        self.assertEqual(413, code_of(far.ask("/a", "POST", "abc")))
        registration.set_properties({names.HTTP_MAX_BODY_SIZE: 3})
        self.assertEqual(201, code_of(self.connect().ask("/a", "POST", "abc")))

    def test_limit_nonsense(self) -> None:
        """A limit that is no number is as if the servlet had said nothing."""
        self.register(Echo(), "/a", **{names.HTTP_MAX_BODY_SIZE: float("inf")})
        self.assertEqual(201, code_of(self.connect().ask("/a", "POST", "abc")))

    def test_said_no_more(self) -> None:
        """What a registration says no more holds no more; what a server says of itself, no
        registration changes."""
        registration = self.register(
            Echo(), "/a", **{names.HTTP_MAX_BODY_SIZE: 1, names.PARAM_NAME: "liar"}
        )
        registration.set_properties({}, [names.HTTP_MAX_BODY_SIZE])
        self.assertEqual(201, code_of(self.connect().ask("/a", "POST", "abc")))
        self.assertEqual("web", self.service().get_servlet("/a")[1][names.PARAM_NAME])

    def test_twice(self) -> None:
        """A servlet that is registered twice at a path answers there until both are gone, with what
        the one says that was first."""
        servlet = Echo()
        first, second = (self.register(servlet, "/a", n=n) for n in (1, 2))
        second.set_properties({"n": 3})
        self.assertEqual(1, self.service().get_servlet("/a")[1]["n"])
        first.unregister()
        self.assertEqual(200, self.code("/a"))
        self.assertEqual(3, self.service().get_servlet("/a")[1]["n"])
        second.unregister()
        self.assertEqual(404, self.code("/a"))

    def test_clash_case(self) -> None:
        """Where upper and lower case are one, who waits for a path in other letters gets it."""
        self.make("careless", port=8001, case_sensitive_paths=False)
        first = self.register(Echo(), "/Hello")
        second = self.register(Echo(), "/hello", "/HELLO/")
        first.unregister()
        self.assertEqual([200, 200], [self.code(path) for path in ("/hello", "/Hello")])
        second.unregister()
        self.assertEqual(404, self.code("/hello"))

    def test_clash(self) -> None:
        """Of two that want a path, the first has it, and the other gets it when that goes. With
        iPOPO, the other never answers."""
        first = self.register(Echo(), "/a")
        slow = Slow()
        slow.waiting.callback("the other")
        second = self.register(slow, "/a", "/b")
        self.assertIn("'/a'", body_of(self.connect().ask("/a")))
        first.unregister()
        self.assertEqual("the other", body_of(self.connect().ask("/a")))
        second.unregister()
        self.assertEqual(404, self.code("/a"))

    def test_clash_ranking(self) -> None:
        """Of several that wait for a path, the one with the highest ranking gets it."""
        first = self.register(Echo(), "/a")
        for ranking in (1, 3, 2):
            slow = Slow()
            slow.waiting.callback(f"{ranking}")
            self.register(slow, "/a", **{"service.ranking": ranking})
        first.unregister()
        self.assertEqual("3", body_of(self.connect().ask("/a")))

    def test_no_path(self) -> None:
        """What is no path is passed over."""
        self.register(Echo(), "nonsense", "/a")
        self.register(Echo())
        for path in (8080, 0, ["/a", ["/b"], {}], {"/b": 1}, b"/b"):
            properties: dict[str, Any] = {names.HTTP_SERVLET_PATH: path}
            self.context.register_service(names.HTTP_SERVLET, Echo(), properties)
        self.assertEqual(["/a"], self.service().get_registered_paths())
        self.assertEqual([], self.flushLoggedErrors())
        self.assertEqual(200, self.code("/a"))

    def test_pages(self) -> None:
        """The best that is registered for pages about errors makes them."""

        class Custom:
            def make_not_found_page(self, path: str) -> str:
                return f"nothing at {path}"

        registration = self.context.register_service(names.HTTP_ERROR_PAGES, Custom())
        self.assertEqual("nothing at /a", body_of(self.connect().ask("/a")))
        registration.unregister()
        self.assertIn("Nobody answers", self.connect().ask("/a"))
