"""Recipes of Python environments."""

from dataclasses import fields, replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pop.recipe import Recipe, distribution, is_bare, with_packages

OTHERS: dict[str, Any] = {
    "requirements": ("six==1.16.0",),
    "packages": ("lxml",),
    "find_links": ("/srv/wheels",),
    "index": "none",
    "python": "/usr/bin/python3",
    "imports": ("six",),
}


class RecipeTests(SynchronousTestCase):
    """What makes two of them the same."""

    def test_key(self) -> None:
        """Equal ones have the same key, in whatever process; any difference makes another."""
        self.assertEqual(Recipe(("a",)).key, Recipe(("a",)).key)
        self.assertEqual({field.name for field in fields(Recipe)}, set(OTHERS))
        keys = {Recipe().key, *(replace(Recipe(), **{k: v}).key for k, v in OTHERS.items())}
        self.assertEqual(len(OTHERS) + 1, len(keys))

    def test_noted(self) -> None:
        """One is read back as it was written, whatever else another version wrote."""
        recipe = Recipe(**OTHERS)
        self.assertEqual(recipe, Recipe.from_object({**recipe.to_object(), "later": 1}))
        self.assertEqual(Recipe(), Recipe.from_object({}))

    def test_merged(self) -> None:
        """A package on top counts instead of a requirement of the same name, however spelled."""
        recipe = Recipe(("Foo.Bar==1", "six", "/x/y.whl"), ("foo_bar==2", "lxml[html]>=5"))
        self.assertEqual(["/x/y.whl", "foo_bar==2", "lxml[html]>=5", "six"], recipe.merged())


class RequirementTests(SynchronousTestCase):
    """What is known of one without asking an installer."""

    def test_distribution(self) -> None:
        """The name before the version, the extras or the marker; paths and URLs have none."""
        for text in ("Six", "six==1", "six [a,b] >= 1", "six; python_version<'4'", "six @ file:x"):
            self.assertEqual("six", distribution(text), text)
        for text in ("/srv/six.whl", "https://x/six.whl", "git+https://x/six", "./six"):
            self.assertIsNone(distribution(text), text)

    def test_bare(self) -> None:
        """Any version will do only where nothing is said of it."""
        self.assertTrue(is_bare("six") and is_bare("lxml[html]"))
        self.assertFalse(is_bare("six==1") or is_bare("six<2") or is_bare("/srv/six.whl"))

    def test_more(self) -> None:
        """A later package replaces the one of the same name, in its place."""
        self.assertEqual(("A==2", "b"), with_packages(("a==1", "b"), ("A==2",)))
