"""One administrator, two machines, real agents: logs, signals, figures and reasons from both."""

import json
import os
import sys
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol

from pop.test.shells import Agent, EmbeddedTestCase, Shell

PROGRAM = """
import signal, time
signal.signal(signal.SIGHUP, lambda *_: print("told", flush=True))
print("begun", flush=True)
while True:
    time.sleep(60)
"""


class Following(ProcessProtocol):
    """C{pop logs -f}, with what it has printed."""

    def __init__(self) -> None:
        self.output = ""
        self.complaints = ""
        self.ended: Deferred[None] = Deferred()

    def outReceived(self, data: bytes) -> None:
        self.output += data.decode()

    def errReceived(self, data: bytes) -> None:
        self.complaints += data.decode()

    def processEnded(self, reason: object) -> None:
        self.ended.callback(None)


class FleetTests(EmbeddedTestCase):
    """Two machines, m1 where the administrator sits and m2, which are one host in truth."""

    timeout = 150

    async def open(self) -> tuple[Shell, Agent]:
        """Both with agents, and a service on both; gives the first's shell, the second's agent."""
        here, there = (self.shell(id, prefix="/fleet") for id in ("m1", "m2"))
        await here.pop("init")
        program = self.mktemp()
        with open(program, "w") as file:
            file.write(PROGRAM)
        argv = f"{sys.executable} {os.path.abspath(program)}"
        await here.pop("add", "command", "--name", "web", "--argv", argv)
        self.there = there
        self.start(here)
        agent = self.start(there)
        both = ("--machine", "m1", "--machine", "m2")
        await here.pop("deploy", "web", *both, "--force")
        for machine in ("m1", "m2"):
            await here.until(partial(self.logged, here, f"{machine} | begun"))
        return here, agent

    def start(self, shell: Shell) -> Agent:
        """An agent, which is ended with what it runs after the test."""
        agent = shell.agent()
        self.addCleanup(self.stop, agent)
        return agent

    async def stop(self, agent: Agent) -> None:
        """End it, if it has not ended."""
        if not agent.ended.called:
            agent.signal("TERM")
            await agent.ended

    async def logged(self, shell: Shell, line: str) -> bool:
        """Whether a line is among what C{pop logs} prints."""
        _, out, _ = await shell.try_pop("logs", "web")
        return line in out.splitlines()

    async def json(self, shell: Shell, *words: str) -> Any:
        """What a command prints for scripts."""
        return json.loads(await shell.pop("--json", *words))

    async def test_all_there(self) -> None:
        """Every command reaches both machines, and says of which it speaks."""
        here, _ = await self.open()
        self.assertEqual("m1 | begun\nm2 | begun\n", await here.pop("logs", "web"))
        self.assertEqual("begun\n", await here.pop("logs", "web", "--machine", "m2"))
        lines = (await here.pop("--json", "logs", "web")).splitlines()
        self.assertEqual(["m1", "m2"], [json.loads(line)["machine"] for line in lines])
        said = await here.pop("signal", "web", "HUP")
        self.assertEqual("Sent HUP to 2 processes of web, on m1, m2.\n", said)
        await here.until(lambda: self.logged(here, "m2 | told"))
        sent = await self.json(here, "signal", "web/1", "--machine", "m2", "1")
        self.assertEqual({"signal": "HUP", "sent": {"m2": 1}}, sent)
        self.assertIn("CPU", await here.pop("top"))
        board = await self.json(here, "top")
        found = {id: each[0]["slot"] for id, each in board["machines"].items()}
        self.assertEqual(({"m1": "web", "m2": "web"}, {}), (found, board["missing"]))
        machines = await self.json(here, "machines", "m2")
        self.assertEqual(["m2"], list(machines))
        self.assertGreater(machines["m2"]["instances"][0]["memory"], 1 << 20)
        self.assertGreater(machines["m2"]["agent"]["memory"], 1 << 20)
        self.assertRegex(await here.pop("machines"), r"\n  web +ready +\d+ +[\d.]+% +[\d.]+M")
        why = await here.pop("why", "web", "--machine", "m2")
        self.assertRegex(why, r"stopped -> ready +deployed by")
        self.assertRegex(why, r"\nweb is ready since")

    async def test_one_missing(self) -> None:
        """A machine without an agent is named in a sentence, and the other goes on."""
        here, agent = await self.open()
        agent.signal("QUIT")
        await agent.ended
        status, out, err = await here.try_pop("logs", "web")
        self.assertEqual((1, "m1 | begun\n"), (status, out))
        self.assertRegex(err, r"\Apop: \w+ agent of m2 [^\n]+\.\n\Z")
        status, out, err = await here.try_pop("signal", "web", "HUP")
        self.assertEqual((1, "Sent HUP to 1 process of web, on m1.\n"), (status, out))
        self.assertIn("agent of m2", err)
        status, out, err = await here.try_pop("top")
        self.assertEqual((0, 2), (status, out.count("\n")))
        self.assertIn("agent of m2", err)
        self.assertIn("agent of m2", await here.refuse("signal", "web", "HUP", "--machine", "m2"))
        self.assertIn("nope", await here.refuse("logs", "web", "--machine", "nope"))
        self.assertIn("NOPE", await here.refuse("signal", "web", "NOPE"))
        self.assertIn("nope", await here.refuse("signal", "nope", "HUP"))
        self.assertIn("web/2", await here.refuse("signal", "web/x", "HUP", status=2))
        # Who stops what goes on there; before it heeds signals, one would end it alone.
        await self.start(self.there).said("ready to run services")

    async def test_follow(self) -> None:
        """Logs are followed on both machines, also when an agent dies and another takes over."""
        here, agent = await self.open()
        following = Following()
        command = [sys.executable, "-m", "pop", "logs", "web", "-f"]
        self.process = here.reactor.spawnProcess(
            following, command[0], command, env=here.environment
        )
        await here.until(lambda: self.has(following, "m1 | begun\n", "m2 | begun\n"))
        agent.signal("KILL")
        await agent.ended
        successor = self.there.agent()
        self.addCleanup(self.stop, successor)
        await here.until(lambda: self.told(here), patience=40.0)
        await here.until(lambda: self.has(following, "m1 | told\n", "m2 | told\n"), patience=40.0)
        self.process.signalProcess("INT")
        await following.ended
        self.assertEqual(
            ["m1 | begun", "m1 | told", "m2 | begun", "m2 | told"],
            sorted(following.output.splitlines()),
        )
        self.assertRegex(following.complaints, r"\Apop: The connection to the agent of m2 broke\.")

    async def has(self, following: Following, *lines: str) -> bool:
        """Whether all of them were printed."""
        return all(line in following.output for line in lines)

    async def told(self, shell: Shell) -> bool:
        """Whether both machines could be told."""
        status, _, _ = await shell.try_pop("signal", "web", "HUP", "--machine", "m2")
        return status == 0 and not (await shell.try_pop("signal", "web", "HUP", "--machine=m1"))[0]
