"""Registrations in their order."""

from twisted.trial.unittest import SynchronousTestCase

from pop.components.framework import create_framework
from pop.components.properties import Properties
from pop.components.ranking import Ranking
from pop.components.reference import SCOPE_SINGLETON, SERVICE_RANKING, ServiceReference


class RankingTests(SynchronousTestCase):
    """Registrations that are walked from the best on."""

    def setUp(self) -> None:
        """Four of them, which rank the same."""
        owner = create_framework()
        self.four = [ServiceReference(id, owner, ("a",), SCOPE_SINGLETON) for id in range(4)]
        self.ranking = Ranking()
        for reference in self.four:
            self.rank(reference, 0)

    def rank(self, reference: ServiceReference, ranking: int) -> None:
        """It ranks so from now on."""
        reference.replace_properties(Properties({SERVICE_RANKING: ranking}))
        self.ranking.add(reference)

    def walked(self) -> list[int]:
        """The numbers of those that are met, in that order."""
        return [reference.id for reference in self.ranking.walk()]

    def test_order(self) -> None:
        """The highest ranking comes first, then the oldest, also of those that came late."""
        self.assertEqual([0, 1, 2, 3], self.walked())
        self.rank(self.four[2], 1)
        self.rank(self.four[0], -1)
        self.assertEqual([2, 1, 3, 0], self.walked())

    def test_once(self) -> None:
        """One that has moved away and come back is met once."""
        self.assertEqual([0, 1, 2, 3], self.walked())
        for ranking in (1, 0, 1, 0):
            self.rank(self.four[2], ranking)
        self.assertEqual([0, 1, 2, 3], self.walked())

    def test_left(self) -> None:
        """Those that have left are not met, wherever they were, and there is no best of none."""
        self.assertEqual([0, 1, 2, 3], self.walked())
        for gone, rest in ((0, [1, 2, 3]), (2, [1, 3]), (3, [1]), (1, [])):
            self.ranking.discard(self.four[gone])
            self.assertEqual(rest, self.walked())
        self.assertIs(None, self.ranking.best())
