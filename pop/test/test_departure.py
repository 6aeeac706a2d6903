"""What goes from a process to what it becomes."""

from twisted.trial.unittest import SynchronousTestCase

from pop.departure import HANDOVER, Inheritance


class InheritanceTests(SynchronousTestCase):
    """Descriptors, told by the environment."""

    def test_handed_over(self) -> None:
        """What is given is taken, once; the rest of the environment is left as it is."""
        given = Inheritance(7, {"web": {"tcp:80": 9}})
        environment = given.give({"HOME": "/"})
        self.assertEqual(given, Inheritance.take(environment))
        self.assertEqual({"HOME": "/"}, environment)
        self.assertEqual(Inheritance(), Inheritance.take(environment))

    def test_not_understood(self) -> None:
        """What another version gives that makes no sense here is passed over."""
        for text in ("{", "[]", '{"more": 1}', "null"):
            self.assertEqual(Inheritance(), Inheritance.take({HANDOVER: text}), text)
        self.assertEqual(Inheritance(7), Inheritance.take({HANDOVER: '{"lock": 7, "more": 1}'}))
