"""Looking after logs, in virtual time on real files."""

from collections.abc import Callable
from pathlib import Path

from twisted.internet.defer import Deferred, execute
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from pop.archives import archives
from pop.logkeeper import OFTEN, RARELY, SELDOM, LogKeeper
from pop.policy import Logs
from pop.rotation import rotate
from pop.test.test_rotation import RotationTestCase, contents


def at_once(work: Callable[[], None]) -> "Deferred[None]":
    """In this thread."""
    return execute(work)


class LogKeeperTests(RotationTestCase):
    """A keeper of one log."""

    def setUp(self) -> None:
        super().setUp()
        self.clock = Clock()
        self.policies = {"web": Logs(size=1000, keep=3)}
        self.keeper = self.make()
        self.keeper.start()
        self.clock.advance(0)

    def make(self) -> LogKeeper:
        """Another agent's."""
        return LogKeeper(
            self.log.parent, self.clock, self.wall, at_once, lambda: dict(self.policies)
        )

    def wall(self) -> float:
        """The time of day."""
        return 1e9 + self.clock.seconds()

    def test_size(self) -> None:
        """What is larger than it may be is rotated at the next look, what is smaller is not."""
        self.write(b"x" * 899 + b"\n")
        self.clock.advance(SELDOM)
        self.assertEqual([], archives(self.log))
        self.write(b"x" * 899 + b"\n")
        self.clock.advance(SELDOM)
        self.assertEqual(1, len(archives(self.log)))
        self.assertEqual(1800, len(contents(self.log)))

    def test_age(self) -> None:
        """What was rotated so long ago is again, be it small; the next agent counts on."""
        self.policies["web"] = Logs(age=3600.0)
        self.write(b"one\n")
        for _ in range(359):
            self.clock.advance(SELDOM)
        self.assertEqual([], archives(self.log))
        self.clock.advance(SELDOM)
        self.assertEqual(1, len(archives(self.log)))

    def test_bounded(self) -> None:
        """Only so many archives are kept, also after the setting was lowered."""
        for _ in range(6):
            self.write(b"x" * 1999 + b"\n")
            self.clock.advance(SELDOM)
        self.assertEqual(3, len(archives(self.log)))
        self.policies["web"] = Logs(size=1000, keep=1)
        self.write(b"x" * 1999 + b"\n")
        self.clock.advance(SELDOM)
        self.assertEqual(1, len(archives(self.log)))

    def test_flood(self) -> None:
        """Of what came all at once, what would not be kept is not archived first."""
        self.write(b"".join(b"%099d\n" % number for number in range(500)))
        self.clock.advance(SELDOM)
        self.assertEqual(3, len(archives(self.log)))
        lines = contents(self.log).splitlines()
        self.assertEqual(list(range(460, 500)), [int(line) for line in lines])

    def test_quick_writer(self) -> None:
        """What grows quickly is looked at more often."""
        self.write(b"x" * 599 + b"\n")
        self.clock.advance(SELDOM)
        self.write(b"x" * 599 + b"\n")
        self.clock.advance(OFTEN)
        self.assertEqual(1, len(archives(self.log)))

    def test_predecessor(self) -> None:
        """What a killed agent left half done is finished at the start."""
        self.write(b"one\n")
        rotate(self.log, 1e9, 1000)
        [archive] = archives(self.log)
        inode = self.log.stat().st_ino
        archive.rename(archive.with_name(f"{archive.name[:-3]}.{inode}.0.4.whole"))
        self.make().start()
        self.clock.advance(0)
        self.assertEqual([archive], archives(self.log))

    def test_trouble(self) -> None:
        """What cannot be written is said once, and tried again; nothing is lost."""
        with capturedLogs() as said:
            name = self.log.with_name("web.log-20010909T014650.000000Z.part")
            name.mkdir()  # in the way of the draft, and of what clears drafts away
            self.write(b"x" * 1999 + b"\n")
            for _ in range(3):
                self.clock.advance(SELDOM)
        self.assertEqual(1, len(said))
        self.assertEqual(2000, len(contents(self.log)))
        name.rmdir()
        self.clock.advance(SELDOM)
        self.assertEqual(1, len(archives(self.log)))

    def test_stopped(self) -> None:
        """After its end nothing is left on the clock."""
        self.keeper.stop()
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_absent(self) -> None:
        """An instance without a log, and one that goes away, are no trouble."""
        self.policies["other"] = Logs()
        self.clock.advance(SELDOM)
        self.policies.clear()
        self.clock.advance(SELDOM)
        self.assertEqual(1, len(self.clock.getDelayedCalls()))


class RestTests(RotationTestCase):
    """A keeper who is told when something is written."""

    def setUp(self) -> None:
        super().setUp()
        self.clock = Clock()
        self.policies = {"web": Logs(size=100_000, keep=3)}
        self.told: list[Callable[[], None]] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.keeper = LogKeeper(
            self.log.parent, self.clock, self.wall, at_once, lambda: self.policies, self.watch
        )
        self.keeper.start()
        self.clock.advance(0)

    def wall(self) -> float:
        """The time of day."""
        return 1e9 + self.clock.seconds()

    def watch(self, directory: Path, stirred: Callable[[], None]) -> Callable[[], None]:
        """Remember who waits."""
        self.assertEqual(self.log.parent, directory)
        self.told.append(stirred)
        self.meanwhile()
        return lambda: self.told.remove(stirred)

    def write_so_much(self, size: int) -> None:
        """Write it, and tell whoever waits."""
        self.write(b"x" * (size - 1) + b"\n")
        for stirred in self.told[:]:
            stirred()

    def looks_in(self) -> float:
        """How many seconds until the next look."""
        [call] = self.clock.getDelayedCalls()
        return call.getTime() - self.clock.seconds()

    def test_nobody_writes(self) -> None:
        """While nobody writes, there is a look every five minutes, and one who waits."""
        self.clock.advance(SELDOM)
        self.assertEqual((RARELY, 1), (self.looks_in(), len(self.told)))
        self.clock.advance(RARELY)
        self.assertEqual((RARELY, 1), (self.looks_in(), len(self.told)))

    def test_somebody_writes(self) -> None:
        """Once somebody writes, it is looked at as often as ever, until it rests again."""
        self.clock.advance(SELDOM)
        self.write_so_much(70_000)
        self.assertEqual((SELDOM, 0), (self.looks_in(), len(self.told)))
        self.clock.advance(SELDOM)
        self.assertEqual((OFTEN, 0), (self.looks_in(), len(self.told)))
        self.write_so_much(70_000)
        self.clock.advance(OFTEN)
        self.assertEqual(1, len(archives(self.log)))
        for _ in range(4):
            self.clock.advance(SELDOM)
        self.assertEqual(1, len(self.told))

    def test_just_before(self) -> None:
        """What is written between the look and the waiting is not overlooked."""
        self.meanwhile = lambda: self.write(b"x" * 199_999 + b"\n")
        self.clock.advance(SELDOM)
        self.meanwhile = lambda: None
        self.clock.advance(SELDOM)
        self.assertEqual(1, len(archives(self.log)))

    def test_old(self) -> None:
        """What is small and becomes old while nobody writes is rotated in time."""
        self.policies["web"] = Logs(age=1000.0)
        self.write_so_much(10)
        for _ in range(5):
            self.clock.advance(SELDOM)
        self.assertEqual(1, len(self.told))
        while self.clock.seconds() + self.looks_in() < 1000:
            self.clock.advance(self.looks_in())
        self.assertEqual([], archives(self.log))
        self.assertLess(self.looks_in(), RARELY)
        self.clock.advance(self.looks_in())
        self.assertEqual(1, len(archives(self.log)))

    def test_stopped(self) -> None:
        """After its end nobody waits, and nothing is left on the clock."""
        self.clock.advance(SELDOM)
        self.keeper.stop()
        self.assertEqual(([], []), (self.told, self.clock.getDelayedCalls()))
