"""What an agent answers to whoever administers it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from pop import __version__
from pop.administration import ASKED, Administration
from pop.errors import HeldHere, NoLog, NoSuchSignal, NoSuchTask, NotHere, PopError
from pop.interfaces import IAdministration
from pop.journal import Entry, Journal
from pop.model import AgentInfo
from pop.test.scripted import Reader
from pop.test.worlds import World


def at_once(work: Callable[[], Any]) -> Deferred[Any]:
    """Do what may block here and now."""
    return maybeDeferred(work)


class AdministrationTestCase(SynchronousTestCase):
    """A machine C{m1} with a service C{web} of two instances, and one C{held}."""

    def setUp(self) -> None:
        """Have them."""
        self.world = World()
        self.world.init()
        self.host = self.world.host("m1")
        self.world.add("web", "m1", processes=2)
        self.world.server.settle()
        self.directory = Path(self.mktemp())
        (self.directory / "log").mkdir(parents=True)
        self.admin = Administration(
            self.host.agent,
            AgentInfo(os.getpid(), "host", "/m1", "s", "2026-01-01T00:00:00.000Z"),
            self.directory,
            self.directory / "journal",
            self.world.clock,
            at_once,
        )
        self.addCleanup(self.world.close)

    def ask(self, asked: Deferred[Any]) -> Any:
        """What comes of it."""
        return self.world.server.run(asked)

    def refuse(self, kind: type[PopError], asked: Deferred[Any]) -> str:
        """The sentence that it is refused with."""
        try:
            self.ask(asked)
        except kind as error:
            return str(error)
        raise self.failureException(f"no {kind.__name__}")


class FactsTests(AdministrationTestCase):
    """What there is to be known."""

    def test_interface(self) -> None:
        """It can be asked all that an agent can."""
        verifyObject(IAdministration, self.admin)

    def test_info(self) -> None:
        """It tells of the agent."""
        info = self.ask(self.admin.info())
        self.assertGreater(info.pop("memory"), 1 << 20)
        self.assertGreaterEqual(info.pop("cpu"), 0.0)
        self.assertEqual(
            {
                "machine": "m1",
                "host": "host",
                "pid": os.getpid(),
                "version": __version__,
                "since": "2026-01-01T00:00:00.000Z",
                "zookeeper": True,
                "state_dir": "/m1",
                "services": 1,
                "instances": 2,
            },
            info,
        )

    def test_instances(self) -> None:
        """It tells of each instance, in order, with what it uses."""
        self.world.add("a", "m1")
        self.world.server.advance(5)
        found = self.ask(self.admin.instances())
        self.assertEqual(["a", "web", "web/2"], [each["slot"] for each in found])
        last = found[-1]
        for figure in ("cpu", "memory", "processes"):
            self.assertGreaterEqual(last.pop(figure), 0)
        self.assertGreater(last.pop("uptime"), 5.0)
        self.assertRegex(last.pop("since"), r"^1970-01-01T00:00:0.*Z$")
        self.assertRegex(last.pop("why"), "^deployed")
        pid = self.host.spawner["web/2"].pid
        self.assertEqual(
            {
                "slot": "web/2",
                "service": "web",
                "phase": "ready",
                "pid": pid,
                "restarts": 0,
            },
            last,
        )

    def test_one_service(self) -> None:
        """It tells of one service only, if asked; nothing of one that is not here."""
        found = self.ask(self.admin.instances("web"))
        self.assertEqual(["web", "web/2"], [each["slot"] for each in found])
        self.assertEqual([], self.ask(self.admin.instances("other")))

    def test_what_does_not_run(self) -> None:
        """An instance without a process has no pid, and uses nothing."""
        self.world.add("job", "m1", restart="never")
        self.world.server.settle()
        self.host.spawner["job"].exit(1)
        [job] = self.ask(self.admin.instances("job"))
        self.assertEqual(
            ("finished", None, None, 0), tuple(job[k] for k in ("phase", "pid", "uptime", "memory"))
        )

    def test_why(self) -> None:
        """It tells what its journal knows of a service."""
        journal = Journal(self.directory / "journal", self.world.clock)
        entries = [Entry("2026", slot, "stopped", "ready", pid=7) for slot in ("web", "b", "web/2")]
        for entry in entries:
            journal.add(entry)
        journal.flush()
        found = self.ask(self.admin.why("web"))
        self.assertEqual([entries[0].to_object(), entries[2].to_object()], found)


class DeedsTests(AdministrationTestCase):
    """What can be done."""

    def test_signal(self) -> None:
        """The main process of each instance gets it, or that of one."""
        self.assertEqual(2, self.ask(self.admin.signal("web", "HUP")))
        self.assertEqual(1, self.ask(self.admin.signal("web", "USR1", "web/2")))
        spawner = self.host.spawner
        self.assertEqual(["HUP"], spawner["web"].signals)
        self.assertEqual(["HUP", "USR1"], spawner["web/2"].signals)

    def test_no_such_signal(self) -> None:
        """What is no signal is refused."""
        self.assertIn("NONSENSE", self.refuse(NoSuchSignal, self.admin.signal("web", "NONSENSE")))

    def test_not_here(self) -> None:
        """What does not run here is refused, by name."""
        self.assertIn('"other"', self.refuse(NotHere, self.admin.signal("other", "HUP")))
        self.assertIn('"web/3"', self.refuse(NotHere, self.admin.restart("web", "web/3")))

    def test_restart(self) -> None:
        """All instances are stopped and started again, at once, and nobody asks why twice."""
        before = [process.pid for process in self.host.spawner.running()]
        self.assertEqual(2, self.ask(self.admin.restart("web")))
        self.world.server.settle()
        after = self.host.spawner.running()
        self.assertEqual(["web", "web/2"], [process.name for process in after])
        self.assertEqual(set(), set(before) & {process.pid for process in after})
        rows = self.ask(self.admin.instances("web"))
        self.assertEqual([ASKED] * 2, [row["why"] for row in rows])
        self.assertEqual("ready", self.world.phase("web"))

    def test_restart_one(self) -> None:
        """Or one of them is."""
        self.assertEqual(1, self.ask(self.admin.restart("web", "web/2")))
        self.world.server.settle()
        self.assertEqual([False, True], [p.signals == [] for p in self.host.spawner.spawned[1:]])
        self.assertEqual([], self.host.spawner["web"].signals)

    def test_restart_what_failed(self) -> None:
        """What waits to be started again does not wait any more."""
        self.world.add("job", "m1", restart="never")
        self.world.server.settle()
        self.host.spawner["job"].exit(1)
        self.assertEqual(1, self.ask(self.admin.restart("job")))
        self.world.server.settle()
        self.assertEqual("ready", self.world.phase("job"))

    def test_restart_held(self) -> None:
        """What should not run is not started."""
        self.world.write(self.world.paths.target("web"), '{"run": false}')
        self.world.server.settle()
        self.refuse(HeldHere, self.admin.restart("web"))
        self.assertEqual([], self.host.spawner.running())

    def test_no_tasks(self) -> None:
        """A task that there is not is refused."""
        self.refuse(NoSuchTask, self.admin.run("web", "pack", [], Reader()))


class LogsTests(AdministrationTestCase):
    """What instances have written."""

    def write(self, name: str, text: bytes) -> None:
        """An instance writes."""
        with open(self.directory / "log" / name, "ab") as file:
            file.write(text)

    def test_last_lines(self) -> None:
        """The last lines of each instance, and that is all."""
        self.write("web.log", b"1\n2\n3\n")
        self.write("web.log.2", b"4\n")
        reader = Reader()
        self.assertIsNone(self.ask(self.admin.logs("web", 2, False, reader)))
        self.assertEqual([("web", b"2\n3\n"), ("web/2", b"4\n")], reader.taken)

    def test_all(self) -> None:
        """All lines, if so asked, however many there are."""
        text = b"".join(b"line %d\n" % n for n in range(100_000))
        self.write("web.log", text)
        reader = Reader()
        self.ask(self.admin.logs("web", -1, False, reader))
        self.assertEqual(text, reader.text("web"))

    def test_follow(self) -> None:
        """What is written later, and by instances that come later, until it is cancelled."""
        self.write("web.log", b"1\n2\n")
        reader = Reader()
        asked = self.admin.logs("web", 1, True, reader)
        self.world.server.advance(1)
        self.write("web.log", b"3\n")
        self.write("web.log.2", b"4\n")
        self.world.server.advance(1)
        self.assertEqual(b"2\n3\n", reader.text("web"))
        self.assertEqual(b"4\n", reader.text("web/2"))
        self.assertNoResult(asked)
        asked.cancel()
        self.failureResultOf(asked, CancelledError)

    def test_slow_reader(self) -> None:
        """No more is read than the reader takes."""
        self.write("web.log", b"x" * 10_000_000)
        reader = Reader(slow=True)
        asked = self.admin.logs("web", -1, True, reader)
        self.world.server.advance(10)
        self.assertEqual(1, len(reader.taken))
        asked.cancel()
        self.failureResultOf(asked, CancelledError)

    def test_no_log(self) -> None:
        """A service that has none here is refused."""
        self.refuse(NoLog, self.admin.logs("other", 10, True, Reader()))
