"""The service type for Python programs, and the tasks of all that have an environment."""

import io
import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pop.catalogue import Catalogue
from pop.environments import Environments
from pop.errors import (
    BadSetting,
    ContradictorySettings,
    NoEnvironment,
    NoOtherEnvironment,
    NotBuilt,
    PopError,
)
from pop.model import Service
from pop.program import Program
from pop.services.python import Python
from pop.settings import validate
from pop.tasks import tasks_of
from pop.test.wheels import wheel

PYTHON = Python()


def program(**settings: Any) -> Program:
    """What is executed with some settings."""
    catalogue = Catalogue({"python": PYTHON})
    return catalogue.launch(Service("web", "python", settings), "m1").program


class ProgramTests(SynchronousTestCase):
    """What is executed, and in what."""

    def test_module(self) -> None:
        """A module is run as python -m does, with the placeholders in its arguments filled in."""
        found = program(module="http.server", arguments="{port} -d /srv/{service}", port=80)
        self.assertEqual(("python", "-m", "http.server", "80", "-d", "/srv/web"), found.argv)
        self.assertEqual({"port": 80}, found.state)

    def test_entry_point(self) -> None:
        """An entry point is called, sees its arguments, and gives the exit status."""
        argv = program(entry_point="operator:index.__call__", arguments="a b").argv
        self.assertEqual(("a", "b"), argv[3:])
        argv = program(entry_point="sys:argv.__len__", arguments="a b").argv
        done = subprocess.run([sys.executable, *argv[1:]], check=False)
        self.assertEqual(3, done.returncode)

    def test_recipe(self) -> None:
        """Whatever decides what is in the environment is in its recipe, and nothing else is."""
        decisive: dict[str, Any] = {
            "module": "six",
            "requirements": "six==1.16.0\n \"lxml; python_version > '3'\"",
            "packages": ["zope.interface"],
            "find_links": ["/srv/wheels"],
            "index": "none",
            "python": "python3.12",
        }
        recipe = program(**decisive).recipe
        assert recipe
        self.assertEqual(("six==1.16.0", "lxml; python_version > '3'"), recipe.requirements)
        self.assertEqual(("zope.interface",), recipe.packages)
        self.assertEqual(("/srv/wheels",), recipe.find_links)
        self.assertEqual(("none", "python3.12"), (recipe.index, recipe.python))
        self.assertEqual(("six",), recipe.imports)
        self.assertEqual(recipe, program(**decisive, port=8080, arguments="--help").recipe)

    def test_refused(self) -> None:
        """What makes no sense is refused before anything is built."""
        bad: list[dict[str, Any]] = [
            {"module": "no module"},
            {"entry_point": "module"},
            {"entry_point": "a.b:c()"},
            {"module": "six", "requirements": "six --index-url=http://evil"},
            {"module": "six", "requirements": "'six"},
            {"module": "six", "packages": ["-r/etc/passwd"]},
            {"module": "six", "find_links": ["wheels"]},
        ]
        for settings in bad:
            self.assertRaises(BadSetting, program, **settings)
        for settings in ({}, {"module": "a", "entry_point": "b:c"}):
            error = self.assertRaises(ContradictorySettings, program, **settings)
            self.assertIn("give either a module or an entry_point", str(error))


class Errand:
    """One run of a task, as the task sees it."""

    service = "web"
    machine = "m1"

    def __init__(self, state_directory: Path, settings: Mapping[str, Any]) -> None:
        self.settings = validate("python", PYTHON.settings, settings)
        self.directory = self.state_directory = state_directory
        self.recorded: dict[str, Any] | None = None

    def progress(self, done: float, total: float | None = None, what: str = "") -> None:
        """See L{pop.tasks.Run.progress}."""

    def record(self, settings: Mapping[str, Any]) -> None:
        """See L{pop.tasks.Run.record}."""
        self.recorded = dict(settings)


class TaskTests(SynchronousTestCase):
    """What may be done with an environment; real ones, from wheels that the tests make."""

    def setUp(self) -> None:
        self.state = Path(self.mktemp()).absolute()
        self.wheels = self.state / "wheels"
        self.wheels.mkdir(parents=True)
        self.settings: dict[str, Any] = {
            "module": "http.server",
            "find_links": [str(self.wheels)],
            "index": "none",
        }
        Environments(self.state).make("web", None, None)

    def run_(self, task: str, **arguments: Any) -> str:
        """Run a task, have what it records become the settings, and give what it prints."""
        run = Errand(self.state, self.settings)
        method = getattr(PYTHON, tasks_of(PYTHON)[task].method)
        with redirect_stdout(io.StringIO()) as output:
            method(run, **arguments)
        if run.recorded is not None:
            given = {**self.settings, **run.recorded}
            self.settings = {name: value for name, value in given.items() if value is not None}
        return output.getvalue()

    def installed(self) -> dict[str, str]:
        """Names and versions of what the present environment has."""
        found = json.loads(self.run_("packages", json=True))
        return {each["name"]: each["version"] for each in found}

    def test_install(self) -> None:
        """What is installed is recorded with its version, replaces an older one, and stays."""
        for name, version in (("spam", "1.0"), ("spam", "2.0"), ("eggs", "3.1")):
            wheel(self.wheels, name, version)
        self.assertRaises(NoEnvironment, self.run_, "packages", json=False)
        self.assertIn("spam", self.run_("install", packages=("spam==1.0", "eggs")))
        self.assertEqual(["spam==1.0", "eggs==3.1"], self.settings["packages"])
        self.assertEqual({"spam": "1.0", "eggs": "3.1"}, self.installed())
        self.run_("install", packages=("Spam",))
        self.assertEqual(["Spam==2.0", "eggs==3.1"], self.settings["packages"])
        self.assertEqual({"spam": "2.0", "eggs": "3.1"}, self.installed())
        self.assertRegex(self.run_("packages", json=False), r"spam +2.0 +\S+Z +file://.*whl\n")

    def test_not_installed(self) -> None:
        """What cannot be had is not recorded."""
        error = self.assertRaises(NotBuilt, self.run_, "install", packages=("ham==9",))
        self.assertIn("No matching distribution found for ham==9", str(error))
        self.assertNotIn("packages", self.settings)

    def test_rollback(self) -> None:
        """The way back is to what was there before; done again, it leads forth again."""
        wheel(self.wheels, "spam", "1.0")
        self.assertRaises(NoOtherEnvironment, self.run_, "rollback")
        self.run_("install", packages=())
        self.run_("install", packages=("spam",))
        self.assertEqual({"spam": "1.0"}, self.installed())
        self.run_("rollback")
        self.assertNotIn("packages", self.settings)
        self.assertNotIn("requirements", self.settings)
        self.assertEqual({}, self.installed())
        self.assertEqual(str(self.wheels), self.settings["find_links"][0])
        self.run_("rollback")
        self.assertEqual({"spam": "1.0"}, self.installed())

    def test_sentences(self) -> None:
        """What may go wrong is something that an operator can read."""
        for kind in (NotBuilt, NoEnvironment, NoOtherEnvironment):
            self.assertTrue(issubclass(kind, PopError))
