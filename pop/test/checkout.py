"""The checkout that the tests run in, and its Python sources."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pop

ROOT = Path(pop.__file__).resolve().parent.parent
MISSING = None if (ROOT / "setup.py").exists() else "needs a checkout of pop"
"""Why what looks at the checkout is skipped, if pop was installed from a wheel."""
PACKAGES = ("pop", "txzookeeper")


@dataclass(frozen=True)
class Source:
    """One module of ours, as it is written."""

    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text, str(self.path))

    @property
    def tests(self) -> bool:
        """Whether it belongs to the tests."""
        return "test" in self.name.split(".")


def sources() -> list[Source]:
    """Every module of ours, tests included, by name."""
    return [
        Source(_module(path), path)
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    ]


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.Module) -> Iterator[str]:
    """What is imported at run time, anywhere in a module.

    C{from a import b} is given as C{a.b}, whether C{b} is a module or not. What only type checkers
    import is left out.
    """
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        waiting.extend(ast.iter_child_nodes(node))
