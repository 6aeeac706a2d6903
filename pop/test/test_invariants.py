"""Settings that must go together."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Invalid, invariant
from zope.schema import Int

from pop.errors import ContradictorySettings
from pop.interfaces import ISettings
from pop.settings import validate


class IRange(ISettings):
    """Settings that must go together."""

    low = Int(title="Lowest", default=0)
    high = Int(title="Highest", default=9)

    @invariant
    def ordered(settings: Any) -> None:
        """The lowest is not above the highest."""
        if settings.low > settings.high:
            raise Invalid("low is above high.")


class InvariantTests(SynchronousTestCase):
    """What a type says of several settings together."""

    def test_kept(self) -> None:
        """Settings that go together are taken."""
        self.assertEqual(5, validate("range", IRange, {"low": 5}).low)

    def test_broken(self) -> None:
        """Settings that do not are refused with the type's own reason."""
        error = self.assertRaises(ContradictorySettings, validate, "range", IRange, {"low": 10})
        expected = 'These settings of type "range" do not go together: low is above high.'
        self.assertEqual(expected, str(error))
