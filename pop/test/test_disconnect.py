"""What goes on while ZooKeeper is away."""

from twisted.trial.unittest import SynchronousTestCase

from pop.disconnect import Absence
from pop.plan import Held, Unrunnable, Want
from pop.program import Launch, Program

GOES_ON = Launch(Program(("run",)))
UNRUNNABLE = Unrunnable("there is no such type")
HELD = Held("held by the operator")


def minding(seconds: float) -> Launch:
    """A service that must not outlast ZooKeeper by more than that."""
    return Launch(Program(("run",)), stop_after=seconds)


def judged(want: Want, seconds: float, *, known: bool = True) -> Want:
    """What becomes of one service, in a session of ten seconds."""
    return Absence(seconds, 10.0, known).judge({"web": want})["web"]


class AbsenceTests(SynchronousTestCase):
    """A session of ten seconds, and ZooKeeper is away."""

    def test_continue(self) -> None:
        """What does not mind goes on for ever, and what did not run does not begin to."""
        for want in (GOES_ON, UNRUNNABLE, HELD):
            for known in (True, False):
                self.assertEqual(want, judged(want, 1e9, known=known))

    def test_stop_after(self) -> None:
        """What minds is held as soon as it has been away for that long, and it is said why."""
        self.assertEqual(minding(5), judged(minding(5), 4.9))
        expected = Held("ZooKeeper has been away for 5 seconds", "ZooKeeper is back")
        self.assertEqual([expected, expected], [judged(minding(5), at) for at in (5, 60)])

    def test_before_the_session_ends(self) -> None:
        """However long it may, it is held in time to end before the session does."""
        self.assertEqual(minding(3600), judged(minding(3600), 6.6))
        self.assertIsInstance(judged(minding(3600), 6.7), Held)
        self.assertEqual([False, True], [Absence(at, 10.0).over for at in (8.9, 9.0)])

    def test_at_once(self) -> None:
        """It may ask not to run for a moment."""
        self.assertIsInstance(judged(minding(0), 0), Held)

    def test_unknown(self) -> None:
        """If nobody knows for how long it has been away, what minds is held at once."""
        expected = Held("ZooKeeper has not answered since the agent began", "ZooKeeper is back")
        self.assertEqual(expected, judged(minding(3600), 0, known=False))

    def test_look_again(self) -> None:
        """The next moment at which something changes is known."""
        wants: dict[str, Want] = {"a": minding(2), "b": minding(5), "c": GOES_ON, "d": HELD}
        moments = [Absence(at, 10.0).look_again(wants) for at in (0, 2, 5, 9)]
        self.assertEqual([2, 3, 4, None], moments)
        self.assertEqual(None, Absence(0, 10.0).look_again({"c": GOES_ON, "d": HELD}))
