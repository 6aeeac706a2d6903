"""Environments that are really made, by pip, from wheels that the tests make."""

import json
import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from pop.construction import also, construct, recipe_of, tidy
from pop.distributions import installed, table
from pop.environments import Environments, is_complete, leftovers, links
from pop.errors import NotBuilt, NotSpawned
from pop.installer import NOWHERE, Pip, installer, words
from pop.recipe import Recipe
from pop.test.wheels import wheel


class ConstructionTests(SynchronousTestCase):
    """The environments of one service."""

    def setUp(self) -> None:
        self.state = Path(self.mktemp())
        self.state.mkdir()
        self.wheels = self.state / "wheels"
        self.wheels.mkdir()
        self.environments = Environments(self.state.absolute())
        self.environments.make("web", None, None)
        self.own = self.environments.of("web")
        self.said: list[str] = []

    def recipe(self, *requirements: str, imports: tuple[str, ...] = ()) -> Recipe:
        """One that takes everything from the tests' wheels."""
        places = (str(self.wheels.absolute()),)
        return Recipe(requirements, find_links=places, index=NOWHERE, imports=imports)

    def build(self, recipe: Recipe) -> Path:
        """Build it with pip."""
        return construct(self.own, recipe, Pip(), self.said.append)

    def refuse(self, recipe: Recipe) -> str:
        """It cannot be built, nothing is left of it, and why."""
        error = self.assertRaises(NotBuilt, self.build, recipe)
        self.assertFalse(is_complete(self.own, recipe))
        self.assertEqual([], list(leftovers(self.own)))
        return str(error)

    def test_built(self) -> None:
        """It has what was required and runs it; it is found by its recipe, and built only once."""
        wheel(self.wheels, "spam", "1.0", requires=("eggs>=2",))
        wheel(self.wheels, "eggs", "2.1")
        recipe = self.recipe("spam", imports=("spam", "spam:VERSION"))
        self.assertRaises(NotSpawned, self.environments.used, "web", recipe)
        self.build(recipe)
        self.environments.used("web", recipe)
        variables = self.environments.variables("web", recipe, "/bin")
        output = subprocess.run(
            ["python", "-c", "import sys, eggs; print(sys.prefix, eggs.VERSION)"],
            env={"PATH": variables["PATH"]},
            capture_output=True,
            text=True,
            check=True,
        )
        self.assertEqual(f"{variables['VIRTUAL_ENV']} 2.1\n", output.stdout)
        self.assertEqual(recipe, recipe_of(self.environments.find("web", recipe)))
        before = len(self.said)
        self.build(recipe)
        self.assertEqual(before, len(self.said))

    def test_listed(self) -> None:
        """What is installed is told with version, time and source, as a table and as JSON."""
        made = wheel(self.wheels, "spam", "1.0")
        wheel(self.wheels, "eggs", "2.1")
        found = installed(self.build(self.recipe(str(made.absolute()), "eggs")))
        self.assertEqual(["eggs", "spam"], [each.name for each in found])
        self.assertIn("file://", found[0].to_object()["source"])
        self.assertEqual(made.absolute().as_uri(), found[1].to_object()["source"])
        self.assertEqual(
            ["2.1", "1.0"], [json.loads(json.dumps(f.to_object()))["version"] for f in found]
        )
        self.assertRegex(table(found), r"NAME +VERSION +INSTALLED +SOURCE\neggs +2\.1 +2\d{3}-.*Z ")

    def test_not_to_be_had(self) -> None:
        """What there is no distribution of is named, in the installer's words."""
        said = self.refuse(self.recipe("spam==9"))
        self.assertIn("No matching distribution found for spam==9", said)
        self.assertTrue(any("spam==9" in line for line in self.said))

    def test_not_together(self) -> None:
        """Requirements that exclude each other are refused."""
        wheel(self.wheels, "spam", "1.0", requires=("eggs<2",))
        wheel(self.wheels, "eggs", "2.1")
        self.assertIn("eggs", self.refuse(self.recipe("spam", "eggs==2.1")))

    def test_not_imported(self) -> None:
        """What cannot be imported is not good for anything."""
        wheel(self.wheels, "spam", "1.0", code="import no_such_thing\n")
        said = self.refuse(self.recipe("spam", imports=("spam:main",)))
        self.assertIn("No module named 'no_such_thing'", said)
        self.assertIn("No module named 'ham'", self.refuse(self.recipe("spam", imports=("ham",))))

    def test_no_interpreter(self) -> None:
        """An interpreter that is not there is named."""
        self.assertIn("/no/such/python", self.refuse(Recipe(python="/no/such/python")))

    def test_without_requirements(self) -> None:
        """With nothing in it, it is a Python all the same."""
        self.assertEqual([], installed(self.build(self.recipe(imports=("http.server",)))))

    def test_two_names(self) -> None:
        """What was asked for loosely is found by what came of it, too; and is one environment."""
        wheel(self.wheels, "spam", "1.0")
        loose, exact = self.recipe("spam"), self.recipe("spam==1.0")
        self.build(loose)
        also(self.own, loose, exact)
        self.assertEqual(exact, recipe_of(self.environments.find("web", exact)))
        self.assertEqual(1, len(self.environments.places("web")))

    def test_left_half_made(self) -> None:
        """What a killed build left is removed by the next; what another is making is not."""
        self.build(self.recipe())
        (self.own / "half").mkdir()
        maker = subprocess.Popen(
            [sys.executable, "-c", _HOLD, str(self.own / "busy")], stdout=subprocess.PIPE
        )
        with maker:
            assert maker.stdout is not None
            maker.stdout.readline()
            tidy(self.own)
            self.assertEqual(["busy"], [path.name for path in leftovers(self.own)])
            maker.kill()
        self.assertTrue(self.environments.has("web", self.recipe()))

    def test_used_last(self) -> None:
        """Those that were used last are kept, beside what is in use."""
        recipes = [Recipe(python=name) for name in "abcde"]
        for number, recipe in enumerate(recipes):
            (self.own / f"made-{number}" / "bin").mkdir(parents=True)
            (self.own / f"made-{number}" / "bin" / "python").touch()
            (self.own / recipe.key).symlink_to(f"made-{number}")
            os.utime(self.own / recipe.key, (number, number), follow_symlinks=False)
        keys = [recipe.key for recipe in recipes]
        self.assertEqual(keys[::-1], [path.name for path in links(self.own)])
        unused = self.environments.unused("web", {keys[0], keys[4]})
        self.assertEqual([keys[1]], [path.name for path in unused])
        self.environments.used("web", recipes[1])
        self.assertEqual(keys[1], links(self.own)[0].name)


_HOLD = """
import fcntl, os, sys, time
os.mkdir(sys.argv[1])
fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""


class WordsTests(SynchronousTestCase):
    """The heart of what was said of a failure."""

    def test_pip(self) -> None:
        """pip marks its errors; of two the same one is told."""
        said = words(
            ["Looking in links", "ERROR: No a", "ERROR: No a", "WARNING: old", "[notice] x"]
        )
        self.assertEqual("No a", said)

    def test_uv(self) -> None:
        """uv tells the cause; some versions of it draw a tree."""
        said = words(
            ["Using Python", "error: No solution found", "  cause: Because a is not there."]
        )
        self.assertEqual("No solution found; Because a is not there", said)
        said = words(
            [
                "  \u00d7 No solution found:",
                "  \u2570\u2500\u25b6 Because a is not there",
                "      we cannot.",
            ]
        )
        self.assertEqual("No solution found: Because a is not there we cannot", said)

    def test_python(self) -> None:
        """The last line of a traceback says it."""
        self.assertEqual("ImportError: x", words(["Traceback", "  File", "ImportError: x", ""]))

    def test_long(self) -> None:
        """A novel is cut short."""
        self.assertEqual(403, len(words(["ERROR: " + "x" * 5000])))

    def test_chosen(self) -> None:
        """uv is used where there is one."""
        place = Path(self.mktemp())
        place.mkdir()
        self.assertEqual("pip", installer(str(place)).name)
        (place / "uv").write_text("#!/bin/sh\n")
        (place / "uv").chmod(0o755)
        self.assertEqual("uv", installer(str(place)).name)
