"""Rolls in trouble, in virtual time; L{pop.test.rolls} tells more of them."""

from twisted.trial.unittest import SynchronousTestCase

from pop.test.promises import WrongTurn
from pop.test.rolls import Rolled, RollStory
from pop.test.telling import told_well


class RollStoriesTests(SynchronousTestCase):
    """Whatever happens: by a roll, never more than a batch is out of service, and it ends."""

    def test_some(self) -> None:
        """These go well."""
        told_well(self, RollStory, range(10))

    def test_more(self) -> None:
        """And these."""
        told_well(self, RollStory, range(10, 20))


class WrongTurnTests(SynchronousTestCase):
    """What must not be is seen."""

    def test_too_many(self) -> None:
        """More than a batch that were ready are stopped."""
        story = RollStory(1)
        estate = story.estate
        self.addCleanup(estate.world.close)
        story.batch = 1
        for host in estate.hosts.values():
            host.start()
        story.add()
        for name in ("m1", "m2"):
            spawner = estate.hosts[name].spawner
            assert isinstance(spawner, Rolled)
            self.assertFalse(spawner.is_out)
            spawner["web"].signals.append("TERM")
        self.assertIn("['m1', 'm2']", str(self.assertRaises(WrongTurn, story.check)))
        for host in estate.hosts.values():
            host.kill()
