"""Clusters in trouble, in virtual time; L{pop.test.stories} tells more of them."""

from twisted.internet.protocol import ProcessProtocol
from twisted.trial.unittest import SynchronousTestCase

from pop.program import Launch, Program
from pop.test.promises import WrongTurn
from pop.test.stories import Story
from pop.test.telling import told_well


class StoriesTests(SynchronousTestCase):
    """Whatever happens, nothing runs twice or where it should not, and in the end all is well."""

    def test_some(self) -> None:
        """These go well."""
        told_well(self, Story, range(25))

    def test_more(self) -> None:
        """And these."""
        told_well(self, Story, range(25, 50))

    def test_many(self) -> None:
        """And these."""
        told_well(self, Story, range(50, 75))

    def test_the_last(self) -> None:
        """And these."""
        told_well(self, Story, range(75, 100))

    def test_the_same_again(self) -> None:
        """A number is all that it takes to be told the same story."""
        self.assertEqual(Story(7).tell(), Story(7).tell())


class WrongTurnTests(SynchronousTestCase):
    """What must not be is seen."""

    def setUp(self) -> None:
        self.story = Story(1)
        self.host = self.story.estate.hosts["m1"]
        self.addCleanup(self.story.estate.world.close)

    def spawn(self) -> None:
        """Start something that nobody asked for."""
        self.host.spawner.spawn("web", Launch(Program(("x",))), ProcessProtocol())

    def test_second_copy(self) -> None:
        """Two processes in one slot."""
        self.spawn()
        self.story.promises.check()
        self.spawn()
        self.assertIn("second copy", str(self.assertRaises(WrongTurn, self.story.promises.check)))

    def test_unwanted(self) -> None:
        """A process that is not wanted, on a machine whose agent is in no trouble."""
        self.host.start()
        self.spawn()
        self.story.estate.advance(10)
        error = self.assertRaises(WrongTurn, self.story.estate.advance, 10)
        self.assertIn("not wanted", str(error))
        self.host.kill()
