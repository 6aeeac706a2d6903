"""Servlets, and who of them answers what."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from pop.components.http.errors import BadServletPath, NotAServlet, PathTaken
from pop.components.http.servlets import Servlets
from pop.components.patience import Patience


class Servlet:
    """Notes what it is told, and answers what it is said to."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.told: list[Any] = []

    def _tell(self, method: str, path: str, parameters: dict[str, Any]) -> Any:
        self.told.append((method, path, parameters.get("n"), parameters["http.name"]))
        answer = self.answers.get(method)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def accept_binding(self, path: str, parameters: dict[str, Any]) -> Any:
        """Whether it may be bound."""
        return self._tell("accept_binding", path, parameters)

    def bound_to(self, path: str, parameters: dict[str, Any]) -> Any:
        """It is bound."""
        return self._tell("bound_to", path, parameters)

    def unbound_from(self, path: str, parameters: dict[str, Any]) -> Any:
        """It is bound no more."""
        return self._tell("unbound_from", path, parameters)


class ServletsTests(SynchronousTestCase):
    """The servlets of a server."""

    def setUp(self) -> None:
        self.servlets = Servlets(Patience(), {"http.name": "web"})

    def found(self, path: str) -> Any:
        """Who answers a path."""
        binding = self.servlets.find(path)
        return binding and binding.servlet

    def test_told(self) -> None:
        """A servlet is asked first, told of its path, its parameters and the server, and told of
        the end."""
        servlet = Servlet()
        self.assertTrue(self.servlets.bind("/a/", servlet, {"n": 1}))
        self.assertTrue(self.servlets.unbind("/a"))
        self.assertEqual(
            [(method, "/a", 1, "web") for method in ("accept_binding", "bound_to", "unbound_from")],
            servlet.told,
        )
        self.assertFalse(self.servlets.unbind("/a"))

    def test_silent(self) -> None:
        """A servlet need not have any of these methods."""
        servlet = object()
        self.assertTrue(self.servlets.bind("/", servlet))
        self.assertIs(servlet, self.found("/x/y"))
        self.assertTrue(self.servlets.unbind_servlet(servlet))
        self.assertIsNone(self.found("/"))

    def test_refused(self) -> None:
        """One that does not accept, or fails to say so, is not bound."""
        for answer in (False, RuntimeError("no")):
            for method in ("accept_binding", "bound_to"):
                self.assertFalse(self.servlets.bind("/a", Servlet(**{method: answer})))
                self.assertIsNone(self.found("/a"))
        self.assertEqual(2, len(self.flushLoggedErrors(RuntimeError)))

    def test_taken(self) -> None:
        """A path has one servlet: the same again is no trouble, and another is refused, by name."""
        one, other = Servlet(), Servlet()
        self.assertTrue(self.servlets.bind("/a", one))
        self.assertTrue(self.servlets.bind("/a/", one))
        error = self.assertRaises(PathTaken, self.servlets.bind, "/a", other)
        self.assertIn("Another servlet answers at /a already", str(error))
        self.assertIsInstance(error, ValueError)
        self.assertIs(one, self.found("/a"))
        self.assertEqual(["accept_binding"], [told[0] for told in other.told])

    def test_several(self) -> None:
        """A servlet may answer at several paths, and leaves all at once."""
        servlet = Servlet()
        for path in ("/b", "/a"):
            self.servlets.bind(path, servlet)
        self.servlets.bind("/c", Servlet())
        self.assertEqual(["/a", "/b", "/c"], self.servlets.paths())
        self.assertTrue(self.servlets.unbind_servlet(servlet))
        self.assertEqual(["/c"], self.servlets.paths())
        self.assertFalse(self.servlets.unbind_servlet(servlet))

    def test_end_fails(self) -> None:
        """That a servlet fails when it is told of the end keeps it nowhere."""
        self.servlets.bind("/a", Servlet(unbound_from=RuntimeError("no")))
        self.assertTrue(self.servlets.unbind("/a"))
        self.assertIsNone(self.found("/a"))
        self.assertEqual(1, len(self.flushLoggedErrors(RuntimeError)))

    def test_no_servlet(self) -> None:
        """Nothing is bound at what is no path, and nobody is no servlet."""
        self.assertRaises(BadServletPath, self.servlets.bind, "a", Servlet())
        self.assertRaises(NotAServlet, self.servlets.bind, "/a", None)

    def test_later(self) -> None:
        """A servlet may take its time to be bound, and is asked nothing before; if it says no in
        the end, it is not bound. iPOPO takes a coroutine for a yes."""
        for answer, servlets in ((None, 1), (False, 0), (RuntimeError("no"), 0)):
            waiting: Deferred[Any] = Deferred()
            self.assertTrue(self.servlets.bind("/a", Servlet(bound_to=waiting)))
            binding = self.servlets.find("/a")
            assert binding is not None
            self.assertFalse(binding.ready)
            if isinstance(answer, Exception):
                waiting.errback(answer)
            else:
                waiting.callback(answer)
            self.assertEqual(servlets == 1, binding.ready)
            self.assertEqual(servlets, len(self.servlets.paths()))
            self.servlets.clear()
        self.assertEqual(1, len(self.flushLoggedErrors(RuntimeError)))
