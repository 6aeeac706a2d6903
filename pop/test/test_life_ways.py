"""An instance's life along random ways."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pop.events import (
    Adopted,
    AskToStop,
    Deed,
    Elapsed,
    Event,
    Exited,
    Failed,
    Kill,
    Notified,
    Passed,
    Refused,
    Spawn,
    Spawned,
    Unhealthy,
    Unwanted,
    Wake,
    Wanted,
)
from pop.life import RUNS, Life, Phase, step
from pop.policy import NEVER, ON_FAILURE, Checks, Restarts
from pop.program import Launch, Program

PLAIN = Launch(Program(("plain",), state={"port": 80}), stop_signal="INT", grace_period=5.0)
TALKER = Launch(Program(("talker",), notifies=True))
OTHER = Launch(Program(("other",)))
CHECKED = Launch(Program(("checked",)), checks=Checks(readiness="tcp:80"))
ONCE = Launch(Program(("once",)), restarts=Restarts(NEVER))
FRAGILE = Launch(Program(("fragile",)), restarts=Restarts(ON_FAILURE, max_failures=2))


class Driver:
    """What an instance does with a life, without processes: keeps what it is told to."""

    def __init__(self) -> None:
        self.life = Life()
        self.now = 0.0
        self.running: Launch | None = None
        self.timer: float | None = None
        self.wish: Launch | None = None
        self.killed = False

    def possible(self) -> list[type[Event]]:
        """The events that the world can bring about just now."""
        kinds: list[type[Event]] = [Wanted, Unwanted]
        if self.running:
            kinds += [Notified, Passed, Failed, Unhealthy, Exited]
        elif self.life.phase is Phase.STOPPED:
            kinds.append(Adopted)
        if self.timer is not None:
            kinds.append(Elapsed)
        return kinds

    def happens(self, event: Event, refuse: bool, chance: float) -> None:
        """Take a step and do its deeds."""
        if isinstance(event, Elapsed) and self.timer is not None:
            self.now = max(self.now, self.timer)
        if isinstance(event, Exited):
            self.running = None
        elif isinstance(event, Adopted):
            self.running = event.launch
        before = self.life.phase
        self.life, deeds = step(self.life, event, now=self.now, chance=chance)
        if self.life.phase is not before or isinstance(event, Elapsed):
            self.timer = None
        for deed in deeds:
            self._do(deed, refuse, chance)

    def _do(self, deed: Deed, refuse: bool, chance: float) -> None:
        match deed:
            case Spawn(launch):
                assert self.running is None, "two processes at once"
                if refuse:
                    self.happens(Refused("no"), refuse, chance)
                else:
                    self.running, self.killed = launch, False
                    self.happens(Spawned(7), refuse, chance)
            case AskToStop(signal):
                assert self.running and signal == self.running.stop_signal
            case Kill():
                assert self.running, "nothing to kill"
                self.killed = True
            case Wake(after):
                assert after >= 0
                self.timer = self.now + after


EVENT = st.one_of(
    st.sampled_from([PLAIN, TALKER, OTHER, CHECKED, ONCE, FRAGILE]).map(Wanted),
    st.builds(Adopted, st.sampled_from([PLAIN, TALKER, CHECKED]), st.just(7), st.booleans()),
    st.just(Unwanted("held")),
    st.sampled_from([Notified(), Notified(True), Notified(state={"port": 1})]),
    st.sampled_from([Notified(stopping=True), Passed(), Failed("no"), Unhealthy("no")]),
    st.booleans().map(lambda success: Exited("exited", success)),
    st.just(Elapsed()),
)
WAY = st.lists(st.tuples(EVENT, st.booleans(), st.floats(0, 1), st.floats(0, 20)), max_size=40)
"""Events, whether a start is refused then, chance, and the seconds that pass before."""


class AnyWayTests(SynchronousTestCase):
    """What holds whatever happens, in whatever order."""

    @settings(max_examples=100, deadline=None)
    @given(WAY)
    def test_invariants(self, way: list[tuple[Event, bool, float, float]]) -> None:
        """A life never runs two processes, never forgets its wish, and never gets stuck."""
        driver = Driver()
        for event, refuse, chance, passed in way:
            driver.now += passed
            if type(event) in driver.possible():
                if isinstance(event, Wanted | Unwanted | Adopted):
                    driver.wish = getattr(event, "launch", None)
                driver.happens(event, refuse, chance)
                self.check(driver)

    def check(self, driver: Driver) -> None:
        """The invariants."""
        life, phase = driver.life, driver.life.phase
        self.assertEqual(driver.wish, life.wanted, "the last wish is what will run")
        self.assertEqual(driver.running, life.running)
        self.assertEqual(driver.running is not None, life.pid is not None)
        self.assertEqual(phase in RUNS or phase is Phase.STOPPING, bool(life.running))
        self.assertEqual(phase is Phase.STOPPED, life.wanted is None and not life.running)
        self.assertTrue(life.since <= driver.now)
        if phase is Phase.READY:
            self.assertIsNotNone(life.state)
        elif phase not in RUNS:
            self.assertIsNone(life.state)
        if phase in (Phase.BACKING_OFF, Phase.FAILED):
            self.assertEqual(life.until, driver.timer, "it would wait for ever")
        elif phase is Phase.STARTING:
            self.assertIsNotNone(driver.timer, "it would start for ever")
        elif phase is Phase.STOPPING:
            self.assertTrue(driver.killed or driver.timer is not None)
        elif phase is Phase.READY:
            due = driver.timer is not None
            self.assertEqual(life.failures.in_a_row > 0, due, "they would never be forgiven")
        else:
            self.assertIsNone(driver.timer)

    @settings(max_examples=100, deadline=None)
    @given(WAY)
    def test_rest(self, way: list[tuple[Event, bool, float, float]]) -> None:
        """After a stop and the end of the process nothing runs and nothing is due, for good."""
        driver = Driver()
        for event, refuse, chance, passed in way:
            driver.now += passed
            if type(event) in driver.possible():
                driver.happens(event, refuse, chance)
        driver.happens(Unwanted("held"), False, 0.5)
        if driver.running:
            driver.happens(Exited("exited"), False, 0.5)
        self.assertEqual(
            (Phase.STOPPED, None, None, None),
            (driver.life.phase, driver.life.wanted, driver.running, driver.timer),
        )
