"""The architecture, held by the import statements."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from twisted.trial.unittest import SynchronousTestCase

from pop.test.checkout import MISSING, ROOT, Source, imports, sources


@dataclass(frozen=True)
class Floor:
    """One row of the table that the architecture's page shows."""

    name: str
    modules: tuple[str, ...]
    stands_on: tuple[str, ...]

    def holds(self, module: str) -> bool:
        """Whether a module of ours, named in full, is on this floor."""
        return any(_within(module, known) for known in self.modules)


def _within(module: str, known: str) -> bool:
    return module == known or module.startswith(known + ".")


def read_floors() -> list[Floor]:
    """The floors, lowest first."""
    with open(ROOT / "docs" / "tables" / "floors.csv", newline="", encoding="utf-8") as file:
        return [
            Floor(
                row["floor"],
                tuple(
                    name if name == "txzookeeper" else f"pop.{name}"
                    for name in row["modules"].split()
                ),
                tuple(row["stands on"].split()),
            )
            for row in csv.DictReader(file)
        ]


def floor_of(floors: list[Floor], module: str) -> Floor | None:
    """Where a module is, by its own name or else its package's; L{None} if the table is silent."""
    known = {name: floor for floor in floors for name in floor.modules if _within(module, name)}
    return known[max(known, key=len)] if known else None


def ours(source: Source, known: set[str]) -> Iterator[str]:
    """The modules of ours that one imports."""
    for name in imports(source.tree):
        while name and name not in known:
            name = name.rpartition(".")[0]
        if name:
            yield name


class LayersTests(SynchronousTestCase):
    """L{docs/tables/floors.csv} and the import statements agree."""

    skip = MISSING

    def setUp(self) -> None:
        self.floors = read_floors()
        self.sources = sources()
        self.known = {source.name for source in self.sources}

    def test_every_module_has_a_floor(self) -> None:
        """Each module is on exactly one floor, and the table names none that is not there."""
        for source in self.sources:
            if not source.tests and source.name != "pop" and source.name != "pop.protocols":
                floor = floor_of(self.floors, source.name)
                self.assertTrue(floor, f"give {source.name} a floor in floors.csv")
        named = [module for floor in self.floors for module in floor.modules]
        self.assertEqual(sorted(set(named)), sorted(named))
        self.assertEqual(set(), set(named) - self.known)

    def test_floors_stand_on_lower_ones(self) -> None:
        """What a floor stands on lies below it."""
        below: set[str] = set()
        for floor in self.floors:
            self.assertEqual(set(), set(floor.stands_on) - below, floor.name)
            below.add(floor.name)

    def test_imports_go_downwards(self) -> None:
        """A module imports only from its own floor and those that this one stands on."""
        upwards = [
            f"{source.name} ({here.name}) imports {name} ({there.name})"
            for source in self.sources
            if not source.tests and (here := floor_of(self.floors, source.name))
            for name in ours(source, self.known)
            if (there := floor_of(self.floors, name))
            and there.name not in (here.name, *here.stands_on)
        ]
        self.assertEqual([], upwards)

    def test_no_circles(self) -> None:
        """No module imports itself by way of others."""
        graph = {
            source.name: {name for name in ours(source, self.known) if name != source.name}
            for source in self.sources
        }
        # A package's own module imports its parts, which is no circle.
        for package in ("pop", "txzookeeper"):
            graph = {name: imported - {package} for name, imported in graph.items()}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            self.fail(" <- ".join(error.args[1]))

    def test_nothing_needs_the_tests(self) -> None:
        """Only tests import tests, and only tests import what exists for them."""
        found = [
            f"{source.name} imports {name}"
            for source in self.sources
            if not source.tests and not source.name.startswith("txzookeeper.testing")
            for name in ours(source, self.known)
            if {"test", "testing"} & set(name.split("."))
        ]
        self.assertEqual([], found)

    def test_only_roots_know_the_reactor(self) -> None:
        """Everything else takes the reactor, or the part of it that it needs, as an argument."""
        [roots] = [floor for floor in self.floors if floor.name == "roots"]
        found = [
            source.name
            for source in self.sources
            if not source.tests
            and floor_of(self.floors, source.name) is not roots
            and source.name != "txzookeeper.tap"
            and not source.name.startswith("txzookeeper.testing")
            and "twisted.internet.reactor" in imports(source.tree)
        ]
        self.assertEqual([], found)
