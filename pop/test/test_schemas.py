"""Schemas of settings: which is which."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.interface import InterfaceClass
from zope.schema import Int

from pop.interfaces import ISettings
from pop.settings import fields, validate


class SameNameTests(SynchronousTestCase):
    """Two schemas may have one name, as when a module is loaded anew."""

    def test_apart(self) -> None:
        """Each has its own fields and defaults."""

        def make(default: int) -> Any:
            field = Int(title="A number.", default=default)
            return InterfaceClass("ISame", (ISettings,), {f"field{default}": field})

        one, other = make(1), make(2)
        self.assertEqual(1, validate("same", one, {}).field1)
        self.assertEqual(2, validate("same", other, {}).field2)
        self.assertIn("field2", fields(other))
