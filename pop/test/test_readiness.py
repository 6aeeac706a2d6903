"""When an instance is ready, and when no more."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from pop.events import Adopted, Event, Failed, Notified, Passed, Spawned, Unwanted, Wake
from pop.life import Life, Phase, step
from pop.policy import Checks
from pop.program import Launch, Program

PLAIN = Launch(Program(("plain",), state={"port": 80}))
TALKER = Launch(Program(("talker",), notifies=True))
CHECKED = replace(PLAIN, checks=Checks(readiness="tcp:80"))
BOTH = replace(TALKER, checks=Checks(readiness="tcp:80"))
WAIT = (Wake(60.0),)


def starting(launch: Launch) -> Life:
    """It was just asked to run."""
    return Life(Phase.STARTING, "deployed", launch, launch, since=10.0, began=10.0)


def after(launch: Launch, *events: Event) -> Life:
    """What becomes of it by events a second apart."""
    life = starting(launch)
    for number, event in enumerate((Spawned(7), *events)):
        life, _ = step(life, event, now=10.0 + number)
    return life


class ReadyTests(SynchronousTestCase):
    """What it takes to be ready."""

    def test_spawned(self) -> None:
        """What is to be waited for has a start timeout; what needs nothing is ready at once."""
        for launch, deeds in ((PLAIN, ()), (TALKER, WAIT), (CHECKED, WAIT), (BOTH, WAIT)):
            self.assertEqual(deeds, step(starting(launch), Spawned(7), now=10.0)[1])

    def test_check(self) -> None:
        """A check that passes makes it ready, with the state of its type."""
        life = after(CHECKED, Passed())
        self.assertEqual(
            (Phase.READY, {"port": 80}, 11.0, 11.0, "deployed"),
            (life.phase, life.state, life.since, life.up, life.why),
        )

    def test_check_does_not_pass(self) -> None:
        """Until then it is starting, and what is amiss is kept."""
        life = after(CHECKED, Failed("no answer"))
        self.assertEqual((Phase.STARTING, "no answer"), (life.phase, life.doubt))
        self.assertEqual(Phase.READY, step(life, Passed(), now=12.0)[0].phase)

    def test_reason(self) -> None:
        """What a check last found wrong is shown as long as it keeps it from being ready."""
        seen = (Failed("refused"), Failed("404"), Passed(), Failed("503"), Failed("no answer"))
        reasons = [after(CHECKED, *seen[:number]).reason for number in range(6)]
        self.assertEqual(["deployed", "deployed; refused", "deployed; 404"], reasons[:3])
        self.assertEqual(["deployed", "503", "no answer"], reasons[3:])
        life = after(CHECKED, Passed(), Notified(stopping=True), Failed("refused"))
        self.assertEqual("it says that it is stopping", life.reason)

    def test_both(self) -> None:
        """What notifies and is checked needs both, in any order."""
        self.assertEqual(Phase.STARTING, after(BOTH, Passed()).phase)
        self.assertEqual(Phase.STARTING, after(BOTH, Notified(ready=True)).phase)
        self.assertEqual(Phase.READY, after(BOTH, Passed(), Notified(ready=True)).phase)
        self.assertEqual(Phase.READY, after(BOTH, Notified(ready=True), Passed()).phase)
        late = after(BOTH, Passed(), Failed("no answer"), Notified(ready=True))
        self.assertEqual(Phase.STARTING, late.phase)

    def test_status(self) -> None:
        """Its last line for people is kept, whatever else it says."""
        life = after(TALKER, Notified(status="warming up"), Notified(ready=True))
        self.assertEqual((Phase.READY, "warming up"), (life.phase, life.said))


class NotReadyTests(SynchronousTestCase):
    """What was ready may be so no more."""

    def test_check(self) -> None:
        """A readiness check that fails takes it away; nothing is stopped."""
        life = after(CHECKED, Passed(), Failed("no answer"))
        self.assertEqual(
            (Phase.NOT_READY, "no answer", 12.0, 7), (life.phase, life.why, life.since, life.pid)
        )

    def test_again(self) -> None:
        """One that passes again brings it back, with its state; its good run goes on."""
        life = after(CHECKED, Passed(), Failed("no answer"), Passed())
        self.assertEqual(
            (Phase.READY, {"port": 80}, 13.0, 11.0, "ready again: its readiness check passes"),
            (life.phase, life.state, life.since, life.up, life.why),
        )

    def test_stopping(self) -> None:
        """One that says that it is on its way out is not ready, until it says otherwise."""
        for launch in (PLAIN, TALKER):
            life = after(launch, Notified(ready=True), Notified(stopping=True), Notified())
            self.assertEqual(
                (Phase.NOT_READY, "it says that it is stopping"), (life.phase, life.why)
            )
            self.assertEqual(Phase.READY, step(life, Notified(ready=True), now=30.0)[0].phase)


class AdoptedTests(SynchronousTestCase):
    """What a predecessor started and left."""

    def adopted(self, launch: Launch, ready: bool) -> Life:
        """It was started 25 seconds ago."""
        life, deeds = step(Life(), Adopted(launch, 7, ready, {"port": 1}, 25.0), now=100.0)
        self.assertEqual(() if life.phase is Phase.READY else WAIT, deeds)
        return life

    def test_ready(self) -> None:
        """What was ready is, at once, with its state, though its check has not passed anew."""
        for launch in (PLAIN, TALKER, CHECKED, BOTH):
            life = self.adopted(launch, True)
            self.assertEqual((Phase.READY, {"port": 1}, 7), (life.phase, life.state, life.pid))
            self.assertEqual((launch, launch), (life.wanted, life.running))
            self.assertEqual((75.0, 75.0), (life.began, life.up))

    def test_not_ready(self) -> None:
        """What was not has its start timeout anew; it is ready when it says so."""
        life = self.adopted(TALKER, False)
        self.assertEqual(Phase.STARTING, life.phase)
        life, _ = step(life, Notified(ready=True), now=101.0)
        self.assertEqual((Phase.READY, {"port": 1}), (life.phase, life.state))

    def test_in_doubt(self) -> None:
        """What may have said so to the predecessor is ready when its check passes."""
        life, _ = step(self.adopted(BOTH, False), Passed(), now=101.0)
        self.assertEqual(Phase.READY, life.phase)

    def test_unwanted(self) -> None:
        """It is stopped like any other."""
        life, _ = step(self.adopted(PLAIN, True), Unwanted("undeployed"), now=101.0)
        self.assertEqual((Phase.STOPPING, None), (life.phase, life.wanted))
