"""What answers administrators: made when the first one comes, and ended with the agent."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import TestCase

from pop.catalogue import load_types
from pop.journal import Entry
from pop.model import AgentInfo, Service, dump
from pop.office import Office
from pop.statedir import StateDirectory
from pop.test.chores import Heard
from pop.test.processes import Nursery

LIGHT = """
import sys
import pop.office
print(sorted({"pop.administration", "pop.taskruns", "pop.taskprocess"} & sys.modules.keys()))
"""


class Agent:
    """One that wants a Plone here, which need not run."""

    machine = "m1"

    async def wish(self, service: str) -> Service:
        return Service(service, "plone4", {}, ("m1",))


class OfficeTests(TestCase):
    """The office of an agent with a state directory of its own."""

    timeout = 30

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.nursery = Nursery(self)
        self.aside = 0
        agent: Any = Agent()
        self.office = Office(
            reactor,
            agent,
            AgentInfo(7, "host", "/m1", "s", "2026-01-01T00:00:00.000Z"),
            StateDirectory(self.nursery.path),
            self.nursery.spawner,
            load_types(),
            self.in_thread,
        )

    def in_thread(self, work: Callable[[], Any]) -> Deferred[Any]:
        """Do it here and now, and count it."""
        self.aside += 1
        return maybeDeferred(work)

    def test_light(self) -> None:
        """An agent that nobody asks has not even the modules in its memory."""
        words = [sys.executable, "-c", LIGHT]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        self.assertEqual(("[]\n", ""), (done.stdout, done.stderr))

    def test_once(self) -> None:
        """All administrators are answered by the same."""
        self.assertIs(self.office.administration, self.office.administration)

    async def test_files(self) -> None:
        """It knows the agent's files, and reads them where that may take its time."""
        entry = Entry("2026-01-01T00:00:00.000Z", "web", "stopped", "ready", "deployed")
        journal = StateDirectory(self.nursery.path).journal
        journal.write_bytes(dump(entry.to_object()) + b"\n")
        self.assertEqual([entry.to_object()], await self.office.administration.why("web"))
        self.assertEqual(1, self.aside)
        heard = Heard()
        self.nursery.log().write_text("one\n")
        await self.office.administration.logs("web", -1, False, heard)
        self.assertEqual({"web": b"one\n"}, heard.found)

    async def test_task(self) -> None:
        """A task is run as the service's own type has it, in the instance's directory."""
        heard = Heard()
        directory = self.nursery.path / "services" / "web"
        directory.mkdir()
        (directory / "admin-password").write_text("open sesame\n")
        done = await self.office.administration.run("web", "password", [], heard)
        self.assertEqual((0, "open sesame\n"), (done["status"], heard.text("stdout")))

    async def test_closed(self) -> None:
        """With the agent ends what was begun for administrators."""
        running = self.office.administration.run("web", "password", [], Heard())
        await self.office.close()
        self.assertTrue(running.called)
        self.assertIsNone(await running)

    def test_closed_idle(self) -> None:
        """Where nothing was begun, there is nothing to wait for, nor to be made for that."""
        self.successResultOf(self.office.close())
        self.assertNotIn("_runs", vars(self.office))
        self.assertTrue(self.office.administration)
        self.successResultOf(self.office.close())
