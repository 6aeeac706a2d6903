"""The documentation says what is so."""

import csv
import re
from io import StringIO

from docutils.core import publish_doctree
from docutils.utils import Reporter
from twisted.trial.unittest import SynchronousTestCase

from pop.cli import COMMANDS
from pop.paths import TABLE
from pop.test.checkout import MISSING, ROOT
from pop.test.drawings import graph, table

DOCS = ROOT / "docs"
WORDS = (
    "service type",
    "service",
    "instance",
    "machine",
    "agent",
    "task",
    "settings",
    "state",
    "registration",
    "requirement",
    "bundle",
    "component",
)
"""The words that have one meaning each, everywhere in pop."""


def read_table(name: str) -> list[dict[str, str]]:
    """A table of the documentation, without the marks that make words literal."""
    with open(DOCS / "tables" / f"{name}.csv", newline="", encoding="utf-8") as file:
        return [
            {column: cell.replace("``", "") for column, cell in row.items()}
            for row in csv.DictReader(file)
        ]


def read_page(name: str) -> str:
    """The source of a page."""
    return (DOCS / f"{name}.rst").read_text(encoding="utf-8")


class TablesTests(SynchronousTestCase):
    """What stands in code and in the documentation is the same."""

    skip = MISSING

    def test_znodes(self) -> None:
        """The table of znodes is the one of L{pop.paths}."""
        expected = [
            {"path": row.path, "data": row.data, "format": row.format, "kind": row.kind}
            for row in TABLE
        ]
        self.assertEqual(expected, read_table("znodes"))

    def test_life(self) -> None:
        """The table of an instance's life is what L{pop.life.step} does."""
        self.assertEqual(table(), read_table("life"))

    def test_life_graph(self) -> None:
        """So is the graph; C{python -m pop.test.drawings} draws both."""
        self.assertEqual(graph(), (DOCS / "tables" / "life.dot").read_text(encoding="utf-8"))

    def test_glossary(self) -> None:
        """Every word that has one meaning only is explained."""
        terms = set(re.findall(r"^   (\S.*)$", read_page("glossary"), re.MULTILINE))
        self.assertEqual(set(), set(WORDS) - terms)

    def test_commands(self) -> None:
        """Every command has a section of its own, in the order of C{pop --help}."""
        titles = re.findall(r"^pop (\w+)\n-+$", read_page("commands"), re.MULTILINE)
        self.assertEqual(list(COMMANDS), titles)


class PagesTests(SynchronousTestCase):
    """The pages can be read."""

    skip = MISSING

    def test_the_readme_renders(self) -> None:
        """It is plain reStructuredText without a flaw, as package indexes need it."""
        said = StringIO()
        publish_doctree(
            (ROOT / "README.rst").read_text(encoding="utf-8"),
            settings_overrides={
                "warning_stream": said,
                "report_level": Reporter.INFO_LEVEL,
                "file_insertion_enabled": False,
                "raw_enabled": False,
            },
        )
        self.assertEqual("", said.getvalue())

    def test_no_machine_of_ours(self) -> None:
        """No page names a file that only one of our machines has."""
        pages = [ROOT / "README.rst", *DOCS.rglob("*.rst"), *DOCS.rglob("*.csv")]
        found = [
            str(page) for page in pages if re.search(r"/(?:root|work|home/\w+)/", page.read_text())
        ]
        self.assertEqual([], found)
