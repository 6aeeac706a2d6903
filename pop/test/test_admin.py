"""Administering real agents."""

import contextlib
import os
import shlex
import sys
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.internet.utils import getProcessOutputAndValue

from pop import __version__
from pop.admin import Administrator, at_pb_socket, connect
from pop.cluster import Cluster
from pop.errors import AgentLost, AgentSilent, NotConnected, PopError
from pop.paths import Paths
from pop.statedir import StateDirectory
from pop.test.checkout import ROOT
from pop.test.scripted import Reader
from pop.test.shells import Agent, EmbeddedTestCase, Shell, alive
from txzookeeper import ManagedClient

COUNTS = "[print(n, flush=True) or time.sleep(0.01) for n in itertools.count()]"

FOLLOWS = """
import sys
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import react
from pop.admin import at_socket

class Names:
    def write(self, source, data):
        print(source, flush=True)
        return succeed(None)

async def main(reactor):
    admin = await at_socket(reactor, sys.argv[1], "m1")
    await admin.logs("web", 1, True, Names())

react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
"""


def read_by(pid: int) -> set[str]:
    """The logs that an agent has open: it writes none of them itself."""
    found = (os.path.realpath(path) for path in Path(f"/proc/{pid}/fd").iterdir())
    return {os.path.basename(path) for path in found if ".log" in path and "/log/" in path}


class AgentTests(EmbeddedTestCase):
    """An agent, as a program has it."""

    async def begin(self) -> tuple[Shell, Any]:
        """A machine that runs a service of two instances, both of which write."""
        shell = self.shell()
        await shell.pop("init")
        await shell.look()
        argv = shlex.join([sys.executable, "-c", f"import itertools, time; {COUNTS}"])
        words = ("--argv", argv, "--processes", "2")
        await shell.pop("add", "command", "--name", "web", *words)
        agent = shell.agent()
        await shell.pop("deploy", "web", "--wait")
        client = ManagedClient(self.servers, session_timeout=10_000, reactor=shell.reactor)
        await client.connect()
        self.addCleanup(client.close)
        self.cluster = Cluster(client, Paths(shell.environment["POP_PATH_PREFIX"]), shell.reactor)
        return shell, agent

    async def connect(self, shell: Shell) -> Administrator:
        """Reach its agent."""
        return await connect(shell.reactor, self.cluster, "m1")

    async def end(self, agent: Any, admin: Administrator) -> None:
        """All ends, and quietly."""
        agent.signal("TERM")
        self.assertEqual(0, await agent.ended, agent.output)
        await admin.lost
        self.assertNotIn("Traceback", agent.output)

    async def refused(self, kind: type[PopError], shell: Shell) -> str:
        """The sentence that whoever wants to connect is refused with."""
        try:
            await self.connect(shell)
        except kind as error:
            return str(error)
        raise AssertionError("nothing was refused")

    async def test_asked(self) -> None:
        """It tells of itself and of what it runs, and does what it is told to."""
        shell, agent = await self.begin()
        admin = await self.connect(shell)
        self.assertEqual(("m1", __version__), (admin.machine, admin.version))
        info = await admin.info()
        self.assertEqual(
            (agent.pid, True, 2), tuple(info[k] for k in ("pid", "zookeeper", "instances"))
        )
        rows = await admin.instances("web")
        self.assertEqual(["web", "web/2"], [row["slot"] for row in rows])
        for row in rows:
            self.assertTrue(alive(row["pid"]))
            self.assertGreater(row["memory"], 1 << 20)
            self.assertLess(row["cpu"], 1.5)
        self.assertEqual(1, await admin.signal("web", "KILL", "web/2"))
        first, second = (row["pid"] for row in rows)
        await shell.until(lambda: self.differs(admin, second))
        self.assertEqual(2, await admin.restart("web"))
        await shell.until(lambda: self.differs(admin, first))
        whys = [entry["why"] for entry in await admin.why("web")]
        self.assertIn("ended by signal 9", whys)
        self.assertIn("restarted by hand", whys)
        await self.end(agent, admin)

    async def test_example(self) -> None:
        """The program that the documentation shows does what it says."""
        shell, agent = await self.begin()
        admin = await self.connect(shell)
        example = str(ROOT / "examples" / "administer.py")
        words = (shell.environment["POP_STATE_DIR"], "m1", "web", "CONT")
        said, err, status = await getProcessOutputAndValue(
            sys.executable, [example, *words], env=shell.environment, reactor=shell.reactor
        )
        self.assertEqual((0, b""), (status, err))
        lines = said.decode().splitlines()
        self.assertEqual("The agent of m1 runs 2 instances.", lines[0])
        self.assertRegex(lines[2], r"^web/2 is ready and has \d+ MiB\.$")
        self.assertEqual("2 of them have been sent CONT.", lines[3])
        self.assertLess({"--- web ---", "--- web/2 ---"}, set(lines[4:]))
        await self.end(agent, admin)

    async def test_by_broker(self) -> None:
        """It can be asked by Perspective Broker, too."""
        shell, agent = await self.begin()
        node, _ = await shell.node("/agents/m1")
        admin = await at_pb_socket(shell.reactor, node["admin"]["pb"])
        info = await admin.info()
        self.assertEqual((agent.pid, "m1"), (info["pid"], info["machine"]))
        reader = Reader()
        await admin.logs("web", 3, False, reader)
        self.assertEqual({"web", "web/2"}, {source for source, _ in reader.taken})
        agent.signal("TERM")
        self.assertEqual(0, await agent.ended, agent.output)
        await admin.lost
        self.assertNotIn("Traceback", agent.output)

    async def differs(self, admin: Administrator, pid: int) -> bool:
        """Whether a process has been replaced."""
        rows = await admin.instances("web")
        return all(row["pid"] not in (None, pid) for row in rows)

    async def test_followed(self) -> None:
        """Its logs can be followed: no number is missing, twice, or out of order."""
        shell, agent = await self.begin()
        admin = await self.connect(shell)
        reader = Reader()
        following = admin.logs("web", -1, True, reader)
        await deferLater(shell.reactor, 1.0)
        following.cancel()
        with contextlib.suppress(CancelledError):
            await following
        for slot in ("web", "web/2"):
            numbers = [int(word) for word in reader.text(slot).split(b"\n")[:-1]]
            self.assertEqual(list(range(len(numbers))), numbers)
            self.assertGreater(len(numbers), 10)
        await self.end(agent, admin)

    async def test_vanished(self) -> None:
        """When whoever follows logs is killed, the agent reads them no longer."""
        shell, agent = await self.begin()
        path = str(StateDirectory(Path(shell.environment["POP_STATE_DIR"])).admin)
        follower = Agent()
        command = [sys.executable, "-c", FOLLOWS, path]
        shell.reactor.spawnProcess(follower, command[0], command, shell.environment)
        await shell.until(lambda: self.told(follower))
        self.assertEqual({"web.log", "web.log.2"}, read_by(agent.pid))
        follower.signal("STOP")
        await deferLater(shell.reactor, 0.5)
        admin = await self.connect(shell)
        self.assertEqual(2, (await admin.info())["instances"])
        follower.signal("KILL")
        await follower.ended
        await shell.until(lambda: self.read_no_more(agent))
        await self.end(agent, admin)

    async def told(self, follower: Agent) -> bool:
        """Whether it was told something of each instance."""
        return "web/2" in follower.output.split() and "web" in follower.output.split()

    async def read_no_more(self, agent: Agent) -> bool:
        """Whether an agent has no log open."""
        return not read_by(agent.pid)

    async def test_upgrade(self) -> None:
        """Who connects while the agent becomes another version of itself is answered by that."""
        shell, agent = await self.begin()
        began = (await (await self.connect(shell)).info())["since"]
        upgraded = Deferred.fromCoroutine(shell.pop("upgrade"))
        counted = 0
        while not upgraded.called:
            try:
                admin = await self.connect(shell)
                await admin.info()
            except (AgentLost, AgentSilent) as error:  # a connection does not outlive it
                self.assertNotIn("refused", str(error))
            counted += 1
        await upgraded
        admin = await self.connect(shell)
        info = await admin.info()
        self.assertEqual(agent.pid, info["pid"])
        self.assertNotEqual(began, info["since"])
        self.assertGreater(counted, 2)
        await self.end(agent, admin)

    async def test_gone(self) -> None:
        """An agent that is gone, or was killed, is one that does not answer."""
        shell, agent = await self.begin()
        agent.signal("KILL")
        await agent.ended
        self.assertIn("does not answer", await self.refused(AgentSilent, shell))
        agent = shell.agent()
        await shell.until(lambda: self.reached(shell))
        agent.signal("TERM")
        await agent.ended
        self.assertIn("No agent of m1", await self.refused(NotConnected, shell))
        socket = StateDirectory(Path(shell.environment["POP_STATE_DIR"])).admin
        self.assertFalse(socket.exists())

    async def reached(self, shell: Shell) -> bool:
        """Whether somebody answers."""
        try:
            admin = await self.connect(shell)
        except PopError:
            return False
        await admin.close()
        return True
