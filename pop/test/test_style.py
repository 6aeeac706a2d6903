"""What reviewers would otherwise have to look for."""

import ast
from collections.abc import Callable, Iterator
from importlib import import_module
from inspect import iscoroutinefunction

from twisted.trial.unittest import SynchronousTestCase, TestCase

from pop.test.checkout import MISSING, imports, sources

LONGEST = 400
"""Lines of a module; a longer one lacks a concept."""
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def public(tree: ast.Module) -> Iterator[tuple[str, Documented]]:
    """A module and what it defines for others, with their names."""
    yield "the module", tree
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not (
            node.name.startswith("_")
        ):
            yield node.name, node


def tests(tree: ast.Module) -> Iterator[tuple[str, Documented]]:
    """The test methods of a module, with their names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
            node.name.startswith("test_")
        ):
            yield node.name, node


def undocumented(
    find: Callable[[ast.Module], Iterator[tuple[str, Documented]]], *, in_tests: bool
) -> list[str]:
    """What should have a docstring and has none, in the tests or everywhere else."""
    return [
        f"{source.name}: {name}"
        for source in sources()
        if source.tests is in_tests
        for name, node in find(source.tree)
        if not ast.get_docstring(node)
    ]


class StyleTests(SynchronousTestCase):
    """The sources keep what was agreed on."""

    skip = MISSING

    def test_short_modules(self) -> None:
        """No module is longer than a reader can keep in mind."""
        long = {s.name: n for s in sources() if (n := s.text.count("\n")) > LONGEST}
        self.assertEqual({}, long)

    def test_docstrings(self) -> None:
        """Every public module, class and function says what it is for."""
        self.assertEqual([], undocumented(public, in_tests=False))

    def test_promises(self) -> None:
        """Every test says what it promises."""
        self.assertEqual([], undocumented(tests, in_tests=True))

    def test_coroutines_are_run(self) -> None:
        """No test is a coroutine that trial would take for passed without running it."""
        idle = [
            f"{source.name}.{kind.__name__}.{name}"
            for source in sources()
            if source.tests
            for kind in vars(import_module(source.name)).values()
            if isinstance(kind, type)
            and issubclass(kind, SynchronousTestCase)
            and not issubclass(kind, TestCase)
            for name in dir(kind)
            if name.startswith("test_") and iscoroutinefunction(getattr(kind, name))
        ]
        self.assertEqual([], idle)

    def test_no_mocks(self) -> None:
        """Tests use the real thing or a verified fake: no mock, and nothing is patched."""
        found = [
            source.name
            for source in sources()
            if any(name.split(".")[:2] == ["unittest", "mock"] for name in imports(source.tree))
            or any(
                isinstance(node, ast.Call) and ast.unparse(node.func) == "self.patch"
                for node in ast.walk(source.tree)
            )
        ]
        self.assertEqual([], found)
