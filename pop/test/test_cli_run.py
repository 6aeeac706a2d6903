"""C{pop run} and C{pop runs}: real commands, real agents, real tasks."""

import json
import os
import signal
import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from pop.test.chores import drop
from pop.test.shells import EmbeddedTestCase, Shell, alive


class Typed(ProcessProtocol):
    """A command that goes on while a test looks at it.

    @ivar ended: fires with its exit status.
    """

    def __init__(self, shell: Shell, *words: str) -> None:
        self.output = b""
        self.ended: Deferred[int] = Deferred()
        self._shell = shell
        command = [sys.executable, "-m", "pop", *words]
        shell.reactor.spawnProcess(self, command[0], command, shell.environment)

    def outReceived(self, data: bytes) -> None:
        self.output += data

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        error: Any = reason.value
        status = 0 if isinstance(error, ProcessDone) else (error.exitCode or -error.signal)
        self.ended.callback(status)

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.transport.signalProcess("INT")  # type: ignore[union-attr]

    async def says(self, words: bytes) -> None:
        """Wait until it has printed that."""

        async def look() -> bool:
            return words in self.output

        await self._shell.until(look)


class RunTests(EmbeddedTestCase):
    """Two machines with a service that has tasks."""

    timeout = 240

    def setUp(self) -> None:
        super().setUp()
        self.path = str(drop(self))
        self.one = self.on("m1")
        self.two = self.on("m2")

    def on(self, machine: str) -> Shell:
        """A machine where the type is installed."""
        shell = self.shell(machine)
        shell.environment["PYTHONPATH"] = self.path
        return shell

    async def begin(self) -> None:
        """Have the service run on both."""
        shell = self.one
        await shell.pop("init")
        await shell.pop("add", "chores", "--name", "web", "--environment", "A=1")
        for each in (self.one, self.two):
            await each.pop("start")
            self.addCleanup(self.stop, each)
            await each.pop("deploy", "web", "--wait")

    async def stop(self, shell: Shell) -> None:
        """End an agent, with all that it runs."""
        await shell.try_pop("stop")

    def test_all(self) -> Deferred[None]:
        """The story of a service's tasks."""
        return Deferred.fromCoroutine(self.story())

    async def story(self) -> None:
        await self.begin()
        await self.check_list()
        await self.check_everywhere()
        await self.check_rolling()
        await self.check_one()
        await self.check_settings()
        await self.check_turns()
        await self.check_runs()
        await self.check_gone()

    async def check_list(self) -> None:
        """What can be done is listed and explained."""
        listed = await self.one.pop("run", "web")
        self.assertRegex(listed, r"shout WORDS\.\.\. \[--times\] \[--loud\] +Shout\. +on all")
        self.assertRegex(listed, r"look +Say where and who one is\. +on one machine")
        found = json.loads(await self.one.pop("--json", "run", "web"))
        self.assertEqual({"words": "What to say"}, found["shout"]["arguments"])
        explained = await self.one.pop("run", "web", "shout", "--help")
        for part in ("Shout.", "WORDS are shouted.", "--times INTEGER", "--no-wait"):
            self.assertIn(part, explained)
        self.assertIn("did you mean", await self.one.refuse("run", "web", "shuot"))
        self.assertIn("at least 1", await self.one.refuse("run", "web", "shout", "a", "--times=0"))
        self.assertIn("--x", await self.one.refuse("run", "web", "shout", "--x", status=2))

    async def check_everywhere(self) -> None:
        """On all machines, labelled; the status is the first that is not 0."""
        said = await self.one.pop("run", "web", "shout", "a b", "--loud")
        self.assertEqual(["m1 | a b !", "m2 | a b !"], sorted(said.splitlines()))
        status, out, err = await self.one.try_pop("run", "web", "slowly")
        self.assertEqual((5, ""), (status, out))
        for line in ("m1: part 3: 3 of 3 (100%)", "m2: part 1: 1 of 3 (33%)", "pop: m2: status 5"):
            self.assertIn(line, err.splitlines())

    async def check_rolling(self) -> None:
        """One after the other, up to the first that fails."""
        said = await self.one.pop("run", "web", "shout", "a", "--rolling")
        self.assertEqual(["m1 | a .", "m2 | a ."], said.splitlines())
        status, _, err = await self.one.try_pop("run", "--rolling", "--batch", "1", "web", "slowly")
        self.assertEqual(5, status)
        self.assertIn("pop: Stopped at m1: status 5. It was not begun on m2.", err.splitlines())
        for words in (("--batch", "2"), ("--rolling", "--once")):
            await self.one.refuse("run", "web", "shout", "a", *words, status=2)

    async def check_one(self) -> None:
        """On one of them, as it comes."""
        here = str(self.two.environment["POP_STATE_DIR"])
        for words in (
            ("run", "--machine", "m2", "web", "look"),
            ("run", "web", "look", "--machine", "m2"),
        ):
            said = (await self.one.pop(*words)).splitlines()
            self.assertEqual(f"web m2 red {here}", said[0])
        self.assertIn("web m2", await self.two.pop("run", "web", "look"))
        found = json.loads(await self.one.pop("--json", "run", "web", "shout", "x", "--once"))
        result = {"status": 0, "problem": None, "stdout": "x .\n", "stderr": ""}
        self.assertEqual({"m1": result}, found["machines"])
        refused = await self.one.refuse("run", "web", "look", "--machine", "m3")
        self.assertIn("m3", refused)

    async def check_settings(self) -> None:
        """What a task records is what the service has, on all machines."""
        status, _, err = await self.one.try_pop("run", "web", "paint")
        self.assertEqual((0, "pop: Changed settings of web: colour, umask.\n"), (status, err))
        settings = json.loads(await self.one.pop("--json", "status", "web"))["settings"]
        self.assertEqual("blue", settings["colour"])

    async def check_turns(self) -> None:
        """The second waits; Ctrl-C ends the first, wherever it runs, and lets the second begin."""
        first = Typed(self.one, "run", "web", "wait")
        for label in (b"m1 | ", b"m2 | "):
            await first.says(label)
        pids = [int(w) for w in first.output.decode().split() if w.isdecimal()]
        self.assertEqual([True] * 4, [alive(pid) for pid in pids])
        refused = await self.two.refuse("run", "web", "shout", "x", "--no-wait")
        self.assertRegex(refused, r"run already, by \S+@\S+ \(pop run web wait, pid \d+\)")
        second = Typed(self.two, "run", "web", "shout", "x")
        await second.says(b"Waiting for ")
        self.assertNotIn(b"x .", second.output)
        await self.one.pop("run", "web", "look")
        first.interrupt()
        self.assertEqual(130, await first.ended)
        self.assertEqual([False] * 4, [alive(pid) for pid in pids])
        self.assertEqual(0, await second.ended)
        self.assertIn(b"m1 | x .", second.output)

    async def check_runs(self) -> None:
        """All of it is remembered."""
        said = await self.one.pop("runs", "web", "-n", "20")
        self.assertRegex(said, r"shout +\S+@\S+ +\d+s +m1, m2 +done")
        self.assertRegex(said, r"slowly +\S+@\S+ +\d+s +m1, m2 +status 5")
        self.assertRegex(said, r"wait +\S+@\S+ +\d+s +m1, m2 +cancelled")
        found = json.loads(await self.one.pop("--json", "runs", "web", "-n", "1"))
        self.assertEqual(["shout"], [each["task"] for each in found])
        self.assertIn("no service", await self.one.refuse("runs", "nothing"))

    async def check_gone(self) -> None:
        """An agent that is killed is named, and nothing that it began goes on."""
        going = Typed(self.one, "run", "web", "wait")
        for label in (b"m1 | ", b"m2 | "):
            await going.says(label)
        await self.one.look()
        agent, _ = await self.one.node("/agents/m2")
        os.kill(agent["pid"], signal.SIGKILL)
        await going.says(b"m2: The connection to the agent of m2 broke")
        lines = going.output.decode().splitlines()
        [pids] = [line.split()[2:] for line in lines if line.startswith("m2 | ")]

        async def gone() -> bool:
            return not any(alive(int(pid)) for pid in pids)

        await self.two.until(gone)
        going.interrupt()
        await going.ended
