"""The paths of requests, and the routes that they take."""

from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pop.components.http.errors import BadRoute, BadServletPath, BadTarget
from pop.components.http.paths import Prefixes, below, path_of, prefix_of
from pop.components.http.route import Route

PREFIXES = st.lists(st.sampled_from(["a", "b", "ab"]), max_size=4).map(
    lambda steps: "/" + "/".join(steps)
)


class PathTests(SynchronousTestCase):
    """What a request is for."""

    def test_normal(self) -> None:
        """A path is decoded once, and has one form however it is written."""
        targets: dict[bytes | str, str] = {
            b"/": "/",
            b"/a/b?c=d/../..": "/a/b",
            b"//a///b/": "/a/b/",
            b"/a/./b/.": "/a/b/",
            b"/a/../b": "/b",
            b"/a/..": "/",
            b"/a/%2e%2E/b": "/b",
            b"/a%2fb": "/a/b",
            b"/%2541": "/%41",
            "/%C3%A4": "/ä",
            "/ä": "/ä",
            b"http://example.com:80/a?b": "/a",
            b"HTTP://example.com": "/",
            b"/...": "/...",
            b"/100%": "/100%",
        }
        for target, path in targets.items():
            raw = target.encode() if isinstance(target, str) else target
            self.assertEqual(path, path_of(raw), target)

    def test_refused(self) -> None:
        """What leads out of the root, has control characters or is no path is refused, with a
        reason."""
        for target, reason in {
            b"/..": "out of the root",
            b"/a/../..": "out of the root",
            b"/%2e%2e/etc/passwd": "out of the root",
            b"/a%00": "control characters",
            b"/a%0d%0aSet-Cookie:": "control characters",
            b"/%ff": "UTF-8",
            b"*": "slash",
            b"": "slash",
            b"example.com:443": "slash",
        }.items():
            self.assertIn(reason, str(self.assertRaises(BadTarget, path_of, target)))

    @given(st.text(st.sampled_from("/.a%2eF5?"), max_size=12))
    def test_settled(self, text: str) -> None:
        """Whatever is asked for: the path has no empty step, and none that leads upwards."""
        try:
            path = path_of(b"/" + text.encode())
        except BadTarget:
            return
        steps = path.removeprefix("/").removesuffix("/").split("/")
        self.assertTrue(path.startswith("/"))
        self.assertFalse({".", ".."} & set(steps))
        self.assertTrue(path == "/" or all(steps))

    def test_prefixes(self) -> None:
        """A servlet's path begins with a slash; one at its end means nothing."""
        self.assertEqual(["/", "/a/b"], [prefix_of("/"), prefix_of("//a/b/")])
        for bad in ("", "a", "/a/../b", "/a?b", "/a\n", None, 1):
            self.assertRaises(BadServletPath, prefix_of, bad)

    def test_below(self) -> None:
        """What is left of a path begins with a slash."""
        self.assertEqual("/", below("/a/b", "/a/b"))
        self.assertEqual("/", below("/a/b/", "/a/b"))
        self.assertEqual("/b/c", below("/a/b/c", "/a"))
        self.assertEqual("/a/b", below("/a/b", "/"))
        self.assertEqual("/", below("/", "/"))


class PrefixesTests(SynchronousTestCase):
    """What lies at the beginnings of paths."""

    @given(st.lists(PREFIXES, max_size=8), PREFIXES, st.sets(PREFIXES, max_size=3))
    def test_deepest(self, prefixes: list[str], path: str, gone: set[str]) -> None:
        """The deepest is found, as if each were tried, whole steps at a time."""
        known: Prefixes[str] = Prefixes()
        for prefix in prefixes:
            known.set(prefix, prefix)
        for prefix in gone:
            known.discard(prefix)
        matching = [
            prefix
            for prefix in set(prefixes) - gone
            if f"{path}/".startswith(f"{prefix.rstrip('/')}/")
        ]
        self.assertEqual(max(matching, key=len, default=None), known.find(path))

    def test_case(self) -> None:
        """Upper and lower case differ, unless it is said that they do not."""
        strict: Prefixes[int] = Prefixes()
        lax: Prefixes[int] = Prefixes(case_sensitive=False)
        for prefixes in (strict, lax):
            prefixes.set("/Admin", 1)
        self.assertEqual([1, None], [strict.find("/Admin/x"), strict.find("/admin/x")])
        self.assertEqual([1, 1], [lax.find("/Admin/x"), lax.find("/ADMIN/x")])


class RouteTests(SynchronousTestCase):
    """One route."""

    def match(self, text: str, path: str, *optional: str) -> dict[str, Any] | None:
        """The arguments in a path."""
        return Route(text, optional).match(path)

    def test_kinds(self) -> None:
        """Arguments are what their kinds say, or else the route does not match."""
        number = "12345678-9abc-def0-1234-56789abcdef0"
        for kind, text, value in (
            ("string", "a-b.c", "a-b.c"),
            ("int", "-12", -12),
            ("float", "1.5", 1.5),
            ("float", "2", 2.0),
            ("path", "a/b-c.d/", "a/b-c.d"),
            ("uuid", number, UUID(number)),
            ("INT", "1", 1),
        ):
            self.assertEqual({"x": value}, self.match(f"/p/<x:{kind}>", f"/p/{text}"))
        self.assertEqual({"x": "ä b"}, self.match("/p/<x>", "/p/ä b"))
        for kind, text in (("int", "1.5"), ("int", "x"), ("uuid", "1"), ("string", "a/b")):
            self.assertIsNone(self.match(f"/p/<x:{kind}>", f"/p/{text}"))

    def test_unreadable(self) -> None:
        """A number with more digits than Python reads matches no route; iPOPO answers 500."""
        self.assertIsNone(self.match("/<n:int>", "/" + "1" * 5000))

    def test_whole(self) -> None:
        """A route matches a path from end to end, but for a slash at its end."""
        self.assertEqual({}, self.match("/a/b", "/a/b"))
        self.assertEqual({}, self.match("/a/b/", "/a/b"))
        self.assertEqual({}, self.match("/a/b", "/a/b/"))
        self.assertEqual({}, self.match("", "/"))
        for path in ("/a", "/a/b/c", "/a/bc", "/x/a/b"):
            self.assertIsNone(self.match("/a/b", path))
        self.assertIsNone(self.match("/a.b", "/axb"))
        self.assertEqual({"n": 7}, self.match("/file-<n:int>.txt", "/file-7.txt"))

    def test_optional(self) -> None:
        """An argument that has a default may be missing, with the slash before it."""
        for path in ("/a", "/a/"):
            self.assertEqual({}, self.match("/a/<x>", path, "x"))
            self.assertIsNone(self.match("/a/<x>", path))
        self.assertEqual({"x": "1"}, self.match("/a/<x>", "/a/1", "x"))
        self.assertEqual({}, self.match("/<x>", "/", "x"))
        self.assertIsNone(self.match("/a/<x>", "/ab", "x"))

    def test_bad(self) -> None:
        """A route that cannot be read says why."""
        for text in ("/<x:nonsense>", "/<x>/<x>", "/<x", "/x>", "/<>", "/<x:int:y>", "/<1>"):
            self.assertIn(text, str(self.assertRaises(BadRoute, Route, text)))
