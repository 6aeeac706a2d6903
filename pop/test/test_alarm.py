"""An alarm rings in time, but hears first what was said in time."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pop.alarm import Alarm


class AlarmTests(SynchronousTestCase):
    """One that is set to ten seconds."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.rung = 0
        self.alarm = Alarm(self.clock, 10.0, self.ring)

    def ring(self) -> None:
        """It rings."""
        self.rung += 1

    def test_rings(self) -> None:
        """It rings once, when the time is over; to stop it then is no mistake."""
        self.clock.advance(9.9)
        self.assertEqual(0, self.rung)
        self.clock.pump((0.1, 0, 0, 10.0))
        self.assertEqual(1, self.rung)
        self.alarm.stop()

    def test_stopped(self) -> None:
        """Stopped, it does not ring, and leaves nothing on the clock."""
        self.alarm.stop()
        self.assertEqual([], self.clock.getDelayedCalls())
        self.alarm.stop()
        self.clock.advance(10)
        self.assertEqual(0, self.rung)

    def test_heard_late(self) -> None:
        """Who was heard only because this process stood still had said it in time, and counts."""
        self.clock.callLater(10.5, self.alarm.stop)
        self.clock.advance(60)
        self.assertEqual(0, self.rung)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_stopped_at_the_last_moment(self) -> None:
        """It can be stopped between the end of its time and its ringing."""
        self.clock.callLater(10.0, self.alarm.stop)
        self.clock.advance(10)
        self.clock.advance(0)
        self.assertEqual(0, self.rung)
